// XDP verdicts, redirects, generic mode, clsact redirects and ifb, VLAN tags, captures and traces on the way of a packet.
import t from 'tap'
import { XDP_CTX } from '../../pkg/hook/xdp.js'
import { BPF_CB, SKB, XDP_BUFF, XDP_RXQ } from '../../pkg/skb/layout.js'
import { MAP_TYPE, PROG_TYPE, TC_ACT, XDP } from '../../pkg/uapi/bpf.js'
import { answer, Machine, TestHost, udp } from './machine.js'

const ADD = { create: true, excl: true, replace: false }

function pair(m: Machine, name: string): void {
  m.net.linkNew({ kind: 'veth', name, up: true, peer: { name: `${name}p`, up: true } })
}

const xdp = (m: Machine, dev: string, run: (ctx: number) => number, mode: 'drv' | 'skb' = 'drv'): void =>
  m.net.linkSet({ dev, xdp: { progId: m.host.load(PROG_TYPE.XDP, run), mode } })

function cls(m: Machine, dev: string, parent: number, run: (skb: number) => number): void {
  if (!m.net.qdiscGet({ dev }).some((q) => q.kind === 'clsact')) {
    m.net.qdiscNew({ dev, kind: 'clsact', handle: 0xffff0000, parent: 0xfffffff1, ...ADD })
  }
  const progId = m.host.load(PROG_TYPE.SCHED_CLS, run)
  m.net.filterNew({ dev, parent, kind: 'bpf', options: { progId, name: 'x', directAction: true }, ...ADD })
}

const INGRESS = 0xfffffff2
const EGRESS = 0xfffffff3

const redirectTo = (m: Machine, ifindex: number, flags = 0): void => void Object.assign(m.host.note, { kind: 1, ifindex, flags })
const viaMap = (m: Machine, words: object): void => void Object.assign(m.host.note, { kind: 2, mapId: 1, flags: 0, progId: 0, ...words })

for (const mode of ['drv', 'skb'] as const) {
  t.test(`${mode}: verdicts`, async (t) => {
    const m = new Machine()
    let verdict: number = XDP.PASS
    xdp(m, 'eth1', () => verdict, mode)
    const rx = () => m.send('eth1', 'rx', [udp(), udp()])
    t.match(rx(), { delivered: 2, dropped: {} })
    verdict = XDP.DROP
    t.match(rx(), { delivered: 0, dropped: { XDP_DROP: 2 } })
    verdict = XDP.ABORTED
    t.match(rx(), { dropped: { XDP_ABORTED: 2 } })
    verdict = 77
    t.match(rx(), { dropped: { XDP_ABORTED: 2 } })
    t.equal(m.host.logs.at(-1), 'Illegal XDP return value 77, expect packet loss!')
    verdict = XDP.TX
    // A generic program transmits past the qdisc: the driver's ring takes one frame, the other is lost.
    t.match(rx(), mode === 'drv' ? { transmitted: 2 } : { transmitted: 1, dropped: { XDP_TX_ERROR: 1 } })
  })

  t.test(`${mode}: what the program sees and changes`, async (t) => {
    const m = new Machine()
    const { u32, u8 } = m.host.mem
    const seen: number[] = []
    xdp(m, 'eth1', () => {
      const at = (field: number): number => u32[(XDP_CTX + field) >> 2]!
      const data = at(XDP_BUFF.data)
      seen.push(at(XDP_BUFF.data_end) - data, at(XDP_BUFF.data_meta) - data, data - at(XDP_BUFF.data_hard_start), at(XDP_BUFF.frame_sz))
      seen.push(u32[(at(XDP_BUFF.rxq) + XDP_RXQ.queue_index) >> 2]!)
      u8.copyWithin(data + 4, data, data + 12)
      u32[(XDP_CTX + XDP_BUFF.data) >> 2] = data + 4
      u32[(XDP_CTX + XDP_BUFF.data_end) >> 2]! -= 10
      return XDP.PASS
    }, mode)
    m.send('eth1', 'rx', [{ bytes: udp({ len: 100, vlan: 5 }), rxQueue: 2 }])
    t.strictSame(seen, [100, 0, 256, 4096, 2])
    const [frame] = m.net.wireTake({ dev: 'eth1', from: 'stack' })
    t.strictSame([frame!.bytes.length, frame!.bytes.subarray(0, 14)], [86, udp().subarray(0, 14)], 'tag cut out, end cut off')
  })
}

