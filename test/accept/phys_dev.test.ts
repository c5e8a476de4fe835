// The early driver filter from a user's chair: every test of the proposal's description, in both engines.
import t, { type Test } from 'tap'
import { readFileSync } from 'node:fs'
import { KernelError } from '../../pkg/bytes/errors.js'
import { asm } from '../../pkg/insn/asm.js'
import { frame, openMachine, type Machine } from '../../pkg/index.js'
import { MAP_TYPE, PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { EACCES, EBADF, EINVAL, EOPNOTSUPP } from '../../pkg/uapi/errno.js'
import { RFC_PROG_TYPE } from '../../pkg/uapi/rfc.js'
import { root } from '../support/root.js'

const object = (name: string): Uint8Array => readFileSync(root('fixtures', 'obj', name))

function load(m: Machine, text: string, more: { dialect?: string; maps?: Record<string, number>; type?: number; license?: string } = {}): number {
  const { maps = {}, type = RFC_PROG_TYPE.PHYS_DEV, license = 'GPL', dialect } = more
  return m.bpf('prog.load', { type, insns: asm(text, { maps }), license, logLevel: 1, ...(dialect === undefined ? {} : { dialect }) }).id
}

function refusal(work: () => unknown): KernelError | undefined {
  try {
    work()
  } catch (error) {
    if (error instanceof KernelError) return error
    throw error
  }
  return undefined
}

const errno = (work: () => unknown): number => refusal(work)?.errno ?? 0

const attach = (m: Machine, progId: number, dev = 'eth0'): void => m.rtnl('link.set', { dev, physDev: { progId } })
const stats = (m: Machine, dev = 'eth0') => m.rtnl('link.get', { dev })[0]!.physDev!.stats
const udp = frame('eth_type ipv4 ip_proto udp dst_port 7 len 60')
const tcp = frame('eth_type ipv4 ip_proto tcp dst_port 80 len 60')
const icmp = frame('eth_type ipv4 ip_proto icmp len 60')
const times = (n: number, packet: Uint8Array): Uint8Array[] => Array.from({ length: n }, () => packet)
const cut = (packet: Uint8Array, len: number): Uint8Array => {
  const out = new Uint8Array(len)
  out.set(packet.subarray(0, len))
  return out
}

/** A per-CPU long: the sum over the CPUs. */
function counter(m: Machine, mapId: number, index: number): number {
  const key = new Uint8Array(4)
  key[0] = index
  const value = m.bpf('map.lookup', { mapId, key })
  const view = new DataView(value.buffer, value.byteOffset)
  let sum = 0
  for (let at = 0; at < value.length; at += 8) sum += view.getUint32(at, true)
  return sum
}

const OPS: readonly [string, (t: Test, m: Machine) => void][] = [
  ['drop counter', (t, m) => {
    const { progs, maps } = m.load(object('legacy_maps.o'))
    attach(m, progs['bpf_prog1']!)
    const sent = m.send('eth0', 'rx', ...times(10, udp), ...times(5, tcp), ...times(2, icmp))
    t.equal(sent.delivered, 0)
    t.strictSame(sent.dropped, { PHYS_DEV_DROP: 17 })
    t.strictSame([17, 6, 1].map((index) => counter(m, maps['dropcnt']!, index)), [10, 5, 2])
    const link = m.rtnl('link.get', { dev: 'eth0' })[0]!
    t.match(link.stats, { rxDropped: 17, rxPackets: 0, rxBytes: 0 })
    t.strictSame(stats(m), { runs: 17, drops: 17, passes: 0, aborts: 0, invalids: 0 })
  }],
  ['length', (t, m) => {
    attach(m, load(m, 'r0 = 0\n r1 = *(u32 *)(r1 +0)\n if r1 < 100 goto out\n r0 = 1\n out: exit', { dialect: 'physdev2' }))
    const sent = m.send('eth0', 'rx', cut(udp, 99), cut(udp, 100), cut(udp, 101))
    t.equal(sent.delivered, 2)
    t.match(stats(m), { runs: 3, passes: 2, drops: 1 })
  }],
  ['a load past the end', (t, m) => {
    const text = 'r6 = r1\n r0 = *(u8 *)skb[23]\n r0 = 1\n exit'
    attach(m, load(m, text))
    t.equal(m.send('eth0', 'rx', cut(udp, 13)).delivered, 1, 'v1 passes')
    t.match(stats(m), { passes: 1, aborts: 1 })
    attach(m, load(m, text, { dialect: 'physdev2' }))
    t.equal(m.send('eth0', 'rx', cut(udp, 13)).delivered, 0, 'v2 drops')
    t.match(stats(m), { drops: 1, aborts: 1 })
  }],
  ['loads are in host order', (t, m) => {
    const prog = load(m, 'r6 = r1\n r0 = *(u16 *)skb[12]\n exit')
    t.equal(m.run(prog, udp).retval, 0x0800)
    t.equal(m.run(load(m, 'r6 = r1\n r0 = *(u32 *)skb[26]\n exit'), udp).retval, 0xc0000201)
    t.equal(m.run(load(m, 'r6 = r1\n r7 = 3\n r0 = *(u16 *)skb[r7 + 9]\n exit'), udp).retval, 0x0800)
  }],
  ['negative offsets', (t, m) => {
    const at = (offset: number, size = 32): number => m.run(load(m, `r6 = r1\n r0 = *(u${size} *)skb[${offset}]\n exit`), udp).retval
    t.equal(at(-0x200000 + 12, 16), 0x0800, 'the link header is the frame')
    t.equal(at(-0x100000), 0, 'no network header yet')
    for (const unknown of [0, 4, 8, 20, 28, 32, 44]) t.equal(at(-0x1000 + unknown), 0, `ancillary ${unknown}`)
    t.equal(at(-0x1000 + 36), 0, 'this CPU')
    t.not(at(-0x1000 + 56), 0, 'a random number')
  }],
  ['the verifier', (t, m) => {
    t.equal(errno(() => load(m, 'r0 = *(u32 *)(r1 +4)\n exit')), EACCES)
    t.equal(errno(() => load(m, 'r0 = *(u8 *)(r1 +0)\n exit')), EACCES)
    t.equal(errno(() => load(m, 'r0 = 0\n *(u32 *)(r1 +0) = r0\n exit')), EACCES)
    t.equal(errno(() => load(m, 'r6 = r1\n r6 = 0\n r0 = *(u8 *)skb[0]\n exit')), EINVAL)
    const store = 'r2 = 0\n r3 = r10\n r3 += -8\n *(u64 *)(r10 -8) = 0\n r4 = 1\n r5 = 0\n call 9\n r0 = 0\n exit'
    t.match(refusal(() => load(m, store)), { errno: EINVAL, log: /program of this type cannot use helper bpf_skb_store_bytes#9/ })
    const print = '*(u64 *)(r10 -8) = 0\n r1 = r10\n r1 += -8\n r2 = 8\n call 6\n r0 = 0\n exit'
    t.equal(errno(() => load(m, print, { license: 'BSD' })), EINVAL, 'trace_printk is for GPL programs')
    t.ok(load(m, print))
    t.ok(load(m, 'call 7\n call 8\n call 5\n r0 = 0\n exit', { license: 'BSD' }))
  }],
  ['verdicts are inverted', (t, m) => {
    for (const [dialect, delivered] of [['physdev1', 0], ['physdev2', 1], [undefined, 0]] as const) {
      attach(m, load(m, 'r0 = 1\n exit', dialect === undefined ? {} : { dialect }))
      t.equal(m.send('eth0', 'rx', udp).delivered, delivered, dialect ?? 'nothing said: v1')
    }
    attach(m, load(m, 'r0 = 2\n exit', { dialect: 'physdev2' }))
    t.equal(m.send('eth0', 'rx', udp, udp).delivered, 0)
    t.strictSame(stats(m), { runs: 2, drops: 0, passes: 0, aborts: 0, invalids: 2 })
  }],
  ['objects say which', (t, m) => {
    const { progs } = m.load(object('phys_dev_v1.o'))
    attach(m, progs['drop_udp']!)
    t.equal(m.send('eth0', 'rx', udp, tcp, icmp, cut(icmp, 59)).delivered, 2)
    t.match(m.bpf('prog.info', { id: progs['drop_udp']! }), { type: RFC_PROG_TYPE.PHYS_DEV, name: 'drop_udp' })
  }],
  ['before XDP', (t, m) => {
    const { progs } = m.load(object('phys_dev_v1.o'))
    attach(m, progs['drop_udp']!)
    const counted = m.bpf('map.create', { type: MAP_TYPE.ARRAY, keySize: 4, valueSize: 8, maxEntries: 1 }).id
    const xdp = load(m, `*(u32 *)(r10 -4) = 0
      r2 = r10
      r2 += -4
      r1 = map[n]
      call 1
      if r0 == 0 goto out
      r1 = 1
      lock *(u64 *)(r0 +0) += r1
      out: r0 = 2
      exit`, { type: PROG_TYPE.XDP, maps: { n: counted } })
    for (const mode of ['drv', 'skb'] as const) {
      m.rtnl('link.set', { dev: 'eth0', xdp: { progId: xdp, mode } })
      t.equal(m.send('eth0', 'rx', ...times(3, udp), ...times(4, tcp)).delivered, 4, mode)
      m.rtnl('link.set', { dev: 'eth0', xdp: { progId: -1, mode } })
    }
    t.equal(m.bpf('map.lookup', { mapId: counted, key: new Uint8Array(4) })[0], 8, 'XDP saw the survivors only')
  }],
  ['attaching', (t, m) => {
    const pass = load(m, 'r0 = 0\n exit')
    t.equal(errno(() => attach(m, load(m, 'r0 = 0\n exit', { type: PROG_TYPE.SOCKET_FILTER }))), EINVAL)
    t.equal(errno(() => attach(m, load(m, 'r0 = 2\n exit', { type: PROG_TYPE.XDP }))), EINVAL)
    t.equal(errno(() => attach(m, 12345)), EBADF)
    t.equal(errno(() => attach(m, pass, 'lo')), EOPNOTSUPP)
    t.equal(errno(() => attach(m, -1)), 0, 'none was attached')
    m.rtnl('link.set', { dev: 'eth0', mtu: 4000 })
    t.equal(errno(() => attach(m, pass)), EOPNOTSUPP)
    m.rtnl('link.set', { dev: 'eth0', mtu: 1500 })
    attach(m, pass)
    t.equal(errno(() => m.rtnl('link.set', { dev: 'eth0', mtu: 4000 })), EOPNOTSUPP)
    m.rtnl('link.set', { dev: 'eth0', up: false })
    m.rtnl('link.set', { dev: 'eth0', up: true })
    t.equal(m.rtnl('link.get', { dev: 'eth0' })[0]!.physDev!.prog.id, pass, 'kept across down and up')
    attach(m, -1)
    t.equal(m.rtnl('link.get', { dev: 'eth0' })[0]!.physDev, undefined)
  }],
  ['veth and tap', (t, m) => {
    const drop = load(m, 'r0 = 1\n exit')
    m.rtnl('link.new', { kind: 'veth', name: 'v0', up: true, peer: { name: 'v1', up: true } })
    m.rtnl('tun.add', { name: 'tap0', mode: 'tap' })
    m.rtnl('tun.add', { name: 'tun0', mode: 'tun' })
    m.rtnl('link.set', { dev: 'tap0', up: true })
    attach(m, drop, 'v1')
    attach(m, drop, 'tap0')
    t.equal(errno(() => attach(m, drop, 'tun0')), EOPNOTSUPP, 'frames of a tun device have no Ethernet header')
    t.strictSame(m.send('v0', 'tx', udp).dropped, { PHYS_DEV_DROP: 1 })
    t.strictSame(m.send('tap0', 'rx', udp).dropped, { PHYS_DEV_DROP: 1 })
    m.rtnl('link.del', { dev: 'v0' })
    t.equal(stats(m, 'tap0').drops, 1)
  }],
  ['a chain of tail calls', (t, m) => {
    const programs = m.bpf('map.create', { type: MAP_TYPE.PROG_ARRAY, keySize: 4, valueSize: 4, maxEntries: 1 }).id
    const first = load(m, 'r6 = r1\n r2 = map[p]\n r3 = 0\n call 12\n r0 = 0\n exit', { maps: { p: programs } })
    const second = load(m, 'r6 = r1\n r0 = *(u8 *)skb[23]\n if r0 == 17 goto drop\n r0 = 0\n exit\n drop: r0 = 1\n exit')
    attach(m, first)
    t.equal(m.send('eth0', 'rx', udp, tcp).delivered, 2, 'an empty slot')
    const value = new Uint8Array(4)
    new DataView(value.buffer).setUint32(0, second, true)
    m.bpf('map.update', { mapId: programs, key: new Uint8Array(4), value })
    t.equal(m.send('eth0', 'rx', udp, tcp).delivered, 1)
  }],
  ['replacing under traffic', (t, m) => {
    const ids = [0, 1].map(() => load(m, 'r0 = 1\n exit'))
    let seen = 0
    for (let i = 0; i < 20; i += 1) {
      attach(m, ids[i % 2]!)
      t.equal(m.send('eth0', 'rx', udp, tcp).delivered, 0)
      seen += stats(m).runs
    }
    t.equal(seen, 40, 'no frame saw neither program')
  }],
  ['a test run', (t, m) => {
    const prog = load(m, 'r0 = 4711\n exit', { dialect: 'physdev2' })
    const { retval, dataOut } = m.run(prog, tcp)
    t.equal(retval, 4711)
    t.strictSame(dataOut, tcp)
    t.equal(errno(() => m.run(prog, new Uint8Array(13))), EINVAL)
  }],
]

for (const jit of [true, false]) {
  t.test(jit ? 'in the JIT' : 'in the interpreter', async (t) => {
    for (const [name, test] of OPS) {
      t.test(name, async (t) => {
        const m = openMachine({ jit })
        test(t, m)
        m.close()
      })
    }
  })
}

t.test('strict: drivers of software devices have no entry', async (t) => {
  const m = openMachine({ strict: true })
  m.rtnl('link.new', { kind: 'veth', name: 'v0', up: true, peer: { name: 'v1', up: true } })
  t.equal(errno(() => attach(m, load(m, 'r0 = 0\n exit'), 'v0')), EOPNOTSUPP)
  attach(m, load(m, 'r0 = 0\n exit'), 'eth0')
  m.close()
})

t.test('the next process goes on', async (t) => {
  const dir = t.testdir()
  let m = openMachine({ dir })
  attach(m, load(m, 'r0 = 1\n exit'))
  m.send('eth0', 'rx', udp)
  m.commit()
  m.close()
  m = openMachine({ dir })
  m.send('eth0', 'rx', udp)
  t.match(stats(m), { runs: 2, drops: 2 })
  m.close()
})
