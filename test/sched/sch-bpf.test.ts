// The programmable qdisc, v1 and v2: spec tables of order, accounts, classes, filters, watchdog, change and refusal. Programs are functions.
import t from 'tap'
import { SCH_BPF, SCH_BPF_CTX, SCH_BPF_V1, SCH_BPF_V2, type SchBpfLayout } from '../../pkg/hook/sch-bpf-ctx.js'
import { PROG_TYPE_SCHED_QDISC } from '../../pkg/hook/types.js'
import type { BpfQdiscOptions } from '../../pkg/request/rtnl.js'
import { SKB } from '../../pkg/skb/layout.js'
import { PROG_TYPE, TC_ACT } from '../../pkg/uapi/bpf.js'
import { answer, Machine, udp } from '../datapath/machine.js'

const ROOT = 0xffffffff
const H = 0x10000

/** What a program of these tests sees and says. */
class Ctx {
  readonly #m: Machine
  readonly #layout: SchBpfLayout

  constructor(m: Machine, layout: SchBpfLayout) {
    this.#m = m
    this.#layout = layout
  }

  get(field: keyof SchBpfLayout): number {
    return this.#m.host.mem.u32[(SCH_BPF_CTX + this.#layout[field]) >> 2]!
  }

  set(field: keyof SchBpfLayout, value: number): void {
    this.#m.host.mem.u32[(SCH_BPF_CTX + this.#layout[field]) >> 2] = value
    if (field === 'rank' || field === 'delay') this.#m.host.mem.u32[(SCH_BPF_CTX + this.#layout[field] + 4) >> 2] = Math.floor(value / 2 ** 32)
  }

  /** The frame's destination port: how tests tell programs what to do with a packet. */
  get port(): number {
    const { u8, u32 } = this.#m.host.mem
    const data = u32[(u32[SCH_BPF_CTX >> 2]! + SKB.data) >> 2]!
    return (u8[data + 36]! << 8) | u8[data + 37]!
  }

  get mark(): number {
    const { u32 } = this.#m.host.mem
    return u32[(u32[SCH_BPF_CTX >> 2]! + SKB.mark) >> 2]!
  }
}

type Program = (ctx: Ctx) => number

function load(m: Machine, program: Program, dialect: string | undefined = 'schbpf2'): number {
  const ctx = new Ctx(m, dialect === 'schbpf1' ? SCH_BPF_V1 : SCH_BPF_V2)
  return m.host.load(PROG_TYPE_SCHED_QDISC, () => program(ctx), dialect === undefined ? {} : { dialect })
}

const rankByPort: Program = (ctx) => {
  ctx.set('rank', ctx.port)
  return SCH_BPF.OK
}
const ok: Program = () => SCH_BPF.OK

/** eth0 at 1 byte per us (8 Mbit/s), so that a frame of 1000 bytes takes 1 ms. */
function machine(enqueue: Program = rankByPort, dequeue: Program = ok, options: Partial<BpfQdiscOptions> & { dialect?: string } = {}): Machine {
  const m = new Machine()
  m.net.wireSet({ dev: 'eth0', rate: 8_000_000 })
  const { dialect, ...rest } = options
  add(m, { enqueue: { id: load(m, enqueue, dialect), name: 'e' }, dequeue: { id: load(m, dequeue, dialect), name: 'd' }, ...rest })
  return m
}

function add(m: Machine, options: unknown, flags = { create: true, excl: true, replace: false }): void {
  m.net.qdiscNew({ dev: 'eth0', kind: 'bpf', handle: H, parent: ROOT, options, ...flags })
}

const change = (m: Machine, options: unknown): void => add(m, options, { create: false, excl: false, replace: false })

const addClass = (m: Machine, minor: number): void =>
  m.net.classNew({ dev: 'eth0', kind: 'bpf', classid: H | minor, parent: H, create: true, excl: true, replace: false })

const frames = (...ports: number[]): Uint8Array[] => ports.map((dst) => udp({ len: 1000, dst }))

/** A first frame keeps the link busy, so that the others wait together; then their order of leaving. */
function order(m: Machine, ports: readonly number[], between: () => void = () => {}): number[] {
  m.send('eth0', 'tx', frames(9999, ...ports), { hold: true })
  between()
  m.net.wireRun({ until: 'idle' })
  return left(m).slice(1)
}