t.test('native programs on veth run on what the peer sends; TX goes back', async (t) => {
  const m = new Machine()
  pair(m, 'v')
  xdp(m, 'vp', () => XDP.TX)
  t.match(m.send('v', 'tx', [udp(), udp()]), { delivered: 2, dropped: {} })
  t.match([m.link('vp').stats, m.link('v').stats], [{ rxPackets: 2, txPackets: 2 }, { rxPackets: 2, txPackets: 2 }])
})

t.test('XDP_REDIRECT: ifindex, devmap with a program, cpumap, nowhere', async (t) => {
  const m = new Machine()
  const { ifindex } = m.link('eth0')
  let act = (): void => redirectTo(m, ifindex)
  xdp(m, 'eth1', () => (act(), XDP.REDIRECT))
  const rx = () => m.send('eth1', 'rx', Array.from({ length: 100 }, () => udp()))
  t.match(rx(), { transmitted: 100, delivered: 0 })
  t.match(m.link('eth0').stats, { txPackets: 100 })
  t.equal(m.net.qdiscGet({ dev: 'eth0' })[0]!.stats.packets, 0, 'past the qdisc')
  act = () => redirectTo(m, 99)
  t.match(rx(), { dropped: { XDP_REDIRECT_ERROR: 100 } })
  const entry = m.host.load(PROG_TYPE.XDP, () => XDP.DROP)
  act = () => viaMap(m, { mapType: MAP_TYPE.DEVMAP, ifindex, progId: entry })
  t.match(rx(), { dropped: { XDP_DROP: 100 } })
  const cpus: number[] = []
  const onCpu = m.host.load(PROG_TYPE.XDP, () => (cpus.push(m.host.cpu), XDP.PASS))
  act = () => viaMap(m, { mapType: MAP_TYPE.CPUMAP, index: 3, progId: onCpu })
  t.match(rx(), { delivered: 100 })
  t.strictSame(new Set(cpus), new Set([3]))
})

t.test('generic XDP_REDIRECT: devmap with a program, cpumap, nowhere', async (t) => {
  const m = new Machine()
  pair(m, 'v')
  const { ifindex } = m.link('v')
  let act = (): void => viaMap(m, { mapType: MAP_TYPE.DEVMAP, ifindex })
  let runs = 0
  xdp(m, 'eth1', () => ((runs += 1), act(), XDP.REDIRECT), 'skb')
  t.match(m.send('eth1', 'rx', [udp(), udp()]), { delivered: 2 })
  t.match(m.link('vp').stats, { rxPackets: 2 })
  const cpus: number[] = []
  const onCpu = m.host.load(PROG_TYPE.XDP, () => (cpus.push(m.host.cpu), XDP.PASS))
  act = () => viaMap(m, { mapType: MAP_TYPE.CPUMAP, index: 2, progId: onCpu })
  t.match(m.send('eth1', 'rx', [udp()]), { delivered: 1 })
  t.strictSame([cpus, runs], [[2], 3])
  act = () => viaMap(m, { mapType: MAP_TYPE.XSKMAP })
  t.match(m.send('eth1', 'rx', [udp()]), { dropped: { XDP_REDIRECT_ERROR: 1 } })
})

t.test('a devmap broadcast copies the frame', async (t) => {
  class Host extends TestHost {
    devmapTargets() {
      return [2, 3].map((ifindex) => ({ ifindex, progId: 0 }))
    }
  }
  const m = new Machine(false, new Host())
  xdp(m, 'eth1', () => (viaMap(m, { mapType: MAP_TYPE.DEVMAP, flags: 8 }), XDP.REDIRECT))
  t.match(m.send('eth1', 'rx', [udp()]), { frames: 1, transmitted: 2 })
  xdp(m, 'eth1', () => (viaMap(m, { mapType: MAP_TYPE.DEVMAP, flags: 24 }), XDP.REDIRECT))
  t.match(m.send('eth1', 'rx', [udp()]), { transmitted: 1 })
  t.equal(m.net.skbs.held, 0)
})

