#!/usr/bin/env python3
# Asks the machine's own kernel what bpf(2) answers for maps, and records it: fixtures/map/create.json, fixtures/map/ops.json.
# records.test.ts runs it: root, Linux 6.18, two possible CPUs.
import ctypes, json, os, struct, sys

libc = ctypes.CDLL(None, use_errno=True)
OUT = sys.argv[1] if len(sys.argv) > 1 else 'fixtures/map'
CPUS = 2
T = dict(HASH=1, ARRAY=2, PROG_ARRAY=3, PERF=4, PHASH=5, PARRAY=6, LRU=9, LRUP=10, LPM=11, AOM=12, HOM=13, DEVMAP=14, CPUMAP=16, XSK=17,
         QUEUE=22, STACK=23, DEVHASH=25, RINGBUF=27, BLOOM=30)


def bpf(cmd, attr):
    buf = ctypes.create_string_buffer(bytes(attr).ljust(152, b'\0'), 152)
    r = libc.syscall(321, cmd, buf, 152)
    return r if r >= 0 else -ctypes.get_errno()


def create(type, key, value, entries, flags=0, extra=0, inner=0):
    return bpf(0, struct.pack('<IIIIIII16sIIIIIQ', type, key, value, entries, flags, inner, 0, b'', 0, 0, 0, 0, 0, extra))


def elem(cmd, fd, key, value, flags=0):
    k = ctypes.create_string_buffer(key, len(key)) if key else None
    v = ctypes.create_string_buffer(value, len(value)) if value else None
    r = bpf(cmd, struct.pack('<IIQQQ', fd, 0, ctypes.addressof(k) if k else 0, ctypes.addressof(v) if v else 0, flags))
    return r, (v.raw if v else b'')


def prog(type, attach=0):
    insns = struct.pack('<BBhi', 0xb7, 0, 0, 0) + struct.pack('<BBhi', 0x95, 0, 0, 0)
    i, l = ctypes.create_string_buffer(insns, len(insns)), ctypes.create_string_buffer(b'GPL')
    return bpf(5, struct.pack('<IIQQIIQII16sII', type, 2, ctypes.addressof(i), ctypes.addressof(l), 0, 0, 0, 0, 0, b'', 0, attach))


# --- creation ---------------------------------------------------------------------------------------------------------------------
BASE = {
    'HASH': (4, 8, 8), 'ARRAY': (4, 8, 8), 'PROG_ARRAY': (4, 4, 8), 'PERF': (4, 4, 2), 'PHASH': (4, 8, 8), 'PARRAY': (4, 8, 8),
    'LRU': (4, 8, 8), 'LRUP': (4, 8, 8), 'LPM': (8, 8, 8), 'AOM': (4, 4, 8), 'HOM': (4, 4, 8), 'DEVMAP': (4, 4, 8), 'CPUMAP': (4, 4, 2),
    'XSK': (4, 4, 8), 'QUEUE': (0, 8, 8), 'STACK': (0, 8, 8), 'DEVHASH': (4, 4, 8), 'RINGBUF': (0, 0, 4096), 'BLOOM': (0, 8, 8),
}
KEYS = [0, 1, 3, 4, 5, 7, 8, 9, 12, 256, 260, 261, 264, 512, 513, 4096, 1 << 20, (4 << 20) - 60, (4 << 20) - 56, 4 << 20, 0xffffffff]
VALUES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 4096, 32760, 32761, 32768, 32769, 1 << 20, (4 << 20) - 60, (4 << 20) - 52, (4 << 20) - 24, 4 << 20,
          0x7fffffff, 0x80000000, 0xffffffff]
ENTRIES = [0, 1, 2, 3, 4095, 4096, 6144, 8192, 65536]


