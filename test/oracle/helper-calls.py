#!/usr/bin/env python3
# Asks the machine's own kernel what helpers return and do, and records it: fixtures/helper/calls.json. A case is a packet and calls; every
# call's r0 and memory, and the packet afterwards, are the answer. records.test.ts runs it: root, Linux 6.18.
import ctypes, json, os, re, struct, sys

libc = ctypes.CDLL(None, use_errno=True)
OUT = sys.argv[1] if len(sys.argv) > 1 else 'fixtures/helper'
TYPES = {'cls': 3, 'xdp': 6, 'filter': 1}
IDS = {name: int(n) for name, n in re.findall(r'^  (\w+): (\d+),$', re.search(r'export const FUNC = \{(.*?)\}', open('pkg/uapi/bpf.ts').read(), re.S).group(1), re.M)}


def bpf(cmd, attr):
    buf = ctypes.create_string_buffer(bytes(attr).ljust(152, b'\0'), 152)
    r = libc.syscall(321, cmd, buf, 152)
    return r if r >= 0 else -ctypes.get_errno()


def array(size, flags=0):
    fd = bpf(0, struct.pack('<IIIII', 2, 4, size, 1, flags))
    assert fd > 0, fd
    return fd


def put(fd, value):
    k, v = ctypes.create_string_buffer(bytes(4), 4), ctypes.create_string_buffer(value, len(value))
    assert bpf(2, struct.pack('<IIQQQ', fd, 0, ctypes.addressof(k), ctypes.addressof(v), 0)) == 0


def get(fd, size):
    k, v = ctypes.create_string_buffer(bytes(4), 4), ctypes.create_string_buffer(size)
    assert bpf(1, struct.pack('<IIQQQ', fd, 0, ctypes.addressof(k), ctypes.addressof(v), 0)) == 0
    return v.raw


def insn(op, dst=0, src=0, off=0, imm=0): return struct.pack('<BBhi', op, dst | src << 4, off, imm)
def imm64(dst, value): return insn(0x18, dst, 0, 0, ctypes.c_int32(value & 0xffffffff).value) + insn(0, 0, 0, 0, ctypes.c_int32(value >> 32 & 0xffffffff).value)
def value_ptr(dst, fd, off): return insn(0x18, dst, 2, 0, fd) + insn(0, 0, 0, 0, off)


AREA, CONST = 32768, 8192