const left = (m: Machine): number[] => m.net.wireTake({ dev: 'eth0', from: 'tx' }).map(({ bytes }) => (bytes[36]! << 8) | bytes[37]!)
const stats = (m: Machine) => m.net.qdiscGet({ dev: 'eth0' })[0]!.stats
const classes = (m: Machine) => m.net.classGet({ dev: 'eth0' })

for (const dialect of ['schbpf1', 'schbpf2']) {
  t.test(`${dialect}: lowest rank first, first in first out among equals; order max turns it around`, async (t) => {
    t.strictSame(order(machine(rankByPort, ok, { dialect }), [5, 1, 3, 1]), [1, 1, 3, 5])
    t.strictSame(order(machine(rankByPort, ok, { dialect, order: 'max' }), [5, 1, 3, 1]), [5, 3, 1, 1])
  })
}

t.test('equal ranks keep their order, over 32 bits of rank too, and in the next process', async (t) => {
  const wide: Program = (ctx) => {
    ctx.set('rank', ctx.port >= 50 ? 2 ** 33 : 2 ** 32 + 7)
    return SCH_BPF.OK
  }
  const m = machine(wide)
  t.strictSame(order(m, [60, 10, 61, 11, 12], () => m.reboot()), [10, 11, 12, 60, 61])
})

t.test('fifo with limit: exact order, the packet over the limit is dropped', async (t) => {
  const m = machine((ctx) => (ctx.set('rank', 0), SCH_BPF.OK), ok, { limit: 3 })
  t.strictSame(order(m, [4, 3, 2, 1]), [4, 3, 2])
  t.match(stats(m), { packets: 4, drops: 1, qlen: 0, backlog: 0 })
  t.equal(m.link('eth0').stats.txDropped, 0, 'the qdisc counts it, not the device')
})

t.test('what a program sees: handle, number of classes, queue length', async (t) => {
  const seen: number[][] = []
  const m = machine((ctx) => (seen.push([ctx.get('handle'), ctx.get('nr_flows'), ctx.get('classid'), ctx.get('rank')]), SCH_BPF.OK))
  addClass(m, 1)
  m.send('eth0', 'tx', frames(1))
  t.strictSame(seen, [[H, 1, 0, 0]])
  const lengths: number[] = []
  const v1 = machine((ctx) => (lengths.push(ctx.get('nr_packets')), SCH_BPF.OK), ok, { dialect: 'schbpf1' })
  v1.send('eth0', 'tx', frames(1, 2, 3), { hold: true })
  t.strictSame(lengths, [0, 0, 1])
})

t.test('earliest departure: THROTTLE holds the packet until its time', async (t) => {
  let asked = 0
  const edt: Program = (ctx) => (ctx.set('rank', ctx.mark), SCH_BPF.OK)
  const m = machine(edt, (ctx) => {
    asked += 1
    const wait = ctx.mark - m.net.now()
    if (wait <= 0) return SCH_BPF.OK
    ctx.set('delay', wait)
    return SCH_BPF.THROTTLE
  })
  m.net.wireSet({ dev: 'eth0', rate: 0 })
  m.send('eth0', 'tx', [20e6, 0, 10e6].map((mark) => ({ mark })))
  t.strictSame(m.net.wireTake({ dev: 'eth0', from: 'tx' }).map(({ at }) => at), [0, 10e6, 20e6])
  t.match(stats(m), { packets: 3, drops: 0, qlen: 0 })
  t.ok(stats(m).overlimits >= 2 && asked >= 5)
})

t.test('THROTTLE: the same packet comes again after the delay, also from the state', async (t) => {
  let first = true
  const m = machine(rankByPort, (ctx) => {
    if (!first) return SCH_BPF.OK
    first = false
    ctx.set('delay', 5e6)
    return SCH_BPF.THROTTLE
  })
  m.send('eth0', 'tx', frames(1), { hold: true })
  t.match(stats(m), { qlen: 1, backlog: 1000, overlimits: 1 })
  m.reboot()
  t.match(m.net.wireRun({ until: 'idle' }), { now: 6e6, transmitted: 1 })
})