def creation():
    rows, inner = [], create(T['ARRAY'], 4, 8, 4)

    def ask(name, key, value, entries, flags=0, extra=0):
        fd = create(T[name], key, value, entries, flags, extra, inner if name in ('AOM', 'HOM') else 0)
        rows.append([T[name], key, value, entries, flags, extra, 0 if fd > 0 else -fd])
        if fd > 0:
            os.close(fd)

    for name, (k, v, m) in BASE.items():
        for key in KEYS: ask(name, key, v, m)
        for value in VALUES: ask(name, k, value, 1 if name != 'RINGBUF' else m)
        for entries in ENTRIES: ask(name, k, v, entries)
        for bit in range(20): ask(name, k, v, m, 1 << bit)
        for flags in (0x18, 0x180, 0x88, 0x110, 0x3, 0x5, 0x6, 0x7, 0x41, 0x401, 0x9, 0x11, 0x89): ask(name, k, v, m, flags)
        for extra in (1, 15, 16, 17, 1 << 33): ask(name, k, v, m, 0, extra)
    ask('LPM', 8, 8, 8, 1)
    for key in KEYS: ask('LPM', key, 8, 8, 1)
    for value in VALUES: ask('LPM', 8, value, 1, 1)
    for bit in range(20): ask('LPM', 8, 8, 8, 1 | 1 << bit)
    for flags in (0x19, 0x181, 0x89, 0x111): ask('LPM', 8, 8, 8, flags)
    for name, entries in (('DEVMAP', 1 << 20), ('CPUMAP', 8192), ('CPUMAP', 8193), ('BLOOM', 1 << 24), ('RINGBUF', 1 << 24), ('RINGBUF', 0x80000000)):
        ask(name, *BASE[name][:2], entries)
    ask('ARRAY', 4, 1 << 20, 0xffffffff)
    ask('HASH', 4, 8, 0x80000001)
    ask('HASH', 4, 8, 0xffffffff)
    ask('QUEUE', 0, 1 << 20, 0xffffffff)
    ask('STACK', 0, 4 << 20, 0xffffffff)
    ask('BLOOM', 0, 8, 0xffffffff)
    for type in (0, 34, 35, 40, 1000, 0xffffffff):
        fd = create(type, 4, 4, 1)
        rows.append([type, 4, 4, 1, 0, 0, 0 if fd > 0 else -fd])
    return rows


INNERS = [('ARRAY', (4, 8, 4), 0), ('HASH', (4, 8, 4), 0), ('HASH', (4, 8, 4), 1), ('PROG_ARRAY', (4, 4, 4), 0), ('PERF', (4, 4, 2), 0), ('PHASH', (4, 8, 4), 0),
          ('PARRAY', (4, 8, 4), 0), ('LRU', (4, 8, 4), 0), ('LRUP', (4, 8, 4), 0), ('LPM', (8, 8, 4), 1), ('DEVMAP', (4, 4, 4), 0), ('CPUMAP', (4, 4, 2), 0),
          ('XSK', (4, 4, 4), 0), ('QUEUE', (0, 8, 4), 0), ('STACK', (0, 8, 4), 0), ('DEVHASH', (4, 4, 4), 0), ('RINGBUF', (0, 0, 4096), 0),
          ('BLOOM', (0, 8, 4), 0), ('ARRAY', (4, 8, 4), 1 << 12), ('ARRAY', (4, 8, 5), 0), ('ARRAY', (4, 16, 4), 0), ('ARRAY', (4, 8, 4), 1 << 7),
          ('ARRAY', (4, 8, 5), 1 << 12), ('HASH', (4, 8, 9), 0), ('HASH', (8, 8, 4), 0), ('RINGBUF', (0, 0, 8192), 0), ('QUEUE', (0, 8, 5), 0), ('BLOOM', (0, 8, 5), 0),
          ('LRU', (4, 8, 5), 0), ('LRU', (4, 8, 4), 2), ('PHASH', (4, 8, 5), 0), ('LPM', (8, 8, 5), 1), ('ARRAY', (4, 8, 4), 1 << 3), ('ARRAY', (4, 8, 4), 1 << 10), ('AOM', (4, 4, 2), 0)]


def inner_maps():
    """Which maps may be a template, and which may then be put in: [[outer, template index, errno], ...], [[template, inner, errno], ...]"""
    first = create(T['ARRAY'], 4, 8, 4)
    fds = [create(T[n], *shape, flags, 0, first if n == 'AOM' else 0) for n, shape, flags in INNERS]
    assert all(fd > 0 for fd in fds), fds
    templates, puts = [], []
    for i, fd in enumerate(fds):
        for outer in ('AOM', 'HOM'):
            o = create(T[outer], 4, 4, 4, 0, 0, fd)
            templates.append([T[outer], i, 0 if o > 0 else -o])
            if o > 0 and outer == 'AOM':
                for j, other in enumerate(fds):
                    r, _ = elem(2, o, b'\0\0\0\0', struct.pack('<I', other))
                    puts.append([i, j, -r])
            if o > 0:
                os.close(o)
    for fd in fds: os.close(fd)
    return {'maps': [[T[n], *shape, flags] for n, shape, flags in INNERS], 'templates': templates, 'puts': puts}


