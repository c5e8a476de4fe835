// Schedulers over PIFO maps, as a harness drives them (live frames in, test runs out), and a forwarder from one capture to another: order and times.
import t, { type Test } from 'tap'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildPacket, readCapture } from '../../pkg/packet/index.js'
import { openMachine, type Machine } from '../../pkg/index.js'
import { RFC_MAP_TYPE } from '../../pkg/uapi/rfc.js'
import { root } from '../support/root.js'

const object = (name: string): Uint8Array => readFileSync(root('fixtures', 'obj', name))
const LIVE = 2
const u32 = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)

type Scheduler = { put(port: number, n: number, len?: number): void; take(): string | undefined; weigh(port: number, weight: number): void }

/** Packets are known by their flow's port and a number in the payload. */
function scheduler(m: Machine, name: string): Scheduler {
  const { progs, maps } = m.load(object('pifo_sched.o'))
  const [queue, take] = [progs[`${name}_queue`]!, progs[`${name}_take`]!]
  return {
    weigh: (port, weight) => m.bpf('map.update', { mapId: maps['flows']!, key: u32(port), value: u32(0, 0, weight, 0) }),
    put(port, n, len = 100) {
      const bytes = buildPacket({ src_ip: new Uint8Array(16).fill(1), dst_ip: new Uint8Array(16).fill(2), ip_proto: 17, dst_port: port, len })
      bytes[62] = n >> 8
      bytes[63] = n & 255
      m.bpf('prog.test_run', { progId: queue, dataIn: bytes, flags: LIVE })
    },
    take() {
      const { retval, dataOut } = m.bpf('prog.test_run', { progId: take })
      return retval === 0 ? undefined : `f${(dataOut![56]! << 8 | dataOut![57]!) % 1000}#${dataOut![62]! << 8 | dataOut![63]!}`
    },
  }
}

function all({ take }: Scheduler): string[] {
  const out: string[] = []
  for (let one = take(); one !== undefined; one = take()) out.push(one)
  return out
}

const CASES: readonly [string, string, (t: Test, s: Scheduler) => void][] = [
  ['first in, first out', 'fifo', (t, s) => {
    for (const flow of [1, 2, 3]) s.put(1000 + flow, 1)
    t.strictSame(all(s), ['f1#1', 'f2#1', 'f3#1'])
  }],
  ['strict priority', 'prio', (t, s) => {
    for (const flow of [1, 2, 3]) s.weigh(1000 + flow, 3 - flow)
    for (const flow of [1, 2, 3]) s.put(1000 + flow, 1)
    t.strictSame(all(s), ['f3#1', 'f2#1', 'f1#1'])
  }],
  ['fair queueing of one flow', 'wfq', (t, s) => {
    for (let n = 0; n < 4096; n += 1) s.put(1001, n)
    t.strictSame(all(s), Array.from({ length: 4096 }, (_, n) => `f1#${n}`))
  }],
  ['fair queueing of two flows', 'wfq', (t, s) => {
    s.put(1001, 1)
    s.put(1001, 2)
    s.put(1003, 1)
    t.strictSame(all(s), ['f1#1', 'f3#1', 'f1#2'])
  }],
  ['fair queueing by weights', 'wfq', (t, s) => {
    for (const [port, weight] of [[1001, 1024], [1002, 256], [1003, 32]] as const) s.weigh(port, weight)
    for (const [port, n] of [[1001, 1], [1001, 2], [1002, 1], [1002, 2]] as const) s.put(port, n)
    t.strictSame(all(s), ['f1#1', 'f2#1', 'f2#2', 'f1#2'])
  }],
  ['a sparse flow goes ahead of a busy one', 'wfq', (t, s) => {
    for (let n = 1; n <= 6; n += 1) s.put(1001, n)
    t.strictSame([s.take(), s.take(), s.take()], ['f1#1', 'f1#2', 'f1#3'])
    s.put(1002, 1)
    t.strictSame(all(s), ['f2#1', 'f1#4', 'f1#5', 'f1#6'])
  }],
  ['a tree of two leaves', 'hpfq', (t, s) => {
    for (const [port, n] of [[1001, 1], [1001, 2], [1002, 1], [4003, 1], [4003, 2]] as const) s.put(port, n)
    t.strictSame(all(s), ['f1#1', 'f3#1', 'f2#1', 'f3#2', 'f1#2'], 'the leaves share by halves, and the flows within')
  }],
]

