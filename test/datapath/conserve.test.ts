// Invariants: every frame that came in is transmitted, delivered, dropped with a reason, or waits where the accounts say; and what waits
// survives a new process; nothing waits for ever. Random machines, programs and requests from a seed.
import t from 'tap'
import { KernelError } from '../../pkg/bytes/errors.js'
import { PROG_TYPE_SCHED_QDISC } from '../../pkg/hook/types.js'
import { PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { SCH_BPF_CTX } from '../../pkg/hook/sch-bpf-ctx.js'
import { Machine, udp } from './machine.js'

const ADD = { create: true, excl: false, replace: true }
const SEEDS = 30
const STEPS = 60

/** Numerical Recipes' generator: the same run every time. */
class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  below(n: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return Math.floor((this.#state / 0x100000000) * n)
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }
}

/** A machine with some of everything. */
function build(random: Random): Machine {
  const m = new Machine()
  m.net.linkNew({ kind: 'veth', name: 'va', numTxQueues: 2, numRxQueues: 2, up: true, peer: { name: 'vb', numTxQueues: 2, numRxQueues: 2, up: true } })
  m.net.linkNew({ kind: 'ifb', name: 'ifb0', up: true })
  m.net.linkNew({ kind: 'dummy', name: 'd0', up: true })
  m.tap('tap0', 3)
  m.net.wireSet({ dev: 'eth0', rate: 1_000_000, ring: 1 + random.below(3) })
  if (random.below(2) > 0) nest(m, random)
  return m
}

/** eth0: a bpf qdisc whose first class has a bpf qdisc with children of its own, the second one that drops at the head. */
function nest(m: Machine, random: Random): void {
  const dev = 'eth0'
  const bpf = (handle: number, parent: number): void =>
    m.net.qdiscNew({ dev, kind: 'bpf', handle, parent, options: qdiscProgs(m, random), ...ADD })
  const add = (parent: number, minor: number): void =>
    m.net.classNew({ dev, kind: 'bpf', classid: parent | minor, parent, create: true, excl: true, replace: false })
  bpf(0x10000, 0xffffffff)
  for (const minor of [1, 2]) add(0x10000, minor)
  bpf(0x20000, 0x10001)
  for (const minor of [1, 2]) add(0x20000, minor)
  m.net.qdiscNew({ dev, kind: 'pfifo_head_drop', handle: 0x30000, parent: 0x10002, options: { limit: 2 }, ...ADD })
  m.net.qdiscNew({ dev, kind: 'pfifo_head_drop', handle: 0x40000, parent: 0x20001, options: { limit: 1 }, ...ADD })
  bpf(0x50000, 0x20002)
}

const DEVS = ['lo', 'eth0', 'eth1', 'va', 'vb', 'ifb0', 'd0', 'tap0']

function verdicts(m: Machine, random: Random): number {
  return m.host.load(PROG_TYPE.SCHED_CLS, () => {
    Object.assign(m.host.note, { kind: random.of([1, 1, 1, 3, 4]), ifindex: 1 + random.below(9), flags: random.below(2) })
    return random.of([-1, 0, 0, 2, 4, 7])
  })
}

function xdpVerdicts(m: Machine, random: Random): number {
  return m.host.load(PROG_TYPE.XDP, () => {
    Object.assign(m.host.note, { kind: 1, ifindex: 1 + random.below(9), flags: 0, mapType: 0, progId: 0 })
    return random.of([0, 1, 2, 2, 3, 4, 9])
  })
}

/** Once set, qdisc programs send everything. */
let calm = false

/** Enqueue and dequeue programs that say anything. */
function qdiscProgs(m: Machine, random: Random): object {
  const { u32 } = m.host.mem
  const enqueue = m.host.load(PROG_TYPE_SCHED_QDISC, () => {
    u32[(SCH_BPF_CTX + 16) >> 2] = random.below(4)
    u32[(SCH_BPF_CTX + 32) >> 2] = random.of([0, 0, 1, 2, 9])
    return calm ? 0 : random.of([0, 0, 0, 2, 3, 50])
  }, { dialect: 'schbpf2' })
  const dequeue = m.host.load(PROG_TYPE_SCHED_QDISC, () => {
    u32[(SCH_BPF_CTX + 16) >> 2] = random.below(4)
    u32[(SCH_BPF_CTX + 32) >> 2] = random.below(3)
    u32[(SCH_BPF_CTX + 24) >> 2] = random.below(100_000)
    return calm ? 0 : random.of([0, 0, 0, 0, 1, 2, 3])
  }, { dialect: 'schbpf2' })
  return { enqueue: { id: enqueue, name: 'e' }, dequeue: { id: dequeue, name: 'd' }, limit: 5 + random.below(20) }
}

type Step = (m: Machine, random: Random, dev: string) => void

const STEPS_OF: readonly Step[] = [
  ...Array.from({ length: 8 }, (): Step => (m, random, dev) => {
    const frames = Array.from({ length: random.below(20) }, (_, i) => ({
      bytes: udp({ len: 60 + random.below(1500), src: random.below(9) }), at: i * random.below(50_000), priority: random.below(8),
    })).sort((a, b) => a.at - b.at)
    m.send(dev, random.of(['rx', 'tx', 'tx']), frames, { cpu: random.below(4), hold: random.below(3) > 0 })
  }),
  (m, random) => void m.net.wireRun({ for: random.below(2_000_000) }),
  (m) => m.reboot(),
  (m) => m.reboot(),
  (m, random, dev) => m.net.linkSet({ dev, up: random.below(3) > 0 }),
  (m, _random, dev) => {
    for (const up of [false, true]) m.net.linkSet({ dev, up })
  },
  (m, random, dev) => m.net.qdiscNew({ dev, kind: random.of(['pfifo', 'bfifo', 'pfifo_fast', 'pfifo_head_drop', 'mq']), handle: 0x10000, parent: 0xffffffff, ...ADD }),
  (m, random, dev) => m.net.qdiscNew({ dev, kind: 'bpf', handle: 0x10000, parent: 0xffffffff, options: qdiscProgs(m, random), ...ADD }),
  (m, random, dev) => m.net.classNew({ dev, kind: 'bpf', classid: 0x10001 + random.below(2), parent: 0x10000, create: true, excl: true, replace: false }),
  (m, random, dev) => m.net.classDel({ dev, classid: 0x10001 + random.below(2) }),
  (m, random, dev) => m.net.qdiscNew({ dev, kind: 'pfifo', handle: 0x20000 + (random.below(9) << 16), parent: 0x10001 + random.below(2), options: { limit: 3 }, ...ADD }),
  ...Array.from({ length: 3 }, (): Step => (m, random, dev) => {
    const place = { dev, handle: 0x20000 + (random.below(9) << 16), parent: 0x10001 + random.below(2) }
    m.net.qdiscNew({ ...place, kind: 'bpf', options: qdiscProgs(m, random), ...ADD })
  }),
  (m, random, dev) => m.net.classNew({ dev, kind: 'bpf', classid: 0x20001 + (random.below(9) << 16), parent: 0, create: true, excl: true, replace: false }),
  (m, random, dev) => m.net.qdiscDel({ dev, parent: random.of([0xffffffff, 0x10001, 0x10002]) }),
  (m, _random, dev) => m.net.qdiscNew({ dev, kind: 'clsact', handle: 0xffff0000, parent: 0xfffffff1, ...ADD }),
  (m, random, dev) => {
    const options = { progId: verdicts(m, random), name: 'x', directAction: true }
    m.net.filterNew({ dev, parent: random.of([0xfffffff2, 0xfffffff3, 0x10000]), kind: 'bpf', pref: 1, options, ...ADD, handle: 1 })
  },
  (m, random, dev) => m.net.linkSet({ dev, xdp: { progId: random.below(3) === 0 ? -1 : xdpVerdicts(m, random) } }),
]

function accounts(m: Machine): { frames: number; accounted: number; queued: number } {
  const { total } = m.net.wireShow({})
  const dropped = Object.values(total.dropped).reduce((sum, n) => sum + n, 0)
  return { frames: total.frames, accounted: total.transmitted + total.delivered + dropped + total.queued, queued: total.queued }
}

/** What the qdiscs and rings say they hold. */
function shown(m: Machine): number {
  const { devices } = m.net.wireShow({})
  const roots = devices.map(({ dev, inRing }) => inRing + (m.net.qdiscGet({ dev })[0]?.stats.qlen ?? 0))
  return roots.reduce((sum, n) => sum + n, 0)
}

/** Lets everything go: what is still queued then would wait for ever. */
function quiet(m: Machine): number {
  calm = true
  for (const dev of DEVS) {
    m.net.linkSet({ dev, up: true })
    m.send(dev, 'tx', Array.from({ length: 60 }, (_, src) => udp({ src })))
  }
  m.net.wireRun({ until: 'idle' })
  calm = false
  return accounts(m).queued
}

t.test(`${SEEDS} random machines`, async (t) => {
  let steps = 0
  let refused = 0
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const random = new Random(seed)
    const m = build(random)
    for (let i = 0; i < STEPS; i += 1) {
      const step = random.of(STEPS_OF)
      try {
        step(m, random, random.below(3) === 0 ? 'eth0' : random.of(DEVS))
      } catch (error) {
        if (!(error instanceof KernelError)) throw error
        refused += 1
      }
      steps += 1
      const { frames, accounted, queued } = accounts(m)
      if (frames !== accounted || queued !== shown(m) || queued !== m.net.skbs.held) {
        t.fail(`seed ${seed} step ${i}: ${frames} in, ${accounted} accounted, ${queued} queued, ${shown(m)} shown, ${m.net.skbs.held} held\n${step.toString()}`)
        return
      }
    }
    const stuck = quiet(m)
    if (stuck !== 0) return void t.fail(`seed ${seed}: ${stuck} frames stay although every program sends: ${JSON.stringify(m.net.wireShow({}).devices.filter((d) => d.queued.length > 0))}`)
    for (const dev of DEVS) m.net.linkSet({ dev, up: false })
    if (m.net.skbs.held !== 0) return void t.fail(`seed ${seed}: ${m.net.skbs.held} frames held by devices that are down`)
  }
  t.ok(refused < steps / 2, `${steps} steps, ${refused} refused`)
})

/** One run of a seed: what all captures saw and what the accounts and counters say at the end. */
function story(seed: number, reboots: boolean): string[] {
  const random = new Random(seed)
  const m = build(random)
  for (const dev of DEVS) m.net.wireCaptureAdd({ dev, direction: 'all', file: dev })
  for (let i = 0; i < STEPS; i += 1) {
    const step = random.of(STEPS_OF)
    try {
      step(m, random, random.below(3) === 0 ? 'eth0' : random.of(DEVS))
    } catch (error) {
      if (!(error instanceof KernelError)) throw error
    }
    if (reboots) m.reboot()
  }
  const seen = m.host.captured.map(({ file, at, frame }) => `${file} ${at} ${frame.length} ${frame[35]}`)
  return [...seen, JSON.stringify(m.net.wireShow({})), JSON.stringify(m.net.linkGet({})), JSON.stringify(m.net.qdiscGet({}))]
}

t.test('many processes do what one would have done', async (t) => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const [one, many] = [story(seed, false), story(seed, true)]
    const differs = one.findIndex((line, i) => line !== many[i])
    if (differs >= 0 || one.length !== many.length) {
      return void t.fail(`seed ${seed}, line ${differs} of ${one.length}:\n${one[differs]}\n${many[differs]}`)
    }
  }
  t.pass('12 stories')
})