t.test('a program that throttles for ever leaves the machine idle, with its packets queued', async (t) => {
  const m = machine(rankByPort, (ctx) => (ctx.set('delay', 1), SCH_BPF.THROTTLE))
  t.match(m.send('eth0', 'tx', frames(1)), { queued: 1 })
  t.match(m.host.logs, [/throttles without end/])
})

t.test('weighted round robin 3:1 by ranking classes anew with REQUEUE', async (t) => {
  const toClass: Program = (ctx) => (ctx.set('classid', H | (ctx.port >> 8)), SCH_BPF.OK)
  // A class that has had its share ranks behind all others: virtual time is the class rank.
  const quantum = [0, 3, 1]
  const used = [0, 0, 0]
  let last = H + 100
  const wrr: Program = (ctx) => {
    const cls = ctx.port >> 8
    if (used[cls]! < quantum[cls]!) {
      used[cls]! += 1
      return SCH_BPF.OK
    }
    used[cls] = 0
    ctx.set('classid', (last += 1))
    return SCH_BPF.REQUEUE
  }
  const m = machine(toClass, wrr)
  addClass(m, 1)
  addClass(m, 2)
  m.send('eth0', 'tx', frames(0x100, 0x101, 0x102, 0x103, 0x104, 0x105, 0x201, 0x202))
  t.equal(left(m).map((port) => port >> 8).join(''), '11121112')
  t.match(classes(m), [{ classid: H | 1, stats: { packets: 6 } }, { classid: H | 2, stats: { packets: 2 } }])
})

t.test('REQUEUE without end is stopped, with a warning', async (t) => {
  const m = machine(rankByPort, () => SCH_BPF.REQUEUE)
  t.match(m.send('eth0', 'tx', frames(1, 2)), { queued: 2 })
  t.match(m.host.logs.join(), /requeues without end/)
})

t.test('classes: statistics, the implicit one, unknown ids', async (t) => {
  const toClass: Program = (ctx) => (ctx.set('classid', ctx.port === 0 ? 0 : H | ctx.port), SCH_BPF.OK)
  const m = machine(toClass)
  addClass(m, 1)
  addClass(m, 2)
  m.send('eth0', 'tx', frames(...Array.from({ length: 20 }, (_, i) => 1 + (i % 2)), 0, 9))
  t.match(classes(m), [
    { classid: H | 1, parent: H, leaf: 0, stats: { packets: 10, bytes: 10_000, drops: 0, qlen: 0 } },
    { classid: H | 2, parent: H, leaf: 0, stats: { packets: 10, bytes: 10_000, drops: 0, qlen: 0 } },
  ])
  t.match(stats(m), { packets: 21, drops: 1 })
  m.host.strict = true
  t.match(m.send('eth0', 'tx', frames(0)), { dropped: { QDISC_DROP: 1 } }, 'strict: 0 is an unknown class')
})

t.test('classes: requests and their errors', async (t) => {
  const m = machine()
  addClass(m, 1)
  t.equal(answer(() => addClass(m, 1)), 'EEXIST')
  t.equal(answer(() => m.net.classDel({ dev: 'eth0', classid: H | 9 })), 'ENOENT')
  t.equal(answer(() => m.net.classDel({ dev: 'eth0', classid: 0x90001 })), 'ENOENT')
  const toFirst: Program = (ctx) => (ctx.set('classid', H | 1), SCH_BPF.OK)
  change(m, { enqueue: { id: load(m, toFirst), name: 'e' }, dequeue: { id: load(m, ok), name: 'd' } })
  m.send('eth0', 'tx', frames(1, 2, 3, 4), { hold: true })
  t.match(classes(m)[0], { stats: { qlen: 3, backlog: 3000 } })
  m.net.classDel({ dev: 'eth0', classid: H | 1 })
  t.strictSame(classes(m), [])
  t.match(stats(m), { qlen: 0, backlog: 0 })
  t.match(m.net.wireRun({ until: 'idle' }), { transmitted: 1, queued: 0 })
})