for (const jit of [true, false]) {
  t.test(jit ? 'in the JIT' : 'in the interpreter', async (t) => {
    for (const [title, name, test] of CASES) {
      t.test(title, async (t) => {
        const m = openMachine({ jit })
        test(t, scheduler(m, name))
        t.equal(m.wire('wire.show', {}).total.queued, 0)
        m.close()
      })
    }
  })
}

/** The forwarder of fixtures/obj/pifo_fwd.c from eth0 to eth1. */
function forwarder(m: Machine): void {
  const { progs, maps } = m.load(object('pifo_fwd.o'))
  const [from, to] = ['eth0', 'eth1'].map((dev) => m.rtnl('link.get', { dev })[0]!.ifindex) as [number, number]
  const queue = m.bpf('map.create', { type: RFC_MAP_TYPE.PIFO_XDP, keySize: 4, valueSize: 4, maxEntries: 1024, mapExtra: 64 }).id
  m.bpf('map.update', { mapId: maps['queues']!, key: u32(to), value: u32(queue) })
  m.bpf('map.update', { mapId: maps['egress']!, key: u32(from), value: u32(to) })
  m.rtnl('link.set', { dev: 'eth0', xdp: { progId: progs['xdp_fwd_queue']! } })
  m.rtnl('link.set', { dev: 'eth1', xdp: { progId: progs['xdp_fwd_dequeue']!, mode: 'dequeue', expectedProgId: -1 } })
}

const rank = (bytes: Uint8Array): number => (bytes[12] === 8 && bytes[13] === 0 ? 63 - (bytes[15]! >> 2) : 63)

t.test('a forwarder in strict priority, from capture to capture', async (t) => {
  for (const jit of [true, false]) {
    const dir = t.testdir()
    const m = openMachine({ dir, jit })
    forwarder(m)
    m.wire('wire.set', { dev: 'eth1', rate: 10_000_000 })
    m.wire('wire.capture.add', { dev: 'eth1', direction: 'tx', file: join(dir, 'out.pcap') })
    const frames = readCapture(root('fixtures/pcap/mixed.pcap')).map(({ bytes }) => bytes)
    const { transmitted, now } = m.wire('wire.send', { dev: 'eth0', direction: 'rx', cpu: 0, frames: frames.map((bytes) => ({ bytes, at: 0 })) })
    m.commit()
    m.close()
    const wanted = frames.map((bytes, i) => ({ bytes, i })).sort((a, b) => rank(a.bytes) - rank(b.bytes) || a.i - b.i).map(({ bytes }) => bytes)
    const left = readCapture(join(dir, 'out.pcap'))
    t.equal(transmitted, frames.length)
    t.strictSame(left.map(({ bytes }) => Buffer.from(bytes)), wanted.map((bytes) => Buffer.from(bytes)), 'by priority, then by arrival')
    let at = 0
    const starts = wanted.map(({ length }) => {
      const start = at
      at += length * 800
      return start
    })
    t.strictSame(left.map((frame) => frame.at), starts.map((start) => left[0]!.at + start), 'one behind the other at 10 Mbit/s')
    t.equal(now, at)
  }
})

t.test('no frame is lost on the way', async (t) => {
  const m = openMachine()
  forwarder(m)
  m.wire('wire.set', { dev: 'eth1', rate: 1_000_000, xdpRing: 3 })
  const frames = readCapture(root('fixtures/pcap/flows.pcap')).map(({ bytes, at }, _i, list) => ({ bytes, at: Number(at - list[0]!.at) }))
  const { transmitted, dropped, queued, delivered } = m.wire('wire.send', { dev: 'eth0', direction: 'rx', frames })
  const lost = Object.values(dropped).reduce((sum, n) => sum + n, 0)
  t.equal(transmitted + delivered + queued + lost, frames.length)
  t.equal(lost, 0)
  t.equal(queued, 0)
  m.close()
})