# --- BTF --------------------------------------------------------------------------------------------------------------------------
def btf_bytes():
    """[1] u32 [2] u64 [3] struct key8 {u32 a, b} [4] struct value8 {u32, u32} [5] bpf_spin_lock [6] bpf_timer [7] struct locked {u32; lock}
    [8] struct timed {u64; timer} [9] int (signed) [10] typedef u32 [11] union u4 [12] enum e4 [13] struct both {lock; u32; timer} [14] two u32
    [15] var u64 [16] datasec of it [17] array of two u32 [18] bpf_refcount [19] counted {u32; refcount} [20] nested {u32; locked}"""
    strs, types = b'\0', b''

    def name(text):
        nonlocal strs
        at = len(strs)
        strs += text.encode() + b'\0'
        return at if text else 0

    def add(text, kind, vlen, size, *rest): return struct.pack('<III', name(text) if text else 0, kind << 24 | vlen, size) + b''.join(rest)
    def member(text, type, bits): return struct.pack('<III', name(text), type, bits)
    types += add('u32', 1, 0, 4, struct.pack('<I', 32)) + add('u64', 1, 0, 8, struct.pack('<I', 64))
    types += add('key8', 4, 2, 8, member('a', 1, 0), member('b', 1, 32)) + add('value8', 4, 2, 8, member('a', 1, 0), member('b', 1, 32))
    types += add('bpf_spin_lock', 4, 1, 4, member('val', 1, 0)) + add('bpf_timer', 4, 2, 16, member('a', 2, 0), member('b', 2, 64))
    types += add('locked', 4, 2, 8, member('n', 1, 0), member('lock', 5, 32)) + add('timed', 4, 2, 24, member('n', 2, 0), member('timer', 6, 64))
    types += add('int', 1, 0, 4, struct.pack('<I', 1 << 24 | 32)) + add('my32', 8, 0, 1)
    types += add('u4', 5, 1, 4, member('a', 1, 0)) + add('e4', 6, 1, 4, struct.pack('<Ii', name('A'), 1))
    types += add('both', 4, 3, 24, member('lock', 5, 0), member('n', 1, 32), member('timer', 6, 64)) + add('two', 4, 2, 8, member('a', 1, 0), member('b', 1, 32))
    types += add('v', 14, 0, 2, struct.pack('<I', 1)) + add('.data', 15, 1, 8, struct.pack('<III', 15, 0, 8)) + add('', 3, 0, 0, struct.pack('<III', 1, 1, 2))
    types += add('bpf_refcount', 4, 1, 4, member('val', 1, 0)) + add('counted', 4, 2, 8, member('n', 1, 0), member('ref', 18, 32))
    types += add('nested', 4, 2, 12, member('n', 1, 0), member('in', 7, 32))
    return struct.pack('<HBBIIIII', 0xeb9f, 1, 0, 24, 0, len(types), len(types), len(strs)) + types + strs


BTF_KEYS = [(0, 4), (0, 0), (1, 4), (9, 4), (10, 4), (11, 4), (12, 4), (2, 8), (3, 8), (1, 8), (17, 8), (99, 4)]
BTF_VALUES = [(0, 8), (1, 4), (2, 8), (4, 8), (4, 4), (7, 8), (8, 24), (13, 24), (14, 8), (16, 8), (17, 8), (19, 8), (20, 12), (99, 8)]


def with_btf():
    data = btf_bytes()
    raw = ctypes.create_string_buffer(data, len(data))
    log = ctypes.create_string_buffer(4096)
    btf = bpf(18, struct.pack('<QQIIII', ctypes.addressof(raw), ctypes.addressof(log), len(data), 4096, 1, 0))
    assert btf > 0, (btf, log.value)
    inner, rows = create(T['ARRAY'], 4, 8, 4), []

    def ask(name, key, value, kid, vid, flags=0, entries=None):
        flags |= 1 if name == 'LPM' else 0
        entries = entries or BASE[name][2]
        fd = bpf(0, struct.pack('<IIIIIII16sIIIIIQ', T[name], key, value, entries, flags, inner if name in ('AOM', 'HOM') else 0, 0, b'', 0, btf, kid, vid, 0, 0))
        rows.append([T[name], key, value, entries, flags, kid, vid, 0 if fd > 0 else -fd])
        if fd > 0: os.close(fd)

    for name, (k, v, m) in BASE.items():
        for kid, ksize in BTF_KEYS:
            if name in ('HASH', 'ARRAY', 'PHASH', 'PARRAY', 'LRU', 'LPM', 'QUEUE', 'BLOOM') or kid in (0, 1): ask(name, k if ksize == 0 else ksize, v, kid, {4: 1, 8: 4, 0: 0}[v])
        for vid, vsize in BTF_VALUES: ask(name, k, vsize if v else 0, {0: 0, 4: 1, 8: 3}[k], vid)
        for vid, vsize in ((7, 8), (8, 24), (19, 8)):
            for flags in (128, 256): ask(name, k, vsize, {0: 0, 4: 1, 8: 3}[k], vid, flags)
    for entries in (1, 2):
        for vid, size in ((16, 8), (4, 8)): ask('ARRAY', 4, size, 0, vid, 0, entries)
    return {'btf': data.hex(), 'maps': rows}