t.test('a filter goes before the program; SHOT drops; no match asks the program', async (t) => {
  let ran = 0
  const m = machine((ctx) => ((ran += 1), ctx.set('classid', H | 1), SCH_BPF.OK))
  addClass(m, 1)
  addClass(m, 2)
  const u32 = { keys: [{ val: 7, mask: 0xffff, off: 20 }], classid: H | 2 }
  m.net.filterNew({ dev: 'eth0', parent: H, kind: 'u32', protocol: 0x0800, pref: 10, options: u32, create: true, excl: true, replace: false })
  m.send('eth0', 'tx', frames(7, 7))
  t.equal(ran, 0)
  t.match(classes(m), [{ stats: { packets: 0 } }, { stats: { packets: 2 } }])
  m.reboot()
  m.send('eth0', 'tx', frames(8))
  t.equal(ran, 1)
  t.match(classes(m), [{ stats: { packets: 1 } }, { stats: { packets: 2 } }])
  const shot = m.host.load(PROG_TYPE.SCHED_CLS, () => TC_ACT.SHOT)
  m.net.filterNew({
    dev: 'eth0', parent: H, kind: 'bpf', pref: 1, options: { progId: shot, name: 'x', directAction: true }, create: true, excl: true, replace: false,
  })
  t.match(m.send('eth0', 'tx', frames(7, 8)), { dropped: { QDISC_DROP: 2 } })
  t.match(stats(m), { drops: 2 })
})

t.test('grafting: pfifo with limit 2 under 1:1 drops the third, in both accounts', async (t) => {
  const toFirst: Program = (ctx) => (ctx.set('classid', H | 1), SCH_BPF.OK)
  const m = machine(toFirst)
  addClass(m, 1)
  const pfifo = { dev: 'eth0', kind: 'pfifo', handle: 0x100000, parent: H | 1, options: { limit: 2 }, create: true, excl: true, replace: false }
  m.net.qdiscNew(pfifo)
  t.match(classes(m), [{ leaf: 0x100000 }])
  m.send('eth0', 'tx', frames(9, 1, 2, 3), { hold: true })
  m.reboot()
  const rows = m.net.qdiscGet({ dev: 'eth0' })
  t.match(rows, [{ kind: 'bpf', stats: { drops: 1, qlen: 2, backlog: 2000 } }, { kind: 'pfifo', parent: H | 1, stats: { drops: 1, qlen: 2 } }])
  m.net.wireRun({ until: 'idle' })
  t.strictSame(left(m), [9, 1, 2])
  m.net.qdiscDel({ dev: 'eth0', parent: H | 1 })
  t.match(classes(m), [{ leaf: 0 }])
  t.strictSame(order(m, [5, 6]), [5, 6], 'back in its own queue')
})

t.test('verdicts: DROP and unknown ones drop and count, at both ends', async (t) => {
  const m = machine((ctx) => (ctx.port === 1 ? SCH_BPF.DROP : ctx.port === 2 ? 99 : SCH_BPF.OK), (ctx) => (ctx.port === 3 ? 99 : SCH_BPF.OK))
  t.match(m.send('eth0', 'tx', frames(1, 2, 3, 4)), { transmitted: 1, dropped: { QDISC_DROP: 3 } })
  t.match(stats(m), { drops: 3, packets: 1, qlen: 0, backlog: 0 })
})

t.test('change swaps both programs at once, keeps what waits, and refuses half of it', async (t) => {
  const m = machine()
  const reverse: Program = (ctx) => (ctx.set('rank', 10_000 - ctx.port), SCH_BPF.OK)
  const [e, d] = [load(m, reverse), load(m, ok)]
  const other = m.host.load(PROG_TYPE.XDP, () => 2)
  t.strictSame(
    order(m, [2, 1], () => {
      t.equal(answer(() => change(m, {})), 'EINVAL')
      t.equal(answer(() => change(m, { enqueue: { id: e, name: 'e' } })), 'EINVAL')
      t.equal(answer(() => change(m, { enqueue: { id: e, name: 'e' }, dequeue: { id: other, name: 'x' } })), 'EINVAL')
      t.equal(answer(() => change(m, { enqueue: { id: e, name: 'e' }, dequeue: { id: 4711, name: 'x' } })), 'EBADF')
      t.match(m.net.qdiscGet({ dev: 'eth0' })[0]!.options, { enqueue: { id: 1 }, dequeue: { id: 2 }, limit: 1000, order: 'min', dialect: 'schbpf2' })
      change(m, { enqueue: { id: e, name: 'new' }, dequeue: { id: d, name: 'd' }, limit: 5 })
      m.send('eth0', 'tx', frames(4, 5), { hold: true })
    }),
    [1, 2, 5, 4],
  )
  t.match(m.net.qdiscGet({ dev: 'eth0' })[0]!.options, { enqueue: { id: e, name: 'new' }, limit: 5 })
  t.strictSame([1, 2, e, d].map((id) => m.host.refs.get(id)), [0, 0, 1, 1])
})