t.test('clsact redirects to another device, and to its ingress', async (t) => {
  const m = new Machine()
  const { ifindex } = m.link('eth0')
  let flags = 0
  cls(m, 'eth1', INGRESS, () => (redirectTo(m, ifindex, flags), TC_ACT.REDIRECT))
  const sent = udp({ len: 80 })
  t.match(m.send('eth1', 'rx', [sent]), { transmitted: 1, delivered: 0 })
  t.strictSame(m.net.wireTake({ dev: 'eth0', from: 'tx' })[0]!.bytes, sent)
  flags = 1
  t.match(m.send('eth1', 'rx', [sent]), { delivered: 1 })
  t.strictSame(m.net.wireTake({ dev: 'eth0', from: 'stack' })[0]!.bytes, sent)
  pair(m, 'v')
  pair(m, 'w')
  const peer = m.link('v').ifindex
  cls(m, 'w', INGRESS, () => (Object.assign(m.host.note, { kind: 3, ifindex: peer }), TC_ACT.REDIRECT))
  t.match(m.send('w', 'rx', [sent]), { delivered: 1 }, 'redirect_peer: into the other end')
  t.equal(m.net.wireTake({ dev: 'vp', from: 'stack' }).length, 1)
  cls(m, 'vp', INGRESS, () => (Object.assign(m.host.note, { kind: 3, ifindex: peer }), TC_ACT.REDIRECT))
  t.match(m.send('w', 'rx', [sent]), { dropped: { RECURSION_LIMIT: 1 } }, 'to itself')
  cls(m, 'wp', INGRESS, () => (Object.assign(m.host.note, { kind: 4, ifindex }), TC_ACT.REDIRECT))
  t.match(m.send('wp', 'rx', [sent]), { dropped: { NEIGH_FAILED: 1 } })
  cls(m, 'eth0', EGRESS, () => (redirectTo(m, ifindex), TC_ACT.REDIRECT))
  t.match(m.send('eth0', 'tx', [sent]), { dropped: { RECURSION_LIMIT: 1 } })
})

t.test('ifb: ingress shaped by a queue, then back; anything else it drops', async (t) => {
  const m = new Machine()
  const { ifindex } = m.net.linkNew({ kind: 'ifb', name: 'ifb0', up: true })
  cls(m, 'eth1', INGRESS, () => (redirectTo(m, ifindex), TC_ACT.REDIRECT))
  t.match(m.send('eth1', 'rx', [udp(), udp()]), { delivered: 2 })
  t.match(m.net.qdiscGet({ dev: 'ifb0' })[0], { kind: 'pfifo_fast', stats: { packets: 2 } })
  t.match(m.send('ifb0', 'tx', [udp()]), { delivered: 0, dropped: { NOT_SPECIFIED: 1 } })
})

t.test('VLAN: filters see the tag in the skb, receivers and wires see it in the frame', async (t) => {
  const m = new Machine()
  pair(m, 'v')
  const { u16 } = m.host.mem
  const seen: number[] = []
  cls(m, 'vp', INGRESS, (skb) => {
    seen.push(u16[(skb + SKB.vlan_tci) >> 1]!, u16[(skb + SKB.vlan_proto) >> 1]!, u16[(skb + SKB.protocol) >> 1]!)
    redirectTo(m, 2)
    return TC_ACT.REDIRECT
  })
  const tagged = udp({ len: 90, vlan: 0x2005 })
  m.send('v', 'tx', [tagged])
  t.strictSame(seen, [0x2005, 0x0081, 0x0008])
  t.strictSame(m.net.wireTake({ dev: 'eth0', from: 'tx' })[0]!.bytes, tagged)
})

t.test('metadata that XDP leaves is there for the classifier', async (t) => {
  const m = new Machine()
  const { u32 } = m.host.mem
  xdp(m, 'eth1', () => {
    u32[(XDP_CTX + XDP_BUFF.data_meta) >> 2]! -= 8
    u32[u32[(XDP_CTX + XDP_BUFF.data_meta) >> 2]! >> 2] = 4242
    return XDP.PASS
  })
  const seen: number[] = []
  cls(m, 'eth1', INGRESS, (skb) => {
    const meta = u32[(skb + SKB.cb + BPF_CB.data_meta) >> 2]!
    seen.push(u32[(skb + SKB.data) >> 2]! - meta, u32[meta >> 2]!)
    return TC_ACT.OK
  })
  m.send('eth1', 'rx', [udp()])
  t.strictSame(seen, [8, 4242])
})

t.test('a tun device carries packets without a link header; the wire sees frames', async (t) => {
  const m = new Machine()
  m.net.tunAdd({ name: 'tun0', mode: 'tun' })
  m.net.linkSet({ dev: 'tun0', up: true })
  m.net.wireCaptureAdd({ dev: 'tun0', direction: 'all', file: 'f' })
  t.match(m.send('tun0', 'tx', [udp({ len: 100 })]), { transmitted: 1 })
  t.match(m.link('tun0').stats, { txBytes: 86 })
  t.match(m.send('tun0', 'rx', [udp({ len: 100 })]), { delivered: 1 })
  t.strictSame(m.host.captured.map(({ frame }) => [frame.length, frame[12], frame[14]]), [[100, 8, 0x45], [100, 8, 0x45]])
})