# --- operations -------------------------------------------------------------------------------------------------------------------
# A sitting: a map, then steps [op, key hex, value hex, flags, errno, result hex]. Ids of programs and maps are written as $name.
def u32(*n): return struct.pack('<%dI' % len(n), *[x & 0xffffffff for x in n])
def u64(*n): return struct.pack('<%dQ' % len(n), *n)


LOOKUP, UPDATE, DELETE, NEXT, LAD = 1, 2, 3, 4, 21
NAMES = {LOOKUP: 'lookup', UPDATE: 'update', DELETE: 'delete', NEXT: 'next', LAD: 'lookup_and_delete'}


class Sitting:
    def __init__(self, title, name, key, value, entries, flags=0, extra=0, inner=None, names=None):
        self.title, self.key, self.value, self.steps = title, key, value, []
        self.fd = create(T[name], key, value, entries, flags, extra, inner or 0)
        assert self.fd > 0, (title, self.fd)
        self.percpu = name in ('PHASH', 'PARRAY', 'LRUP')
        self.attr = [T[name], key, value, entries, flags, extra]
        self.names = names or {}
        self.bloom = name == 'BLOOM'

    def size(self): return (self.value + 7) // 8 * 8 * CPUS if self.percpu else self.value

    def do(self, op, key=b'', value=b'', flags=0, show=None):
        if op == NEXT:
            v = bytes(self.key) or b'\0'
        else:
            v = value if op == UPDATE or self.bloom else b'' if op == DELETE else bytes(self.size() or 4)
        r, out = elem(op, self.fd, key, b'' if op == DELETE else v, flags)
        shown = value.hex() if show is None else show
        result = out.hex() if r >= 0 and op in (LOOKUP, LAD, NEXT) else ''
        result = self.names.get(result, result)
        self.steps.append([NAMES[op], key.hex(), shown, flags, -r if r < 0 else 0, result])
        return out if r >= 0 else None

    def done(self):
        os.close(self.fd)
        return {'title': self.title, 'map': self.attr, 'steps': self.steps}


def keyed(s, keys, absent, val, over=None):
    """What every kind with keys is asked."""
    k = keys[0]
    s.do(LOOKUP, k); s.do(DELETE, k); s.do(NEXT); s.do(LAD, k)
    for flags in (2, 0, 1, 2, 3, 4, 5, 6, 8, 1 << 32): s.do(UPDATE, k, val(flags & 0xff), flags)
    s.do(LOOKUP, k)
    for flags in (1, 2, 4, 8, 1 << 32): s.do(LOOKUP, k, b'', flags); s.do(LAD, k, b'', flags)
    for other in keys[1:]: s.do(UPDATE, other, val(9), 1)
    if over is not None: s.do(UPDATE, over, val(7), 0); s.do(UPDATE, k, val(8), 0); s.do(UPDATE, over, val(7), 2)
    s.do(LOOKUP, absent); s.do(DELETE, absent); s.do(UPDATE, absent, val(1), 2); s.do(LAD, absent)
    s.do(LAD, k); s.do(LOOKUP, k); s.do(DELETE, keys[-1]); s.do(DELETE, keys[-1]); s.do(LOOKUP, keys[-1])
    return s.done()