t.test('deleting the qdisc frees what waits and lets go of the programs', async (t) => {
  const m = machine()
  m.send('eth0', 'tx', frames(1, 2, 3, 4, 5, 6), { hold: true })
  t.equal(m.net.skbs.held, 6)
  m.net.qdiscDel({ dev: 'eth0', parent: ROOT })
  t.equal(m.net.skbs.held, 1, 'the one on the wire')
  t.strictSame([m.host.refs.get(1), m.host.refs.get(2)], [0, 0])
  t.equal(m.link('eth0').qdisc, 'mq')
})

t.test('device down empties it, up again it works on', async (t) => {
  const m = machine()
  m.send('eth0', 'tx', frames(1, 2, 3), { hold: true })
  m.net.linkSet({ dev: 'eth0', up: false })
  t.equal(m.net.skbs.held, 0)
  m.net.linkSet({ dev: 'eth0', up: true })
  t.strictSame(order(m, [3, 1, 2]), [1, 2, 3])
})

t.test('what can not be attached', async (t) => {
  const m = new Machine()
  const v2 = (): { id: number; name: string } => ({ id: load(m, ok), name: 'p' })
  t.equal(answer(() => add(m, undefined)), 'EINVAL Enqueue and dequeue programs are required')
  t.equal(answer(() => add(m, { enqueue: v2() })), 'EINVAL Enqueue and dequeue programs are required')
  for (const [dialect, text] of [
    ['schbpf4', 'v4 (by its context)'], ['schbpf6', 'v6 (by its context)'], ['schbpf7', 'v7 (by its context)'],
    [undefined, 'v6 (no BTF says which, so the default for its section)'],
  ] as const) {
    const prog = { id: dialect === undefined ? m.host.load(PROG_TYPE_SCHED_QDISC, () => 0) : load(m, ok, dialect), name: 'p' }
    t.equal(answer(() => add(m, { enqueue: prog, dequeue: prog })), `EOPNOTSUPP not supported yet: sch_bpf dialect ${text}, only v1 and v2 run`)
  }
  const v1 = { id: load(m, ok, 'schbpf1'), name: 'p' }
  t.equal(answer(() => add(m, { enqueue: v1, dequeue: v2() })), 'EINVAL Enqueue and dequeue programs speak different dialects')
  t.equal(m.link('eth0').qdisc, 'mq', 'nothing changed')
})

t.test('as child of mq, one instance per queue, each with its own watchdog', async (t) => {
  const m = new Machine()
  m.net.wireSet({ dev: 'eth0', rate: 0 })
  m.net.qdiscNew({ dev: 'eth0', kind: 'mq', handle: H, parent: ROOT, create: true, excl: true, replace: false })
  const late: Program = (ctx) => {
    const wait = ctx.mark - m.net.now()
    if (wait <= 0) return SCH_BPF.OK
    ctx.set('delay', wait)
    return SCH_BPF.THROTTLE
  }
  const options = { enqueue: { id: load(m, ok), name: 'e' }, dequeue: { id: load(m, late), name: 'd' } }
  for (const queue of [1, 2]) {
    m.net.qdiscNew({ dev: 'eth0', kind: 'bpf', handle: 0x100000 * queue, parent: H | queue, options, create: true, excl: true, replace: false })
  }
  m.host.masks.set('eth0/xps_cpus', new Map([[0, 1n], [1, 2n]]))
  m.send('eth0', 'tx', [{ mark: 3e6 }], { cpu: 0, hold: true })
  m.send('eth0', 'tx', [{ mark: 2e6 }], { cpu: 1, hold: true })
  m.net.wireRun({ until: 'idle' })
  t.strictSame(m.net.wireTake({ dev: 'eth0', from: 'tx' }).map(({ at, queue }) => [at, queue]), [[2e6, 1], [3e6, 0]])
})
