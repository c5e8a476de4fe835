// The programmable qdisc "bpf" of the sch_bpf RFC of 2021, v1 and v2: two programs decide, this file stores.
// Packets wait in a ranked queue per class; classes that hold packets wait in a ranked list of flows.
import { KernelError } from '../bytes/errors.js'
import { EINVAL } from '../uapi/errno.js'
import { newBlock } from './cls-api.js'
import { qdiscReset } from './common.js'
import { activate, firstFlow, firstSkb, newBpfClass, removeFlow, type BpfClass } from './sch-bpf-class.js'
import { bpfClassOps } from './sch-bpf-class-ops.js'
import { parseBpfOptions, type BpfConfig } from './sch-bpf-config.js'
import { dequeue } from './sch-bpf-dequeue.js'
import { enqueue } from './sch-bpf-enqueue.js'
import { bpfPriv, newBpfPriv } from './sch-bpf-priv.js'
import type { FrameSink, Qdisc, QdiscKind, SavedFrame } from './types.js'

export const schBpf: QdiscKind = {
  kind: 'bpf',
  filters: true,
  classes: bpfClassOps,
  init(q, options) {
    if (options === undefined) throw new KernelError(EINVAL, 'Enqueue and dequeue programs are required')
    const config = parseBpfOptions(q.port.env, options, undefined)
    q.priv = newBpfPriv(q, config)
    q.block = newBlock()
    holdProgs(q, config)
  },
  change(q, options) {
    const priv = bpfPriv(q)
    const config = parseBpfOptions(q.port.env, options, priv.config)
    holdProgs(q, config)
    releaseProgs(q, priv.config)
    Object.assign(priv, { config, enqueue: undefined, dequeue: undefined, layout: undefined, held: 0 })
    for (const cls of [priv.fallback, ...priv.classes]) cls.queue.setMax(config.order === 'max')
  },
  enqueue,
  dequeue,
  peek: (q) => {
    const first = firstFlow(bpfPriv(q))
    if (!first) return 0
    return first.child ? first.child.kind.peek(first.child) : first.queue.peek()
  },
  reset(q) {
    const priv = bpfPriv(q)
    for (const cls of [priv.fallback, ...priv.classes]) flushClass(q, cls)
    for (const cls of [...priv.flows]) removeFlow(priv, cls)
    priv.held = 0
    q.qlen = 0
    q.backlog = 0
    q.port.env.watchdogCancel(q)
  },
  destroy(q) {
    releaseProgs(q, bpfPriv(q).config)
  },
  dump,
  save,
  restore,
}

function flushClass(q: Qdisc, cls: BpfClass): void {
  for (let skb = cls.queue.pop(); skb !== 0; skb = cls.queue.pop()) q.port.env.drop(skb, 'QUEUE_PURGE')
  cls.backlog = 0
  if (cls.child) qdiscReset(cls.child)
}

function holdProgs(q: Qdisc, config: BpfConfig): void {
  q.port.env.hold(config.enqueue.id)
  q.port.env.hold(config.dequeue.id)
}

function releaseProgs(q: Qdisc, config: BpfConfig): void {
  q.port.env.release(config.enqueue.id)
  q.port.env.release(config.dequeue.id)
}

function dump(q: Qdisc): unknown {
  const { config } = bpfPriv(q)
  const { env } = q.port
  const prog = (row: { id: number; name: string }) => ({ ...row, prog: env.progRef(row.id) })
  return {
    enqueue: prog(config.enqueue), dequeue: prog(config.dequeue), order: config.order, limit: config.limit, direct: config.direct,
    dialect: config.dialect,
    /** Read when asked for: without -s nobody wants to wait for maps. */
    get tcStats() {
      return env.tcStats([config.enqueue.id, config.dequeue.id]) ?? []
    },
  }
}

interface BpfRecord {
  config: BpfConfig
  classes: { classid: number; rank: number; counters: number[] }[]
  /** Rank of the implicit class. */
  defaultRank: number
  /** Ids in `flows`, 0: the implicit class; the first among equals before the others. */
  flows: number[]
  /** The first packet is the one that was answered with THROTTLE. */
  held: boolean
}

function save(q: Qdisc, sink: FrameSink): BpfRecord {
  const priv = bpfPriv(q)
  for (const cls of [priv.fallback, ...priv.classes]) for (const skb of cls.queue.inOrder()) sink.add(cls.classid.toString(16), skb)
  return {
    config: priv.config, flows: [...priv.flows].sort((a, b) => a.order! - b.order!).map((cls) => cls.classid),
    held: priv.held !== 0 && firstSkb(priv) === priv.held,
    defaultRank: priv.fallback.rank,
    classes: priv.classes.map((c) => ({
      classid: c.classid, rank: c.rank, counters: [c.bytes, c.packets, c.drops, c.overlimits, c.requeues],
    })),
  }
}

function restore(q: Qdisc, record: unknown, frames: readonly SavedFrame[]): void {
  const { config, classes, defaultRank, flows, held } = record as BpfRecord
  const priv = newBpfPriv(q, config)
  priv.fallback.rank = defaultRank
  const { skbs } = q.port.env
  for (const { classid, rank, counters } of classes) {
    const cls = newBpfClass(skbs, classid, config.order === 'max')
    const [bytes = 0, packets = 0, drops = 0, overlimits = 0, requeues = 0] = counters
    priv.classes.push(Object.assign(cls, { rank, bytes, packets, drops, overlimits, requeues }))
  }
  const byId = (id: number): BpfClass => priv.classes.find((cls) => cls.classid === id) ?? priv.fallback
  for (const { where, skb } of frames) {
    const cls = byId(parseInt(where, 16))
    cls.queue.push(skb, cls.queue.rankLow(skb), cls.queue.rankHigh(skb))
    cls.backlog += skbs.pktLen(skb)
  }
  q.priv = priv
  for (const id of flows) activate(priv, byId(id))
  if (held) priv.held = firstSkb(priv)
}