class Prog:
    """calls: [helper, [args]] with args an int, 'ctx', {'mem': hex}, {'str': text}, {'stack': bytes below fp}, {'map': index}"""

    def __init__(self, type, calls, maps=()):
        self.maps = [new_map(**m) for m in maps]
        self.area, self.const = array(AREA), array(CONST, 128)
        self.code, self.init, self.strs, self.slots = insn(0xbf, 6, 1), bytearray(AREA), bytearray(), []
        self.at = 8 * len(calls)
        self.places, self.names = [], [name for name, _ in calls]
        for n, (name, args) in enumerate(calls):
            places = []
            for reg, arg in enumerate(args, 1): places.append(self.arg(reg, arg))
            self.places.append(places)
            self.code += insn(0x85, 0, 0, 0, IDS[name]) + value_ptr(7, self.area, 8 * n) + insn(0x7b, 7, 0, 0)
        self.code += insn(0xb7, 0) + insn(0x95)
        put(self.area, bytes(self.init)); put(self.const, bytes(self.strs).ljust(CONST, b'\0'))
        assert bpf(22, struct.pack('<I', self.const)) == 0
        self.load(type)

    def arg(self, reg, arg):
        if arg == 'ctx': self.code += insn(0xbf, reg, 6)
        elif isinstance(arg, int): self.code += imm64(reg, arg)
        elif 'mem' in arg:
            data = bytes.fromhex(arg['mem'])
            at, self.at = self.at, self.at + (len(data) + 7) // 8 * 8
            self.init[at:at + len(data)] = data
            self.code += value_ptr(reg, self.area, at)
            return at, len(data)
        elif 'str' in arg:
            self.code += value_ptr(reg, self.const, len(self.strs))
            self.strs += arg['str'].encode('latin1') + b'\0'
        elif 'stack' in arg: self.code += insn(0xbf, reg, 10) + insn(0x07, reg, 0, 0, -arg['stack'])
        elif 'map' in arg: self.code += insn(0x18, reg, 1, 0, self.maps[arg['map']]) + insn(0)
        return None

    def load(self, type):
        code, licence, log = ctypes.create_string_buffer(self.code, len(self.code)), ctypes.create_string_buffer(b'GPL'), ctypes.create_string_buffer(1 << 16)
        self.fd = bpf(5, struct.pack('<IIQQIIQ', TYPES[type], len(self.code) // 8, ctypes.addressof(code), ctypes.addressof(licence), 1, 1 << 16, ctypes.addressof(log)))
        assert self.fd > 0, (self.fd, log.value.decode())

    def run(self, packet):
        data, out = ctypes.create_string_buffer(packet, len(packet)), ctypes.create_string_buffer(16384)
        attr = bytearray(struct.pack('<IIIIQQIIIIQQ', self.fd, 0, len(packet), 16384, ctypes.addressof(data), ctypes.addressof(out), 1, 0, 0, 0, 0, 0).ljust(152, b'\0'))
        buf = ctypes.create_string_buffer(bytes(attr), 152)
        r = libc.syscall(321, 10, buf, 152)
        assert r == 0, ctypes.get_errno()
        size = struct.unpack_from('<I', buf.raw, 12)[0]
        area = get(self.area, AREA)
        results = []
        for n, places in enumerate(self.places):
            r0 = area[8 * n:8 * n + 8][::-1].hex()
            if self.names[n] in ('map_lookup_elem', 'map_lookup_percpu_elem') and r0 != '0' * 16: r0 = 'pointer'
            results.append([r0] + [area[p[0]:p[0] + p[1]].hex() for p in places if p])
        for fd in (self.fd, self.area, self.const, *self.maps): os.close(fd)
        return results, out.raw[:size].hex()


def new_map(type, key, value, entries, flags=0, extra=0, init=()):
    fd = bpf(0, struct.pack('<IIIIIII16sIIIIIQ', type, key, value, entries, flags, 0, 0, b'', 0, 0, 0, 0, 0, extra))
    assert fd > 0, fd
    for k, v in init:
        kb, vb = ctypes.create_string_buffer(bytes.fromhex(k)), ctypes.create_string_buffer(bytes.fromhex(v))
        r = bpf(2, struct.pack('<IIQQQ', fd, 0, ctypes.addressof(kb) if k else 0, ctypes.addressof(vb), 0))
        assert r == 0, r
    return fd


def case(title, type, packet, *calls, maps=()):
    calls = [[name, list(args)] for name, *args in calls]
    wide = lambda arg: hex(arg) if isinstance(arg, int) and arg >= 1 << 53 else arg
    results, after = Prog(type, calls, maps).run(bytes.fromhex(packet))
    return {**({'maps': list(maps)} if maps else {}), 'title': title, 'type': type, 'packet': packet, 'calls': [[name, [wide(arg) for arg in args]] for name, args in calls], 'results': results, 'after': '' if after == packet else short(after)}


def short(hexed):
    """Long runs of zero bytes as [count]."""
    return re.sub(r'(?:00){24,}', lambda m: '[%d]' % (len(m.group(0)) // 2), hexed)


ETH4, ETH6 = '0200000000010200000000020800', '02000000000102000000000286dd'
IP4 = '4500003c000040004011b6c20a0000010a000002'
IP4ECN = '4502003c000040004011b6c00a0000010a000002'
IP6 = '6000000000281140fd000000000000000000000000000001fd000000000000000000000000000002'
UDP = '04d2162e0028b1e8' + ''.join('%02x' % i for i in range(32))
PKT4, PKT4E, PKT6 = ETH4 + IP4 + UDP, ETH4 + IP4ECN + UDP, ETH6 + IP6 + UDP
ARP = '0200000000010200000000020806' + '00' * 46
VLAN = '0200000000010200000000028100' + '00640800' + IP4 + UDP
QINQ = '02000000000102000000000288a8' + '00c88100' + '00640800' + IP4 + UDP
M = lambda n, fill='a5': {'mem': fill * n}
H = lambda text: {'mem': text}
S = lambda text, size=None: {'mem': text.encode('latin1').hex()}


def neg(n): return n & 0xffffffffffffffff


def bytes_cases():
    out = []
    for off in (0, 12, 70, 73, 74, 100, 0x7fffffff, 0x80000000, 0xffffffff):
        out.append(case('load %d' % off, 'cls', PKT4, ('skb_load_bytes', 'ctx', off, M(4), 4)))
        out.append(case('store %d' % off, 'cls', PKT4, ('skb_store_bytes', 'ctx', off, H('01020304'), 4, 0)))
        out.append(case('filter load %d' % off, 'filter', PKT4, ('skb_load_bytes', 'ctx', off, M(4), 4)))
        for start in (0, 1, 2): out.append(case('relative %d %d' % (off, start), 'cls', PKT4, ('skb_load_bytes_relative', 'ctx', off, M(4), 4, start)))
        out.append(case('xdp bytes %d' % off, 'xdp', PKT4, ('xdp_load_bytes', 'ctx', off, M(4), 4), ('xdp_store_bytes', 'ctx', off, H('01020304'), 4)))
    for flags in (0, 1, 2, 3, 4, 1 << 32): out.append(case('store flags %d' % flags, 'cls', PKT4, ('skb_store_bytes', 'ctx', 14, H('aabbccdd'), 4, flags)))
    for n in (0, 14, 74, 75, 2000, 0xffffffff): out.append(case('pull %d' % n, 'cls', PKT4, ('skb_pull_data', 'ctx', n)))
    return out


def csum_cases():
    out = []
    for flags in (0, 1, 2, 4, 8, 16, 0x12, 1 << 32):
        for frm, to in ((0, 0x1234), (0x0a00, 0x0b00), (0x0100000a, 0x0200000b), (0, 0x1234567890), (0xffffffff, 0), (0x1fffe, 0x3fffd)):
            out.append(case('l3 %x %x %x' % (flags, frm, to), 'cls', PKT4, ('l3_csum_replace', 'ctx', 24, frm, to, flags)))
    for flags in (0, 2, 4, 0x10, 0x12, 0x14, 0x20, 0x22, 0x24, 0x34, 0x44, 0x64, 0x62, 0x74, 0x84, 0x94, 0x100, 3):
        for frm, to in ((0, 0x1234), (0x0a00, 0x0b00), (0x0100000a, 0x0200000b), (0x12345678, 0x9abcdef0)):
            out.append(case('l4 %x %x %x' % (flags, frm, to), 'cls', PKT4, ('l4_csum_replace', 'ctx', 40, frm, to, flags)))
    zero = PKT4[:80] + '0000' + PKT4[84:]
    for flags in (4, 0x24, 0x64, 0x34): out.append(case('l4 zero %x' % flags, 'cls', zero, ('l4_csum_replace', 'ctx', 40, 1, 2, flags)))
    for flags in (4, 0x24, 0x64): out.append(case('l4 to zero %x' % flags, 'cls', PKT4, ('l4_csum_replace', 'ctx', 40, 0, 0xe8b1, 0x20), ('l4_csum_replace', 'ctx', 40, 0, 0x174e, flags & 0xf0)))
    for off in (73, 72, 74, 25, 0xffff, 0x10000, 0xfffffffe): out.append(case('csum offset %d' % off, 'cls', PKT4, ('l3_csum_replace', 'ctx', off, 1, 2, 2), ('l4_csum_replace', 'ctx', off, 1, 2, 2)))
    a, b = '0102030405060708', 'ffeeddccbbaa9988'
    for seed in (0, 1, 0xffff, 0xffffffff, 0x12345678):
        out.append(case('diff %x' % seed, 'cls', PKT4, ('csum_diff', H(a), 8, H(b), 8, seed), ('csum_diff', H(a), 4, H(b), 8, seed), ('csum_diff', H(a), 8, 0, 0, seed), ('csum_diff', 0, 0, H(b), 8, seed), ('csum_diff', 0, 0, 0, 0, seed)))
        out.append(case('xdp diff %x' % seed, 'xdp', PKT4, ('csum_diff', H(a), 8, H(b), 8, seed), ('csum_diff', H(a), 3, H(b), 8, seed), ('csum_diff', H(a), 8, H(b), 6, seed)))
    for n in (1, 2, 3, 5, 7): out.append(case('diff odd %d' % n, 'xdp', PKT4, ('csum_diff', H(a), n, H(b), 8, 5), ('csum_diff', H(a), 8, H(b), n, 5), ('csum_diff', 0, 0, H(b), n, 5), ('csum_diff', H(a), n, 0, 0, 5)))
    for n in (0, 1, 2, 3, 4, 99): out.append(case('level %d' % n, 'cls', PKT4, ('csum_level', 'ctx', n), ('csum_update', 'ctx', n)))
    return out


def room_cases():
    out = []
    for pkt, name in ((PKT4, '4'), (PKT6, '6'), (ARP, 'arp'), (VLAN, 'vlan')):
        for mode in (0, 1, 2):
            for diff in (0, 4, 8, 20, 28, 300, -4, -8, -20, -40, -60, -74, 0xfff, 0x1000, -0x1000):
                out.append(case('room %s %d %d' % (name, mode, diff), 'cls', pkt, ('skb_adjust_room', 'ctx', diff & 0xffffffff, mode, 0), ('skb_load_bytes', 'ctx', 0, M(20), 20)))
        for flags in (1, 2, 4, 6, 8, 10, 16, 18, 20, 24, 26, 32, 34, 64, 66, 66 | 14 << 56, 66 | 50 << 56, 2 | 4 << 56, 128, 130, 256, 384, 512, 1 << 20, 1 << 40):
            for diff in (8, 50, -8, -20):
                out.append(case('room %s flags %x %d' % (name, flags, diff), 'cls', pkt, ('skb_adjust_room', 'ctx', diff & 0xffffffff, 1, flags), ('skb_adjust_room', 'ctx', diff & 0xffffffff, 1, flags), ('skb_change_tail', 'ctx', 80, 0)))
        for n in (0, 13, 14, 20, 34, 41, 42, 74, 94, 100, 1500, 4000, 14000, 16063, 16064, 16065, 65550, 65551, 0xffffffff):
            out.append(case('tail %s %d' % (name, n), 'cls', pkt, ('skb_change_tail', 'ctx', n, 0)))
        for n in (0, 1, 8, 14, 100, 256, 400, 3000, 15900, 15989, 15990, 15991, 70000, 0x7fffffff, 0xffffffff):
            out.append(case('head %s %d' % (name, n), 'cls', pkt, ('skb_change_head', 'ctx', n, 0), ('skb_load_bytes_relative', 'ctx', 0, M(4), 4, 0), ('skb_load_bytes_relative', 'ctx', 0, M(4), 4, 1)))
        out.append(case('head tail flags ' + name, 'cls', pkt, ('skb_change_head', 'ctx', 8, 1), ('skb_change_tail', 'ctx', 80, 1), ('skb_change_tail', 'ctx', 80, 1 << 32)))
        for proto in (0x0008, 0xdd86, 0x0608, 0):
            for flags in (0, 1): out.append(case('proto %s %x %d' % (name, proto, flags), 'cls', pkt, ('skb_change_proto', 'ctx', proto, flags), ('skb_load_bytes_relative', 'ctx', 0, M(4), 4, 1)))
        out.append(case('proto twice ' + name, 'cls', pkt, ('skb_change_proto', 'ctx', 0xdd86, 0), ('skb_change_proto', 'ctx', 0x0008, 0), ('skb_change_proto', 'ctx', 0xdd86, 0)))
    for pkt, name in ((PKT4, '4'), (VLAN, 'vlan'), (QINQ, 'qinq'), (ARP, 'arp')):
        out.append(case('vlan push ' + name, 'cls', pkt, ('skb_vlan_push', 'ctx', 0x0081, 5), ('skb_load_bytes', 'ctx', 0, M(24), 24)))
        out.append(case('vlan push ad ' + name, 'cls', pkt, ('skb_vlan_push', 'ctx', 0xa888, 5), ('skb_vlan_push', 'ctx', 0x0081, 6), ('skb_load_bytes', 'ctx', 0, M(24), 24)))
        out.append(case('vlan push odd ' + name, 'cls', pkt, ('skb_vlan_push', 'ctx', 0x1234, 0xfffff), ('skb_vlan_push', 'ctx', 0, 7), ('skb_vlan_push', 'ctx', 0, 8), ('skb_load_bytes', 'ctx', 0, M(32), 32)))
        out.append(case('vlan pop ' + name, 'cls', pkt, ('skb_vlan_pop', 'ctx'), ('skb_load_bytes', 'ctx', 0, M(24), 24), ('skb_vlan_pop', 'ctx'), ('skb_load_bytes', 'ctx', 0, M(24), 24), ('skb_vlan_pop', 'ctx')))
        out.append(case('vlan push pop ' + name, 'cls', pkt, ('skb_vlan_push', 'ctx', 0x0081, 5), ('skb_vlan_push', 'ctx', 0x0081, 6), ('skb_vlan_pop', 'ctx'), ('skb_vlan_pop', 'ctx'), ('skb_load_bytes', 'ctx', 0, M(24), 24)))
    return out


def meta_cases():
    out = []
    for n in (0, 1, 2, 3, 4, 7, 0xffffffff): out.append(case('type %d' % n, 'cls', PKT4, ('skb_change_type', 'ctx', n), ('skb_change_type', 'ctx', 0)))
    for pkt, name in ((PKT4, '4'), (PKT4E, '4 ect'), (PKT6, '6'), (PKT6[:30] + '2' + PKT6[31:], '6 ect'), (PKT4[:31] + '3' + PKT4[32:], '4 ce'), (ARP, 'arp')):
        out.append(case('ecn ' + name, 'cls', pkt, ('skb_ecn_set_ce', 'ctx'), ('skb_ecn_set_ce', 'ctx')))
        for stamp, clock in ((0, 0), (5, 0), (0, 1), (5, 1), (5, 2), (5, 3), (0, 2), (1 << 32, 1)): out.append(case('tstamp %s %d %d' % (name, stamp, clock), 'cls', pkt, ('skb_set_tstamp', 'ctx', stamp, clock)))
    out.append(case('hash', 'cls', PKT4, ('set_hash', 'ctx', 0x12345678), ('get_hash_recalc', 'ctx'), ('set_hash_invalid', 'ctx'), ('set_hash', 'ctx', 7), ('get_hash_recalc', 'ctx')))
    out.append(case('absent', 'cls', PKT4, ('get_cgroup_classid', 'ctx'), ('skb_cgroup_classid', 'ctx'), ('get_route_realm', 'ctx'), ('skb_get_tunnel_key', 'ctx', M(44), 44, 0), ('skb_get_tunnel_opt', 'ctx', M(8), 8), ('skb_get_xfrm_state', 'ctx', 0, M(28), 28, 0)))
    return out


def xdp_cases():
    out = []
    for off in (0, 1, 14, 59, 60, 61, 74, -1, -14, -100, -216, -217, -256, -300, 0x7fffffff, -0x80000000):
        out.append(case('adjust head %d' % off, 'xdp', PKT4, ('xdp_adjust_head', 'ctx', off & 0xffffffff), ('xdp_get_buff_len', 'ctx')))
        out.append(case('adjust tail %d' % off, 'xdp', PKT4, ('xdp_adjust_tail', 'ctx', off & 0xffffffff), ('xdp_get_buff_len', 'ctx')))
        out.append(case('adjust meta %d' % off, 'xdp', PKT4, ('xdp_adjust_meta', 'ctx', off & 0xffffffff), ('xdp_get_buff_len', 'ctx')))
    for off in (-4, -8, -32, -36, -64, -100, -128, -200, -252, -256): out.append(case('meta then head %d' % off, 'xdp', PKT4, ('xdp_adjust_meta', 'ctx', off & 0xffffffff), ('xdp_adjust_head', 'ctx', (-100) & 0xffffffff), ('xdp_adjust_meta', 'ctx', 4), ('xdp_adjust_head', 'ctx', 20)))
    for off in (100, 2000, 3000, 3445, 3446, 3447, 3500, 4096): out.append(case('tail %d' % off, 'xdp', PKT4, ('xdp_adjust_tail', 'ctx', off), ('xdp_get_buff_len', 'ctx'), ('xdp_adjust_tail', 'ctx', (-off) & 0xffffffff)))
    for off, n in ((0, 74), (0, 75), (70, 4), (70, 5), (74, 1), (0xffff, 1), (0x10000, 1)): out.append(case('xdp bytes %d %d' % (off, n), 'xdp', PKT4, ('xdp_load_bytes', 'ctx', off, M(n), n)))
    return out


def redirect_cases():
    out = []
    for flags in (0, 1, 2, 1 << 32):
        out.append(case('redirect %x' % flags, 'cls', PKT4, ('redirect', 1, flags)))
        out.append(case('redirect xdp %x' % flags, 'xdp', PKT4, ('redirect', 1, flags)))
        out.append(case('peer %x' % flags, 'cls', PKT4, ('redirect_peer', 1, flags)))
        out.append(case('neigh %x' % flags, 'cls', PKT4, ('redirect_neigh', 1, 0, 0, flags)))
        out.append(case('clone none %x' % flags, 'cls', PKT4, ('clone_redirect', 'ctx', 77, flags)))
    for n in (4, 19, 20, 24): out.append(case('neigh size %d' % n, 'cls', PKT4, ('redirect_neigh', 1, M(n, '02'), n, 0)))
    for mtu, ifindex, diff, flags in ((0, 1, 0, 0), (1000, 1, 0, 0), (65536, 1, 0, 0), (65537, 1, 0, 0), (0, 1, 65536, 0), (0, 1, 65476, 0), (0, 1, 65477, 0), (65530, 1, 6, 0), (65530, 1, 7, 0), (0, 77, 0, 0), (0, 0, 0, 0), (0, 1, 0, 1), (5, 1, 0, 1), (0, 1, 5, 1), (0, 1, 0, 2), (65537, 1, -1 & 0xffffffff, 0)):
        for type in ('cls', 'xdp'):
            if type == 'xdp' and ifindex == 0: continue
            out.append(case('mtu %s %d %d %d %d' % (type, mtu, ifindex, diff, flags), type, PKT4, ('check_mtu', 'ctx', ifindex, H(struct.pack('<I', mtu).hex()), diff, flags)))
    fib = lambda family, ifindex=1: H((struct.pack('<BBHHHI', family, 17, 0, 0, 0, ifindex) + bytes(52)).hex())
    out.append(case('fib arguments', 'xdp', PKT4, ('fib_lookup', 'ctx', fib(2), 63, 0), ('fib_lookup', 'ctx', fib(2), 64, 64), ('fib_lookup', 'ctx', fib(3), 64, 0), ('fib_lookup', 'ctx', fib(2, 77), 64, 0)))
    out.append(case('fib arguments', 'cls', PKT4, ('fib_lookup', 'ctx', fib(2), 63, 0), ('fib_lookup', 'ctx', fib(2), 64, 64), ('fib_lookup', 'ctx', fib(3), 64, 0), ('fib_lookup', 'ctx', fib(2, 77), 64, 0)))
    return out


def printed(formats):
    """What bpf_trace_printk writes: {format: text}. Arguments are the same for all."""
    os.makedirs('/tmp/hookpoint-tracefs', exist_ok=True)
    os.system('mount -t tracefs none /tmp/hookpoint-tracefs; echo > /tmp/hookpoint-tracefs/trace')
    pipe = os.open('/tmp/hookpoint-tracefs/trace_pipe', os.O_RDONLY | os.O_NONBLOCK)
    out = []
    for text, args in formats:
        data = text.encode('latin1') + b'\0'
        results, _ = Prog('xdp', [('trace_printk', [H(data.hex()), len(data), *args])]).run(bytes.fromhex(PKT4))
        try: line = os.read(pipe, 65536).decode('latin1')
        except BlockingIOError: line = ''
        out.append([text, [hex(a) if isinstance(a, int) and a >= 1 << 53 else a for a in args], results[0][0], line.split('bpf_trace_printk: ', 1)[1] if 'bpf_trace_printk: ' in line else None])
    os.close(pipe)
    os.system('umount /tmp/hookpoint-tracefs; rmdir /tmp/hookpoint-tracefs')
    return out


def print_cases():
    ip4, ip6, text = H('0a00ff01'), H('fd000000000000000000000000000102'), H(b'eth0 is up\0'.hex())
    numbers = (42, (1 << 64) - 5, 0x1234567890abcdef)
    rows = [(f, numbers) for f in ('plain', 'line\n', 'two\nlines\n', '%d %d %x', '%i|%u|%X', '%ld %ld %lx', '%lld %llu %llx', '%5d|%-5d|%05d', '%+d|% d|%+d', '%c|%c|', '%%%d%%', '%08x|%8x|%-8x|', '%3c|%-3c|', '%020ld|%20lu|%-20lx|', '%px', '%px %px', '%20px|', '%-20px|', '%020px|', '%s', '%10s|', '%pK')]
    rows += [(f, (text, text, text)) for f in ('%s', '%s|%s', '%20s|', '%-20s|', '%5s|', '%020s|', '%pks|', '%30pks|', '%pus|', '%pS', '%s%d')]
    rows += [(f, (ip4, ip4, ip4)) for f in ('%pI4', '%pi4', '%pI4|%pi4', '%20pI4|', '%-20pI4|', '%020pI4|', '%pI4:%d')]
    rows += [(f, (ip6, ip6, ip6)) for f in ('%pI6', '%pi6', '%50pI6|', '%-50pi6|')]
    return printed([r for r in rows if not (r[0] in ('%s%d', '%pI4:%d', '%pS', '%pK'))])


def string_cases():
    out = []
    texts = ['0', '12', '-12', ' 12', '\t\n 12x', '', ' ', '-', '+5', '0x1f', '0X1F', '0xg', '017', '018', '08', 'ff', '9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809',
             '18446744073709551615', '18446744073709551616', '99999999999999999999999', 'x', '12\0' + '34', '1' * 70, ' ' * 30 + '7', '--1', '- 1', '0x', '00', '-0']
    for text in texts:
        for base in (0, 8, 10, 16):
            data = text.encode('latin1')
            calls = [('strtol', H(data.hex()), len(data), base, M(8)), ('strtoul', H(data.hex()), len(data), base, M(8))] if data else []
            if calls: out.append(case('strtol %r %d' % (text, base), 'xdp', PKT4, *calls))
    for flags in (1, 2, 7, 9, 11, 15, 17, 31, 32, 42, 1 << 32): out.append(case('strtol flags %d' % flags, 'xdp', PKT4, ('strtol', S('12'), 2, flags, M(8)), ('strtoul', S('12'), 2, flags, M(8))))
    for a, b in (('abc\0', 'abc'), ('abc', 'abc'), ('abc', 'abd'), ('abd', 'abc'), ('abc', 'ab'), ('ab\0c', 'ab'), ('abc', 'abcd'), ('\xff', 'a')):
        out.append(case('strncmp %r %r' % (a, b), 'xdp', PKT4, ('strncmp', S(a), len(a.encode('latin1')), {'str': b})))
    return out


def format_cases():
    out = []
    args = u64(1, (1 << 64) - 1, 0x1234567890abcdef)
    ok = ['plain', '%d', '%i %u %x', '%ld %lu %lx', '%lld %llu %llX', '%5d|%-5d|%05d', '%+d|% d', '%c%c', '%%', '100%% %d', '%08x %8x', '%-8x|', '%3d%3d%3d', '%#x', '%s', '%p', '%px', '%pK', '%5', '%', '%h', '%hd', '%lld %d', '%llld', '%.3d', '%*d', '%z', '%f', '%d%d%d%d',
          '%da', '%sa', '%s,', '%pa', '%pI', '%pI5', '%pi', '%ps', '%pS', '%pB', '%pks', '%pus', '%pksx', '%ci', '%lc', '%ls', '\x01', 'tab\there\n', '\x7f', '\xe9', '%03c|', '%10u|', '%-10u|', '%020lx', '%1d', '%0d', '%00005d', '%- 5d', '%lX']
    for text in ok:
        out.append(case('snprintf %r' % text, 'xdp', PKT4, ('snprintf', M(64), 64, {'str': text}, H(args.hex()), 24)) if accepts(text) else None)
        data = text.encode('latin1') + b'\0'
        out.append(case('printk %r' % text, 'xdp', PKT4, ('trace_printk', H(data.hex()), len(data), 1, (1 << 64) - 1, 0x1234567890abcdef)) if '%s' not in text and 'us' not in text and 'ks' not in text and '%p' not in text else None)
    for n in (0, 4, 8, 16, 24, 96, 104): out.append(case('vprintk %d' % n, 'xdp', PKT4, ('trace_vprintk', S('%d %d\n\0'), 7, H(bytes(range(n or 8)).hex()), n)))
    for text in ('%d', '%d\0more', '%d %d %d %d\0'): out.append(case('printk %r' % text, 'xdp', PKT4, ('trace_printk', S(text), len(text), 1, 2, 3)))
    for n in (1, 2, 5, 6): out.append(case('snprintf cut %d' % n, 'xdp', PKT4, ('snprintf', M(8), n, {'str': 'ab %d'}, H(u64(123).hex()), 8)))
    out.append(case('snprintf no buffer', 'xdp', PKT4, ('snprintf', 0, 0, {'str': 'ab %d'}, H(u64(123).hex()), 8)))
    return [c for c in out if c]


def accepts(text):
    """The verifier checks a constant format itself, with the same rules."""
    try:
        case('', 'xdp', PKT4, ('snprintf', M(64), 64, {'str': text}, H(u64(1, 2, 3).hex()), 24))
        return '%s' not in text and '%p' not in text
    except AssertionError:
        return False


def u64(*n): return struct.pack('<%dQ' % len(n), *n)


def dynptr_cases():
    out = []
    d = {'stack': 16}
    for size in (0, 1, 16): out.append(case('dynptr %d' % size, 'xdp', PKT4, ('dynptr_from_mem', H('00112233445566778899aabbccddeeff'), size, 0, d), ('dynptr_read', M(4), 4, d, 0, 0), ('dynptr_read', M(4), 4, d, 12, 0), ('dynptr_read', M(4), 4, d, 13, 0), ('dynptr_read', M(4), 0, d, 16, 0), ('dynptr_read', M(4), 4, d, 0, 1), ('dynptr_write', d, 2, H('fefdfc'), 3, 0), ('dynptr_write', d, 14, H('fefdfc'), 3, 0), ('dynptr_write', d, 0, H('fefdfc'), 3, 1), ('dynptr_read', M(8), 8, d, 0, 0)))
    out.append(case('dynptr flags', 'xdp', PKT4, ('dynptr_from_mem', M(8), 8, 1, d), ('dynptr_read', M(4), 4, d, 0, 0)))
    return out


def map_cases():
    out, m = [], {'map': 0}
    k = lambda n: H(struct.pack('<I', n).hex())
    v = lambda n: H(struct.pack('<Q', n).hex())
    for type in (1, 2, 5, 6, 9, 10):
        one = [dict(type=type, key=4, value=8, entries=1000 if type in (9, 10) else 2)]
        calls = [('map_lookup_elem', m, k(1)), ('map_delete_elem', m, k(1))]
        calls += [('map_update_elem', m, k(1), v(5), f) for f in (2, 1, 1, 0, 2, 3, 4, 5, 8, 1 << 32)]
        calls += [('map_lookup_elem', m, k(1)), ('map_update_elem', m, k(0), v(5), 0), ('map_update_elem', m, k(7), v(5), 0) if type not in (9, 10) else ('map_lookup_elem', m, k(0)), ('map_lookup_elem', m, k(7)), ('map_delete_elem', m, k(1)), ('map_delete_elem', m, k(1))]
        if type in (5, 6, 10): calls += [('map_lookup_percpu_elem', m, k(0), c) for c in (0, 1, 2, 0xffffffff)] + [('map_lookup_percpu_elem', m, k(9), 0)]
        out.append(case('map %d' % type, 'xdp', PKT4, *calls, maps=one))
    lpm = lambda bits, *b: H(struct.pack('<I', bits).hex() + bytes(b).hex())
    out.append(case('lpm', 'xdp', PKT4, ('map_update_elem', m, lpm(8, 10, 0, 0, 0), v(8), 0), ('map_update_elem', m, lpm(33, 10, 0, 0, 0), v(8), 0), ('map_update_elem', m, lpm(8, 10, 0, 0, 0), v(8), 1), ('map_lookup_elem', m, lpm(32, 10, 1, 2, 3)), ('map_lookup_elem', m, lpm(32, 11, 1, 2, 3)),
                    ('map_lookup_elem', m, lpm(33, 10, 1, 2, 3)), ('map_update_elem', m, lpm(9, 10, 0, 0, 0), v(8), 0), ('map_update_elem', m, lpm(10, 10, 0, 0, 0), v(8), 0), ('map_delete_elem', m, lpm(33, 10, 0, 0, 0)), ('map_delete_elem', m, lpm(7, 10, 0, 0, 0)), ('map_delete_elem', m, lpm(8, 10, 0, 0, 0)), maps=[dict(type=11, key=8, value=8, entries=2, flags=1)]))
    for type in (22, 23):
        calls = [('map_pop_elem', m, M(8)), ('map_peek_elem', m, M(8))] + [('map_push_elem', m, v(n), f) for n, f in ((1, 0), (2, 0), (3, 0), (4, 1), (5, 3), (6, 4), (7, 2), (8, 1 << 32))]
        out.append(case('queue %d' % type, 'xdp', PKT4, *calls, ('map_peek_elem', m, M(8)), ('map_pop_elem', m, M(8)), ('map_pop_elem', m, M(8)), ('map_pop_elem', m, M(8)), maps=[dict(type=type, key=0, value=8, entries=2)]))
    out.append(case('bloom', 'xdp', PKT4, ('map_peek_elem', m, v(1)), ('map_push_elem', m, v(1), 0), ('map_push_elem', m, v(2), 1), ('map_push_elem', m, v(2), 2), ('map_peek_elem', m, v(1)), ('map_peek_elem', m, v(2)), maps=[dict(type=30, key=0, value=8, entries=100)]))
    for type in (14, 25):
        dev = [dict(type=type, key=4, value=4, entries=4, init=[['02000000', '01000000']])]
        calls = [('redirect_map', m, n, f) for n in (2, 1, 9) for f in (0, 1, 2, 3, 4, 8, 16, 24, 25, 32, 1 << 32)] + [('map_lookup_elem', m, k(2)), ('map_lookup_elem', m, k(1))]
        out.append(case('devmap %d' % type, 'xdp', PKT4, *calls, maps=dev))
    cpu = [dict(type=16, key=4, value=4, entries=2, init=[['01000000', '08000000']])]
    out.append(case('cpumap', 'xdp', PKT4, *[('redirect_map', m, n, f) for n in (1, 0, 9) for f in (0, 1, 3, 4, 8, 16)], maps=cpu))
    out.append(case('xskmap', 'xdp', PKT4, *[('redirect_map', m, n, f) for n in (1, 9) for f in (0, 1, 3, 4, 8, 16)], maps=[dict(type=17, key=4, value=4, entries=2)]))
    ring = [dict(type=27, key=0, value=0, entries=4096)]
    calls = [('ringbuf_query', m, n) for n in (0, 1, 2, 3, 4)] + [('ringbuf_output', m, M(n), n, f) for n, f in ((8, 0), (1, 1), (16, 2), (8, 4), (8, 1 << 32), (4000, 0), (4096, 0))] + [('ringbuf_query', m, n) for n in (0, 1, 2, 3, 4)] + [('ringbuf_output', m, M(4), 0, 0), ('ringbuf_output', m, M(3000), 3000, 0), ('ringbuf_output', m, M(992), 992, 0), ('ringbuf_query', m, 0)]
    out.append(case('ringbuf', 'xdp', PKT4, *calls, maps=ring))
    out.append(case('ringbuf to the brim', 'xdp', PKT4, ('ringbuf_output', m, M(2000), 2000, 0), ('ringbuf_output', m, M(2072), 2072, 0), ('ringbuf_query', m, 3), ('ringbuf_output', m, M(2064), 2064, 0), ('ringbuf_query', m, 3), maps=ring))
    perf = [dict(type=4, key=4, value=4, entries=1)]
    for type in ('cls', 'xdp'):
        out.append(case('perf ' + type, type, PKT4, *[('perf_event_output', 'ctx', m, f, M(4), 4) for f in (1, 5, 0xfffffffe, 1 << 52, 1 << 63, 75 << 32 | 1, 74 << 32 | 1)], maps=perf))
    return out


def main():
    os.makedirs(OUT, exist_ok=True)
    assert libc.unshare(0x40000000) == 0
    os.system('ip link set lo up')
    cases = bytes_cases() + csum_cases() + room_cases() + meta_cases() + xdp_cases() + redirect_cases() + string_cases() + format_cases() + dynptr_cases() + map_cases()
    with open(os.path.join(OUT, 'calls.json'), 'w') as f:
        f.write('[\n' + ',\n'.join(json.dumps(c, separators=(',', ':')) for c in cases) + '\n]\n')
    prints = print_cases()
    with open(os.path.join(OUT, 'printk.json'), 'w') as f:
        f.write('[\n' + ',\n'.join(json.dumps(p) for p in prints) + '\n]\n')
    print(len(cases), 'cases', sum(len(c['calls']) for c in cases), 'calls')


main()