t.test('bpf_clone_redirect sends a copy, the packet goes on', async (t) => {
  const m = new Machine()
  cls(m, 'eth1', INGRESS, (skb) => (m.net.cloneRedirect(m.net.skbs.copy(skb), 2, 0), TC_ACT.OK))
  t.match(m.send('eth1', 'rx', [udp()]), { frames: 1, transmitted: 1, delivered: 1 })
})

t.test('captures record what passes, with its time; they last across processes', async (t) => {
  const m = new Machine()
  m.net.wireSet({ dev: 'eth0', rate: 8_000_000 })
  m.net.wireCaptureAdd({ dev: 'eth0', direction: 'tx', file: '/tmp/a.pcap' })
  m.net.wireCaptureAdd({ dev: 'eth0', direction: 'all', file: '/tmp/b.pcap' })
  m.reboot()
  m.send('eth0', 'tx', [udp({ len: 1000 }), udp({ len: 500 })])
  m.send('eth0', 'rx', [udp()])
  t.strictSame(m.host.captured.filter(({ file }) => file === '/tmp/a.pcap').map(({ at, frame }) => [at, frame.length]), [[0, 1000], [1e6, 500]])
  t.match(m.net.wireCaptureShow({}), [{ dev: 'eth0', direction: 'tx', packets: 2 }, { direction: 'all', packets: 3 }])
  m.net.wireCaptureDel({ dev: 'eth0', file: '/tmp/a.pcap' })
  t.equal(m.net.wireCaptureShow({ dev: 'eth0' }).length, 1)
})

t.test('a trace names every step', async (t) => {
  const m = new Machine()
  pair(m, 'v')
  const { trace } = m.send('v', 'tx', [udp()], { trace: true })
  t.strictSame(trace!.map(({ dev, hook, text }) => `${dev} ${hook}: ${text}`), [
    'v socket: len 60 cpu 0', 'v queue: tx-0 qdisc noqueue', 'v xmit: tx-0 len 60', 'vp stack: delivered',
  ])
  t.equal(m.send('v', 'tx', [udp()]).trace, undefined)
})

t.test('frames that can not pass: too long, too many, to a device that is down', async (t) => {
  const m = new Machine()
  pair(m, 'v')
  t.match(m.send('v', 'tx', [udp({ len: 1600 })]), { dropped: { PKT_TOO_BIG: 1 } })
  m.net.linkSet({ dev: 'eth1', up: false })
  t.match(m.send('eth1', 'rx', [udp()]), { delivered: 0, dropped: { DEV_READY: 1 } })
  t.match(m.send('eth1', 'tx', [udp()]), { dropped: { DEV_READY: 1 } })
  m.tap('tap0', 1)
  t.match(m.send('tap0', 'rx', [new Uint8Array(5)]), { delivered: 1 }, 'a runt is somebody else\'s problem')
})

t.test('a request is refused as a whole', async (t) => {
  const m = new Machine()
  t.equal(answer(() => m.send('eth1', 'rx', [{}, { rxQueue: 4 }])), 'EINVAL eth1 has 4 receive queues')
  t.equal(answer(() => m.send('eth1', 'rx', [udp()], { cpu: 4 })), 'EINVAL there are CPUs 0 to 3')
  t.equal(answer(() => m.send('nope', 'rx', [udp()])), 'ENODEV')
  t.equal(answer(() => m.send('eth1', 'tx', [{ at: 5 }, { at: 4 }])), 'EINVAL frames are not in ascending order of time')
  t.equal(answer(() => m.send('eth1', 'tx', [{ at: NaN }])), 'EINVAL frames are not in ascending order of time')
  for (const ns of [-1, NaN, Infinity, 1e300]) t.equal(answer(() => m.net.wireRun({ for: ns })), 'EINVAL')
  for (const words of [{ rate: -1 }, { rate: NaN }, { ring: 0 }, { latency: -5 }]) t.equal(answer(() => m.net.wireSet({ dev: 'eth0', ...words })), 'EINVAL')
  t.match(m.net.wireShow({}).total, { frames: 0, now: 0 })
})