def hashes():
    out = []
    for name in ('HASH', 'PHASH', 'LRU', 'LRUP'):
        for flags in (0, 1) if not name.startswith('LRU') else (0,):
            s = Sitting('%s flags %d' % (name, flags), name, 4, 8, 1000 if name.startswith('LRU') else 3, flags)
            pad = lambda n, s=s: b''.join(u64(n + i) for i in range(s.size() // 8))
            out.append(keyed(s, [u32(1), u32(2), u32(3)], u32(99), pad, None if name.startswith('LRU') else u32(4)))
    s = Sitting('HASH odd sizes', 'HASH', 3, 5, 2)
    out.append(keyed(s, [b'abc', b'abd'], b'xyz', lambda n: bytes([n, 1, 2, 3, 4]), b'new'))
    s = Sitting('PHASH odd value', 'PHASH', 6, 5, 2)
    out.append(keyed(s, [b'abcdef', b'abcdeg'], b'xyzxyz', lambda n: bytes([n, 1, 2, 3, 4, 9, 9, 9]) * CPUS, b'newnew'))
    for access in (8, 16):
        s = Sitting('HASH access %d' % access, 'HASH', 4, 4, 2, access)
        s.do(UPDATE, u32(1), u32(1)); s.do(LOOKUP, u32(1)); s.do(DELETE, u32(1)); s.do(NEXT); s.do(LAD, u32(1)); s.do(LOOKUP, u32(1), b'', 4)
        out.append(s.done())
    s = Sitting('HASH one key at a time', 'HASH', 4, 4, 4)
    s.do(UPDATE, u32(7), u32(70)); s.do(NEXT); s.do(NEXT, u32(7)); s.do(NEXT, u32(8)); s.do(DELETE, u32(7)); s.do(NEXT, u32(7))
    out.append(s.done())
    return out


def arrays():
    out = []
    for name in ('ARRAY', 'PARRAY'):
        s = Sitting(name, name, 4, 8, 3)
        pad = lambda n, s=s: b''.join(u64(n + i) for i in range(s.size() // 8))
        out.append(keyed(s, [u32(0), u32(1), u32(2)], u32(3), pad))
        s = Sitting(name + ' order', name, 4, 4, 3)
        s.do(NEXT); [s.do(NEXT, u32(i)) for i in (0, 1, 2, 3, 77, 0xffffffff)]; s.do(LOOKUP, u32(1))
        out.append(s.done())
        s = Sitting(name + ' odd value', name, 4, 5, 2)
        v = bytes([1, 2, 3, 4, 5]) if name == 'ARRAY' else bytes([1, 2, 3, 4, 5, 6, 7, 8]) * CPUS
        s.do(UPDATE, u32(1), v); s.do(LOOKUP, u32(1)); s.do(LOOKUP, u32(0))
        out.append(s.done())
    for access in (8, 16, 128, 256):
        s = Sitting('ARRAY access %d' % access, 'ARRAY', 4, 4, 2, access)
        s.do(UPDATE, u32(1), u32(1)); s.do(LOOKUP, u32(1)); s.do(DELETE, u32(1)); s.do(NEXT); s.do(LAD, u32(1))
        out.append(s.done())
    return out


def fd_arrays():
    out = []
    cls, xdp = prog(3), prog(6)
    ids = {}
    for fd, n in ((cls, '$cls'), (xdp, '$xdp')):
        info = ctypes.create_string_buffer(256)
        assert bpf(15, struct.pack('<IIQ', fd, 256, ctypes.addressof(info))) == 0
        ids[info.raw[4:8].hex()] = n
    s = Sitting('PROG_ARRAY', 'PROG_ARRAY', 4, 4, 3, 0, 0, None, ids)
    put = lambda i, fd, n, flags=0: s.do(UPDATE, u32(i), u32(fd), flags, n)
    s.do(LOOKUP, u32(0)); s.do(DELETE, u32(0)); s.do(NEXT); s.do(NEXT, u32(2))
    put(0, 9999, '$none'); put(3, cls, '$cls'); put(3, 9999, '$none'); put(0, cls, '$cls', 1); put(0, cls, '$cls', 2); put(0, cls, '$cls', 3); put(0, cls, '$cls', 4)
    put(0, cls, '$cls'); put(1, xdp, '$xdp'); put(0, cls, '$cls'); s.do(LOOKUP, u32(0)); s.do(LOOKUP, u32(1)); s.do(LOOKUP, u32(3)); s.do(LAD, u32(0))
    s.do(DELETE, u32(0)); s.do(DELETE, u32(0)); s.do(DELETE, u32(3)); put(1, xdp, '$xdp'); s.do(NEXT); s.do(NEXT, u32(0))
    out.append(s.done())
    s = Sitting('PERF', 'PERF', 4, 4, 2)
    s.do(LOOKUP, u32(0)); s.do(DELETE, u32(0)); s.do(UPDATE, u32(0), u32(9999), 0, '$none'); s.do(NEXT); s.do(NEXT, u32(1)); s.do(LAD, u32(0)); s.do(LOOKUP, u32(5)); s.do(DELETE, u32(5))
    s.do(UPDATE, u32(5), u32(9999), 0, '$none'); s.do(UPDATE, u32(0), u32(9999), 1, '$none'); s.do(UPDATE, u32(0), u32(9999), 3, '$none')
    out.append(s.done())
    inner, other, wrong = create(2, 4, 8, 4), create(2, 4, 8, 4), create(2, 4, 16, 4)
    ids = {}
    for fd, n in ((inner, '$inner'), (other, '$other'), (wrong, '$wrong')):
        info = ctypes.create_string_buffer(256)
        assert bpf(15, struct.pack('<IIQ', fd, 256, ctypes.addressof(info))) == 0
        ids[info.raw[4:8].hex()] = n
    for name in ('AOM', 'HOM'):
        s = Sitting(name, name, 4, 4, 3, 0, 0, inner, ids)
        put = lambda i, fd, n, flags=0: s.do(UPDATE, u32(i), u32(fd), flags, n)
        s.do(LOOKUP, u32(0)); s.do(DELETE, u32(0)); s.do(NEXT); s.do(NEXT, u32(2))
        put(0, 9999, '$none'); put(3, other, '$other'); put(0, wrong, '$wrong'); put(0, other, '$other', 2); put(0, other, '$other', 1); put(0, other, '$other', 1)
        put(0, other, '$other', 3); put(0, other, '$other', 4); put(0, inner, '$inner', 0); s.do(LOOKUP, u32(0)); s.do(LOOKUP, u32(1)); s.do(LOOKUP, u32(3)); s.do(LOOKUP, u32(9))
        put(0, other, '$other', 2); put(1, other, '$other', 0); put(2, other, '$other', 0); put(4, other, '$other', 0)
        s.do(LAD, u32(0)); s.do(DELETE, u32(0)); s.do(DELETE, u32(0)); s.do(DELETE, u32(9)); s.do(LOOKUP, u32(0))
        out.append(s.done())
    s = Sitting('XSK', 'XSK', 4, 4, 3)
    s.do(LOOKUP, u32(0)); s.do(DELETE, u32(0)); s.do(DELETE, u32(3)); s.do(UPDATE, u32(0), u32(9999), 0, '$none'); s.do(UPDATE, u32(3), u32(9999), 0, '$none')
    s.do(UPDATE, u32(0), u32(9999), 3, '$none'); s.do(NEXT); s.do(NEXT, u32(2)); s.do(LAD, u32(0))
    out.append(s.done())
    return out


def prefix(bits, *bytes_): return u32(bits) + bytes(bytes_)


def tries():
    out = []
    s = Sitting('LPM', 'LPM', 8, 8, 4, 1)
    k8, k16, k24, k32 = prefix(8, 10, 0, 0, 0), prefix(16, 10, 1, 0, 0), prefix(24, 10, 1, 2, 0), prefix(32, 10, 1, 2, 3)
    s.do(LOOKUP, k32); s.do(DELETE, k32); s.do(NEXT); s.do(LAD, k8)
    for f in (2, 3, 4, 8, 1, 1, 0, 2): s.do(UPDATE, k16, u64(16), f)
    s.do(UPDATE, prefix(33, 1, 2, 3, 4), u64(1)); s.do(LOOKUP, prefix(33, 1, 2, 3, 4)); s.do(DELETE, prefix(33, 1, 2, 3, 4)); s.do(NEXT, prefix(33, 1, 2, 3, 4))
    s.do(UPDATE, k8, u64(8)); s.do(UPDATE, k24, u64(24)); s.do(UPDATE, k32, u64(32)); s.do(UPDATE, prefix(0, 0, 0, 0, 0), u64(0)); s.do(UPDATE, k8, u64(88))
    for a in ((10, 1, 2, 3), (10, 1, 2, 4), (10, 1, 9, 9), (10, 9, 9, 9), (11, 0, 0, 0)): s.do(LOOKUP, prefix(32, *a))
    s.do(LOOKUP, prefix(20, 10, 1, 0, 0)); s.do(LOOKUP, prefix(16, 10, 1, 2, 3)); s.do(LOOKUP, prefix(7, 10, 0, 0, 0)); s.do(LOOKUP, k8, b'', 4); s.do(LOOKUP, k8, b'', 1)
    s.do(DELETE, k24); s.do(DELETE, k24); s.do(LOOKUP, prefix(32, 10, 1, 2, 4)); s.do(UPDATE, prefix(0, 0, 0, 0, 0), u64(5)); s.do(LOOKUP, prefix(32, 99, 0, 0, 0))
    s.do(DELETE, prefix(8, 10, 77, 77, 77)); s.do(LOOKUP, prefix(9, 10, 0, 0, 0)); s.do(LAD, k16); s.do(DELETE, prefix(0, 1, 2, 3, 4)); s.do(LOOKUP, prefix(32, 99, 0, 0, 0))
    out.append(s.done())
    s = Sitting('LPM order', 'LPM', 8, 4, 64, 1)
    import random
    r = random.Random(5)
    live = []
    for i in range(40):
        bits = r.choice([0, 1, 2, 3, 4, 7, 8, 9, 12, 16, 17, 24, 31, 32])
        key = prefix(bits, *[r.choice([0, 1, 128, 129, 192, 255]) for _ in range(4)])
        live.append(key)
        s.do(UPDATE, key, u32(i))
    walk(s, 64)
    for i in range(30): s.do(LOOKUP, prefix(r.choice([32, 32, 16, 9]), *[r.choice([0, 1, 128, 129, 192, 255]) for _ in range(4)]))
    for key in r.sample(live, 20): s.do(DELETE, key)
    walk(s, 64)
    s.do(NEXT, prefix(32, 3, 3, 3, 3)); s.do(NEXT, prefix(5, 8, 0, 0, 0))
    for i in range(30): s.do(LOOKUP, prefix(32, *[r.choice([0, 1, 128, 129, 192, 255]) for _ in range(4)]))
    out.append(s.done())
    s = Sitting('LPM one byte', 'LPM', 5, 1, 8, 1)
    s.do(UPDATE, prefix(3, 0xe0), b'a'); s.do(UPDATE, prefix(8, 0xff), b'b'); s.do(UPDATE, prefix(9, 0xff), b'c'); s.do(LOOKUP, prefix(8, 0xf0)); s.do(LOOKUP, prefix(8, 0xff)); s.do(LOOKUP, prefix(8, 0))
    walk(s, 9)
    out.append(s.done())
    return out


def walk(s, most):
    key = s.do(NEXT)
    while key is not None and most > 0:
        key, most = s.do(NEXT, key), most - 1


def keyless():
    out = []
    for name in ('QUEUE', 'STACK'):
        s = Sitting(name, name, 0, 4, 2)
        s.do(LOOKUP); s.do(LAD); s.do(DELETE); s.do(NEXT)
        for f in (1, 3, 4, 8): s.do(UPDATE, b'', u32(5), f)
        s.do(UPDATE, b'', u32(1)); s.do(UPDATE, b'', u32(2)); s.do(UPDATE, b'', u32(3)); s.do(LOOKUP); s.do(UPDATE, b'', u32(4), 2); s.do(LOOKUP); s.do(LOOKUP, b'', b'', 4); s.do(LAD, b'', b'', 4)
        s.do(LAD); s.do(LAD); s.do(LAD); s.do(DELETE); s.do(UPDATE, u32(1), u32(1)); s.do(LOOKUP, u32(1)); s.do(NEXT, u32(1)); s.do(LAD, u32(1)); s.do(DELETE, u32(1))
        out.append(s.done())
        s = Sitting(name + ' wraps', name, 0, 3, 3)
        for i in range(5): s.do(UPDATE, b'', bytes([i, i, i]), 2)
        s.do(LAD); s.do(UPDATE, b'', b'abc'); s.do(UPDATE, b'', b'abd'); s.do(LAD); s.do(LAD); s.do(LAD); s.do(LAD)
        out.append(s.done())
        for access in (8, 16):
            s = Sitting('%s access %d' % (name, access), name, 0, 4, 2, access)
            s.do(UPDATE, b'', u32(1)); s.do(LOOKUP); s.do(LAD); s.do(DELETE); s.do(NEXT)
            out.append(s.done())
    s = Sitting('BLOOM', 'BLOOM', 0, 4, 100, 0, 3)
    s.do(LOOKUP, b'', u32(1)); s.do(UPDATE, b'', u32(1), 1); s.do(UPDATE, b'', u32(1), 2); s.do(UPDATE, b'', u32(1), 4); s.do(UPDATE, b'', u32(1)); s.do(LOOKUP, b'', u32(1)); s.do(LOOKUP, b'', u32(2))
    s.do(DELETE); s.do(NEXT); s.do(LAD, b'', u32(1)); s.do(UPDATE, b'', u32(1)); s.do(LOOKUP, b'', u32(1), 4); s.do(DELETE, u32(1)); s.do(NEXT, u32(1)); s.do(LOOKUP, u32(1), u32(1))
    out.append(s.done())
    s = Sitting('RINGBUF', 'RINGBUF', 0, 0, 4096)
    s.do(LOOKUP); s.do(UPDATE, b'', u32(1)); s.do(DELETE); s.do(NEXT); s.do(LAD)
    out.append(s.done())
    return out


def netmaps():
    """In a namespace that has lo (1) alone."""
    out = []
    xdp, dev, cpu, cls = prog(6), prog(6, 33), prog(6, 35), prog(3)
    assert min(xdp, dev, cpu, cls) > 0, (xdp, dev, cpu, cls)
    for name in ('DEVMAP', 'DEVHASH'):
        s = Sitting(name, name, 4, 4, 3)
        s.do(LOOKUP, u32(0)); s.do(DELETE, u32(0)); s.do(NEXT); s.do(NEXT, u32(2)); s.do(LAD, u32(0))
        for f in (2, 3, 4, 8, 1, 1, 2, 0): s.do(UPDATE, u32(0), u32(1), f)
        s.do(UPDATE, u32(3), u32(1)); s.do(UPDATE, u32(1), u32(77)); s.do(UPDATE, u32(1), u32(0)); s.do(LOOKUP, u32(0)); s.do(LOOKUP, u32(1)); s.do(LOOKUP, u32(3)); s.do(UPDATE, u32(0), u32(0)); s.do(LOOKUP, u32(0))
        s.do(UPDATE, u32(2), u32(1)); s.do(UPDATE, u32(1), u32(1)); s.do(UPDATE, u32(4), u32(1)); s.do(UPDATE, u32(99), u32(1), 2); s.do(DELETE, u32(2)); s.do(DELETE, u32(2)); s.do(DELETE, u32(77)); s.do(NEXT, u32(77)); s.do(LOOKUP, u32(0), b'', 4)
        out.append(s.done())
        s = Sitting(name + ' with programs', name, 4, 8, 3)
        put = lambda i, ifindex, fd, n, flags=0: s.do(UPDATE, u32(i), u32(ifindex, fd), flags, u32(ifindex).hex() + n)
        put(0, 1, -1, 'ffffffff'); put(0, 1, 9999, '$none'); put(0, 1, xdp, '$xdp'); put(0, 1, cls, '$cls'); put(0, 1, cpu, '$cpu'); put(0, 1, dev, '$dev'); put(0, 0, dev, '$dev'); put(0, 77, dev, '$dev'); put(0, 1, 0, '00000000')
        out.append(s.done())
    s = Sitting('CPUMAP', 'CPUMAP', 4, 4, 2)
    s.do(LOOKUP, u32(0)); s.do(DELETE, u32(0)); s.do(NEXT); s.do(NEXT, u32(1)); s.do(LAD, u32(0))
    for f in (3, 4, 8, 1, 2, 0): s.do(UPDATE, u32(0), u32(192), f)
    s.do(LOOKUP, u32(0)); s.do(UPDATE, u32(2), u32(192)); s.do(UPDATE, u32(0), u32(16384)); s.do(UPDATE, u32(0), u32(16385)); s.do(LOOKUP, u32(0)); s.do(UPDATE, u32(0), u32(0)); s.do(LOOKUP, u32(0)); s.do(DELETE, u32(0)); s.do(DELETE, u32(5)); s.do(LOOKUP, u32(5)); s.do(UPDATE, u32(2), u32(16385)); s.do(UPDATE, u32(2), u32(0))
    out.append(s.done())
    s = Sitting('CPUMAP beyond', 'CPUMAP', 4, 4, 8)
    s.do(UPDATE, u32(1), u32(8)); s.do(UPDATE, u32(2), u32(8)); s.do(UPDATE, u32(7), u32(8)); s.do(UPDATE, u32(7), u32(0)); s.do(UPDATE, u32(7), u32(16385))
    out.append(s.done())
    s = Sitting('CPUMAP with programs', 'CPUMAP', 4, 8, 2)
    put = lambda i, size, fd, n, flags=0: s.do(UPDATE, u32(i), u32(size, fd), flags, u32(size).hex() + n)
    put(0, 8, -1, 'ffffffff'); put(0, 8, 9999, '$none'); put(0, 8, xdp, '$xdp'); put(0, 8, dev, '$dev'); put(0, 8, cls, '$cls'); put(0, 8, cpu, '$cpu'); put(0, 0, cpu, '$cpu'); put(0, 8, 0, '00000000')
    out.append(s.done())
    return out


def dump(name, value):
    with open(os.path.join(OUT, name), 'w') as f:
        f.write(value)


if __name__ == '__main__':
    os.makedirs(OUT, exist_ok=True)
    assert libc.unshare(0x40000000) == 0
    rows = creation()
    inner = inner_maps()
    dump('create.json', '[\n' + ',\n'.join(json.dumps(r) for r in rows) + '\n]\n')
    dump('inner.json', '{\n' + ',\n'.join('"%s": [\n%s\n]' % (k, ',\n'.join(json.dumps(r) for r in v)) for k, v in inner.items()) + '\n}\n')
    btf = with_btf()
    dump('btf.json', '{"btf": "%s", "maps": [\n%s\n]}\n' % (btf['btf'], ',\n'.join(json.dumps(r) for r in btf['maps'])))
    sittings = hashes() + arrays() + fd_arrays() + tries() + keyless() + netmaps()
    dump('ops.json', '[\n' + ',\n'.join('{"title": %s, "map": %s, "steps": [\n%s\n]}' % (
        json.dumps(s['title']), json.dumps(s['map']), ',\n'.join('  ' + json.dumps(x) for x in s['steps'])) for s in sittings) + '\n]\n')
    print(len(rows), 'creations', len(inner['puts']), 'inner maps', sum(len(s['steps']) for s in sittings), 'steps')
