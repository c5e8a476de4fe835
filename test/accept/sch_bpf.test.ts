// The numbers of the sch_bpf RFC of 2021 (v1, v2) with compiled objects: order, times to the nanosecond, accounts. Each machine keeps its state
// in a directory and is closed and opened again between steps, as commands do. acc_say.o does what packets say.
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { loadObject } from '../../pkg/object/load.js'
import { openObject } from '../../pkg/object/open.js'
import { openMachine, type KernelError, type Machine } from '../../pkg/index.js'
import type { BpfQdiscOptions, Qdisc } from '../../pkg/request/rtnl.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { RFC_PROG_TYPE } from '../../pkg/uapi/rfc.js'
import { dissect } from '../../pkg/packet/index.js'
import { root } from '../support/root.js'

const ROOT = 0xffffffff
const H = 0x10000
const MS = 1e6

/** rank << 16 | enqueue verdict << 8 | minor number of the class */
const say = ({ rank = 0, verdict = 0, minor = 0 }): number => ((rank << 16) | (verdict << 8) | minor) >>> 0

/** A machine in a directory; `again` closes it and boots the next. */
class Sitting {
  readonly #options: { dir: string; strict?: boolean }
  m: Machine

  constructor(t: Test, strict = false) {
    this.#options = { dir: t.testdir(), strict }
    this.m = openMachine(this.#options)
    t.teardown(() => this.m.close())
    this.set({ rate: 8_000_000 })
  }

  again(): void {
    this.m.commit()
    this.m.close()
    this.m = openMachine(this.#options)
  }

  set(wire: { rate?: number; ring?: number }): void {
    this.m.wire('wire.set', { dev: 'eth0', ...wire })
  }

  /** The programs of an object, as `tc … bpf obj FILE` takes them. */
  load(name: string): Pick<BpfQdiscOptions, 'enqueue' | 'dequeue'> {
    const object = openObject(readFileSync(root('fixtures', 'obj', name)), { file: name })
    const kernel: Kernel = { request: this.m.bpf as Kernel['request'], commit: () => {}, close: () => {} }
    const { progs } = loadObject(object, kernel, { type: RFC_PROG_TYPE.SCHED_QDISC })
    const by = (word: string): { id: number; name: string } => ({ id: progs.find(({ section }) => section === `sch_bpf/${word}`)!.id, name: word })
    return { enqueue: by('enqueue'), dequeue: by('dequeue') }
  }

  attach(name: string, options: Partial<BpfQdiscOptions> = {}): void {
    this.m.rtnl('qdisc.new', {
      dev: 'eth0', kind: 'bpf', handle: H, parent: ROOT, options: { ...this.load(name), ...options }, create: true, excl: true, replace: false,
    })
  }

  addClass(minor: number): void {
    this.m.rtnl('class.new', { dev: 'eth0', kind: 'bpf', classid: H | minor, parent: H, create: true, excl: true, replace: false })
  }

  /** Packets of 1000 bytes, 1 ms each on this wire; dst_port tells them apart. */
  send(packets: readonly { port?: number; mark?: number; priority?: number; tos?: number }[], hold = true): ReturnType<Machine['send']> {
    const frames = packets.map(({ port = 9, mark = 0, priority = 0, tos = 0 }) => ({
      bytes: packet(port, tos), at: 0, mark, priority,
    }))
    return this.m.wire('wire.send', { dev: 'eth0', direction: 'tx', frames, hold })
  }

  /** Fills the driver's ring, so that what comes next waits in the qdisc. */
  busy(mark = 0): void {
    this.send([{ port: 1, mark }])
  }

  /** What left since: [destination port, time in ms]. */
  left(): [number, number][] {
    this.m.wire('wire.run', { until: 'idle' })
    return this.m.wire('wire.take', { dev: 'eth0', from: 'tx' }).map(({ bytes, at }) => [portOf(bytes), at / MS])
  }

  ports(): number[] {
    return this.left().map(([port]) => port).filter((port) => port !== 1)
  }

  qdisc(kind = 'bpf'): Qdisc {
    return this.m.rtnl('qdisc.get', { dev: 'eth0' }).find((q) => q.kind === kind)!
  }

  classes(): { packets: number; drops: number; qlen: number }[] {
    return this.m.rtnl('class.get', { dev: 'eth0' }).map(({ stats }) => ({ packets: stats!.packets, drops: stats!.drops, qlen: stats!.qlen }))
  }

  said(): { enqueue: string; dequeue: string } {
    const { tcStats } = this.qdisc().options as { tcStats: { name: string; fields: [string, string][] }[] }
    return Object.fromEntries(tcStats.find(({ name }) => name === 'said')!.fields) as { enqueue: string; dequeue: string }
  }
}

function packet(port: number, tos: number): Uint8Array {
  const bytes = new Uint8Array(1000)
  bytes.set([0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 0x08, 0, 0x45, tos, 0x03, 0xda, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2])
  bytes.set([0x9c, 0x40, port >> 8, port & 255, 0x03, 0xc6, 0, 0], 34)
  return bytes
}

const portOf = (bytes: Uint8Array): number => (bytes[36]! << 8) | bytes[37]!

function refusal(call: () => void): { errno: number; extack: string | undefined } | undefined {
  try {
    call()
  } catch (error) {
    const { errno, extack } = error as KernelError
    return { errno, extack }
  }
  return undefined
}

for (const object of ['acc_say.o', 'acc_say1.o']) {
  t.test(`${object}: ranks 5, 1, 3, 1 leave as 1a 1b 3 5, with order max as 5 3 1a 1b`, async (t) => {
    for (const [order, ports] of [['min', [11, 12, 30, 50]], ['max', [50, 30, 11, 12]]] as const) {
      const s = new Sitting(t)
      s.attach(object, { order })
      s.busy()
      s.again()
      for (const [rank, port] of [[5, 50], [1, 11], [3, 30], [1, 12]] as const) {
        s.send([{ port, mark: say({ rank }) }])
        s.again()
      }
      t.strictSame(s.ports(), ports, order)
    }
  })
}

t.test('strict reproduces the order as posted', async (t) => {
  const s = new Sitting(t, true)
  s.attach('acc_say.o')
  s.addClass(1)
  s.busy(1)
  for (const [rank, port] of [[5, 50], [1, 11], [3, 30], [1, 12]] as const) s.send([{ port, mark: say({ rank, minor: 1 }) }])
  t.strictSame(s.ports(), [50, 30, 11, 12])
  t.match(s.send([{}]), { dropped: { QDISC_DROP: 1 } }, 'classid 0 is an unknown class')
})

t.test('fifo: limit 1000, every packet of rank 0: exact order, packet 1001 dropped', async (t) => {
  const s = new Sitting(t)
  s.set({ rate: 8e9 })
  s.attach('sch_fifo.o')
  s.busy()
  const { dropped } = s.send(Array.from({ length: 1001 }, (_, i) => ({ port: 1000 + i })))
  t.strictSame(dropped, { QDISC_OVERLIMIT: 1 })
  t.match(s.qdisc().stats, { qlen: 1000, backlog: 1_000_000, drops: 1, packets: 1 })
  s.again()
  t.strictSame(s.ports(), Array.from({ length: 1000 }, (_, i) => 1000 + i))
  t.match(s.qdisc().stats, { qlen: 0, backlog: 0, drops: 1, packets: 1001, bytes: 1_001_000 })
})

t.test('EDT: packets of 0, 10 and 20 ms leave at exactly those times, overlimits 2', async (t) => {
  const s = new Sitting(t)
  s.set({ rate: 0 })
  s.attach('sch_edt.o')
  s.send([{ port: 10 }, { port: 11 }, { port: 12 }], false)
  t.strictSame(s.left(), [[10, 0], [11, 10], [12, 20]])
  t.match(s.qdisc().stats, { packets: 3, overlimits: 2, drops: 0, qlen: 0 })
})

t.test('EDT: the same from three processes', async (t) => {
  const s = new Sitting(t)
  s.set({ rate: 0 })
  s.attach('sch_edt.o')
  const left: [number, number][] = []
  for (const port of [10, 11, 12]) {
    s.send([{ port }])
    left.push(...s.m.wire('wire.take', { dev: 'eth0', from: 'tx' }).map(({ bytes, at }): [number, number] => [portOf(bytes), at / MS]))
    s.again()
  }
  t.strictSame([...left, ...s.left()], [[10, 0], [11, 10], [12, 20]])
  t.equal(s.qdisc().stats.overlimits, 2)
})

t.test('WRR 3:1 over two classes: rounds of four packets', async (t) => {
  const s = new Sitting(t)
  s.attach('sch_wrr.o')
  s.addClass(1)
  s.addClass(2)
  s.send([{ port: 101, tos: 0x10 }])
  for (let i = 0; i < 8; i++) s.send([{ port: 101, tos: 0x10 }])
  for (let i = 0; i < 3; i++) s.send([{ port: 102 }])
  s.again()
  t.equal(s.left().map(([port]) => port - 100).join(''), '1112'.repeat(3))
  t.match(s.classes(), [{ packets: 9, drops: 0, qlen: 0 }, { packets: 3, drops: 0, qlen: 0 }])
})

t.test('class statistics after ten packets each', async (t) => {
  const s = new Sitting(t)
  s.attach('acc_say.o')
  for (const minor of [1, 2]) s.addClass(minor)
  s.busy()
  for (let i = 0; i < 10; i++) s.send([{ mark: 1 }, { mark: 2 }])
  s.again()
  t.strictSame(s.classes(), [{ packets: 0, drops: 0, qlen: 10 }, { packets: 0, drops: 0, qlen: 10 }])
  s.left()
  s.again()
  t.strictSame(s.classes(), [{ packets: 10, drops: 0, qlen: 0 }, { packets: 10, drops: 0, qlen: 0 }])
  t.match(s.m.rtnl('class.get', { dev: 'eth0' }), [{ stats: { bytes: 10_000 } }, { stats: { bytes: 10_000 } }])
})

t.test('a filter beats the program, whose counter stays 0; SHOT drops', async (t) => {
  const s = new Sitting(t)
  s.attach('acc_say.o')
  for (const minor of [1, 2]) s.addClass(minor)
  const u32 = { keys: [{ val: 7, mask: 0xffff, off: 20 }], classid: H | 2 }
  const filter = { dev: 'eth0', parent: H, create: true, excl: true, replace: false }
  s.m.rtnl('filter.new', { ...filter, kind: 'u32', protocol: 0x0800, pref: 10, options: u32 })
  s.again()
  s.send([{ port: 7, mark: 1 }, { port: 7, mark: 1 }], false)
  t.match(s.said(), { enqueue: '0', dequeue: '2' })
  t.match(s.classes(), [{ packets: 0 }, { packets: 2 }])
  s.send([{ port: 8, mark: 1 }], false)
  t.match(s.said(), { enqueue: '1', dequeue: '3' })
  const { progs } = s.m.load(readFileSync(root('fixtures', 'obj', 'acc_tc.o')), { type: 3 })
  s.m.rtnl('filter.new', { ...filter, kind: 'bpf', pref: 1, options: { progId: progs['shot']!, name: 'shot', directAction: true } })
  s.again()
  t.match(s.send([{ port: 7 }, { port: 8 }]), { dropped: { QDISC_DROP: 2 } })
  t.match(s.qdisc().stats, { drops: 2, packets: 3 })
  t.match(s.said(), { enqueue: '1' })
})

t.test('pfifo of 2 below 1:1: of three packets one is dropped, in both accounts', async (t) => {
  const s = new Sitting(t)
  s.attach('acc_say.o')
  s.addClass(1)
  s.m.rtnl('qdisc.new', {
    dev: 'eth0', kind: 'pfifo', handle: 0x100000, parent: H | 1, options: { limit: 2 }, create: true, excl: true, replace: false,
  })
  s.busy()
  s.send([{ port: 11, mark: 1 }, { port: 12, mark: 1 }, { port: 13, mark: 1 }])
  s.again()
  t.match(s.qdisc().stats, { drops: 1, qlen: 2, backlog: 2000 })
  t.match(s.qdisc('pfifo').stats, { drops: 1, qlen: 2, backlog: 2000 })
  t.strictSame(s.classes(), [{ packets: 0, drops: 1, qlen: 2 }])
  t.strictSame(s.ports(), [11, 12])
  t.match(s.qdisc().stats, { drops: 1, qlen: 0, packets: 3 })
})

t.test('THROTTLE keeps the packet: the same one comes back after the delay, in a later process', async (t) => {
  const s = new Sitting(t)
  s.set({ rate: 0 })
  s.attach('acc_say.o')
  s.send([{ port: 33, priority: 3 }])
  s.again()
  t.match(s.qdisc().stats, { qlen: 1, backlog: 1000, overlimits: 1, packets: 0 })
  t.match(s.m.wire('wire.run', { for: 5 * MS - 1 }), { transmitted: 0, queued: 1 })
  s.again()
  t.match(s.m.wire('wire.run', { for: 1 }), { transmitted: 1, queued: 0, now: 5 * MS })
  t.strictSame(s.left(), [[33, 5]])
  t.match(s.said(), { enqueue: '1', dequeue: '2' })
})

t.test('a packet in front of the held one is asked about at once', async (t) => {
  const s = new Sitting(t)
  s.set({ rate: 0 })
  s.attach('acc_say.o')
  s.send([{ port: 50, mark: say({ rank: 5 }), priority: 3 }])
  s.again()
  s.send([{ port: 60, mark: say({ rank: 6 }) }, { port: 40, mark: say({ rank: 4 }) }])
  t.strictSame(s.left(), [[40, 0], [50, 5], [60, 5]])
  t.match(s.qdisc().stats, { overlimits: 1 })
})

t.test('verdict 99 and an unknown class drop and count', async (t) => {
  const s = new Sitting(t)
  s.attach('acc_say.o')
  t.match(s.send([{ mark: say({ verdict: 99 }) }, { mark: say({ verdict: 2 }) }, { mark: say({ minor: 7 }) }]), { dropped: { QDISC_DROP: 3 } })
  t.match(s.send([{ priority: 99 }, { priority: 2 }]), { dropped: { QDISC_DROP: 2 } })
  t.match(s.qdisc().stats, { drops: 5, packets: 0, qlen: 0, backlog: 0 })
})

t.test('delete with five queued: five freed, the wire keeps its one, programs and maps go', async (t) => {
  const s = new Sitting(t)
  s.attach('acc_say.o')
  s.send(Array.from({ length: 6 }, () => ({})))
  s.again()
  s.m.rtnl('qdisc.del', { dev: 'eth0', parent: ROOT })
  s.again()
  t.match(s.m.wire('wire.show', {}).total, { queued: 1, dropped: { QUEUE_PURGE: 5 } })
  t.strictSame(s.m.bpf('prog.list', {}), [])
  t.strictSame(s.m.bpf('map.list', {}), [])
})

t.test('device down: the qdisc is empty; up: it works on', async (t) => {
  const s = new Sitting(t)
  s.set({ rate: 0 })
  s.attach('acc_say.o')
  s.addClass(1)
  s.send([{ mark: 1, priority: 3 }, { mark: 1 }, {}])
  s.m.rtnl('link.set', { dev: 'eth0', up: false })
  s.again()
  t.match(s.qdisc().stats, { qlen: 0, backlog: 0 })
  s.m.rtnl('link.set', { dev: 'eth0', up: true })
  s.again()
  t.match(s.send([{ port: 5, mark: 1 }, { port: 6 }], false), { transmitted: 2 })
})

t.test('replace with programs of another type: EINVAL, the old ones still run', async (t) => {
  const s = new Sitting(t)
  s.attach('acc_say.o')
  const { progs } = s.m.load(readFileSync(root('fixtures', 'obj', 'xdp_pass.o')))
  const xdp = { id: progs['xdp_pass']!, name: 'xdp' }
  const { enqueue } = s.load('acc_say.o')
  const replace = (options: BpfQdiscOptions) => refusal(() =>
    s.m.rtnl('qdisc.new', { dev: 'eth0', kind: 'bpf', handle: H, parent: ROOT, options, create: true, excl: false, replace: true }))
  t.match(replace({ enqueue: xdp, dequeue: xdp }), { errno: 22, extack: undefined })
  t.match(replace({ enqueue: enqueue!, dequeue: xdp }), { errno: 22, extack: undefined })
  t.match(replace({ enqueue: enqueue!, dequeue: { id: 4711, name: '' } }), { errno: 9 })
  t.match(replace({ enqueue: enqueue! }), { errno: 22 })
  t.match(s.send([{ port: 5 }], false), { transmitted: 1 })
  t.match(s.said(), { enqueue: '1', dequeue: '1' })
})

t.test('change keeps what waits and its order', async (t) => {
  const s = new Sitting(t)
  s.attach('acc_say.o')
  s.busy()
  s.send([{ port: 50, mark: say({ rank: 5 }) }, { port: 11, mark: say({ rank: 1 }) }])
  s.again()
  s.m.rtnl('qdisc.new', { dev: 'eth0', parent: ROOT, kind: 'bpf', options: s.load('sch_fifo.o'), create: false, excl: false, replace: false })
  s.again()
  s.send([{ port: 99 }])
  t.strictSame(s.ports(), [99, 11, 50], 'fifo ranks 0')
})

t.test('mq with one instance a queue', async (t) => {
  const s = new Sitting(t)
  s.m.rtnl('qdisc.new', { dev: 'eth0', kind: 'mq', handle: H, parent: ROOT, create: true, excl: true, replace: false })
  for (const queue of [1, 2, 3, 4]) {
    s.m.rtnl('qdisc.new', {
      dev: 'eth0', kind: 'bpf', handle: 0x100000 * queue, parent: H | queue, options: s.load('sch_fifo.o'), create: true, excl: true, replace: false,
    })
  }
  const { progs } = s.m.load(readFileSync(root('fixtures', 'obj', 'acc_xps.o')), { type: 1, progs: openObject(readFileSync(root('fixtures', 'obj', 'acc_xps.o')), { file: 'acc_xps.o' }).progs.filter(({ name }) => name === 'by_mark') })
  s.m.rtnl('link.set', { dev: 'eth0', xps: { progId: progs['by_mark']! } })
  s.again()
  s.send([0, 1, 2, 3, 3, 7].map((mark) => ({ mark })), false)
  const counts = s.m.rtnl('qdisc.get', { dev: 'eth0' }).filter(({ kind }) => kind === 'bpf').sort((a, b) => a.parent - b.parent).map(({ stats }) => stats.packets)
  t.strictSame(counts, [1, 1, 1, 3])
})

t.test('the packets themselves come through unharmed', async (t) => {
  const s = new Sitting(t)
  s.attach('sch_prio.o')
  s.send([{ port: 77, tos: 0xb8 }])
  s.again()
  s.m.wire('wire.run', { until: 'idle' })
  const [frame] = s.m.wire('wire.take', { dev: 'eth0', from: 'tx' })
  t.match(dissect(frame!.bytes), { ipProto: 17, tos: 0xb8 })
  t.strictSame([...frame!.bytes], [...packet(77, 0xb8)])
})
