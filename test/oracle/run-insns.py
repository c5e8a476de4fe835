#!/usr/bin/env python3
"""Loads and runs raw BPF programs on the real kernel through bpf(2), for the oracle tests. Needs root.

stdin: one JSON object a line: {"insns": hex, "subprogs": [slot...], "mem": hex, "packet": hex or null, "type": n}
       16-byte loads with src 2 mean the test's map. stdout: one JSON object a line:
       {"ok": true, "retval": n, "value": hex, "log": text} or {"ok": false, "errno": n, "log": text}
"""
import ctypes, json, os, struct, sys

libc = ctypes.CDLL(None, use_errno=True)
NR_BPF = {'x86_64': 321, 'aarch64': 280}[os.uname().machine]
MAP_CREATE, LOOKUP, UPDATE, PROG_LOAD, TEST_RUN, BTF_LOAD = 0, 1, 2, 5, 10, 18
VALUE_SIZE = 128
ENOSPC = 28
LOG = ctypes.create_string_buffer(1 << 20)


def bpf(cmd, attr):
    buf = ctypes.create_string_buffer(attr.ljust(160, b'\0'), 160)
    ret = libc.syscall(NR_BPF, cmd, buf, 160)
    if ret < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return ret, buf.raw


def address(buf):
    return ctypes.addressof(buf)


def make_btf():
    """int, int (void), and a static function of it: what func_info must point to."""
    strings = b'\0int\0f\0'
    types = struct.pack('<IIII', 1, 1 << 24, 4, 0x01000020)
    types += struct.pack('<III', 0, 13 << 24, 1)
    types += struct.pack('<III', 5, 12 << 24, 2)
    header = struct.pack('<HBBIIIII', 0xeb9f, 1, 0, 24, 0, len(types), len(types), len(strings))
    blob = header + types + strings
    raw = ctypes.create_string_buffer(blob, len(blob))
    return bpf(BTF_LOAD, struct.pack('<QQII', address(raw), 0, len(blob), 0))[0]


def load(case, map_fd, btf_fd):
    insns = bytearray(bytes.fromhex(case['insns']))
    for at in range(0, len(insns), 8):
        if insns[at] == 0x18 and insns[at + 1] >> 4 == 2:
            struct.pack_into('<i', insns, at + 4, map_fd)
    code = ctypes.create_string_buffer(bytes(insns), len(insns))
    license = ctypes.create_string_buffer(b'GPL')
    info = b''.join(struct.pack('<II', slot, 3) for slot in case['subprogs'])
    funcs = ctypes.create_string_buffer(info, len(info))
    for level in (2, 1):
        attr = struct.pack('<IIQQIIQII16sIIIIQIIQI', case.get('type', 3), len(insns) // 8, address(code), address(license), level,
                           len(LOG), address(LOG), 0, 0, b'insn', 0, 0, btf_fd, 8, address(funcs), len(case['subprogs']), 0, 0, 0)
        try:
            fd = bpf(PROG_LOAD, attr)[0]
            return fd, LOG.value.decode(errors='replace')
        except OSError as error:
            if level == 1 or error.errno != ENOSPC:
                raise Refused(error.errno, LOG.value.decode(errors='replace'))


class Refused(Exception):
    pass


def run(case, map_fd, btf_fd):
    key = ctypes.create_string_buffer(4)
    value = ctypes.create_string_buffer(bytes.fromhex(case['mem']).ljust(VALUE_SIZE, b'\0'), VALUE_SIZE)
    element = struct.pack('<IIQQQ', map_fd, 0, address(key), address(value), 0)
    bpf(UPDATE, element)
    fd, log = load(case, map_fd, btf_fd)
    try:
        frame = bytes.fromhex(case['packet'] or '00' * 64)
        data = ctypes.create_string_buffer(frame, len(frame))
        _, out = bpf(TEST_RUN, struct.pack('<IIIIQQII', fd, 0, len(frame), 0, address(data), 0, 1, 0))
        bpf(LOOKUP, element)
        return {'ok': True, 'retval': struct.unpack_from('<I', out, 4)[0], 'value': value.raw.hex(), 'log': log}
    finally:
        os.close(fd)


def main():
    map_fd = bpf(MAP_CREATE, struct.pack('<IIIII', 2, 4, VALUE_SIZE, 1, 0))[0]
    btf_fd = make_btf()
    for line in sys.stdin:
        try:
            answer = run(json.loads(line), map_fd, btf_fd)
        except Refused as refused:
            answer = {'ok': False, 'errno': refused.args[0], 'log': refused.args[1]}
        except OSError as error:
            answer = {'ok': False, 'errno': error.errno, 'log': f'test run: {error}'}
        print(json.dumps(answer), flush=True)


main()
