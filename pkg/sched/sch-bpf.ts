// The programmable qdisc "bpf" of the sch_bpf RFC, v1 and v2 (spec/sch_bpf.md sections 3 to 9): two programs decide, this file stores.
// Packets wait in a ranked queue per class; classes that hold packets wait in a ranked list of flows.
import { KernelError } from '../bytes/errors.js'
import {
  clearSchBpfCtx, runSchBpf, SCH_BPF, SCH_BPF_V1, schBpfField, schBpfWide, setSchBpfField, type SchBpfLayout,
} from '../hook/sch-bpf-ctx.js'
import type { HookProg } from '../hook/types.js'
import { TC_ACT } from '../uapi/bpf.js'
import { EINVAL } from '../uapi/errno.js'
import { major } from '../units/handle.js'
import { classifiedAs, classify, newBlock } from './cls-api.js'
import { accountSent, enqueueChild, qdiscDrop, treeReduceBacklog } from './common.js'
import { activate, classBacklog, firstFlow, newBpfClass, nextSkb, removeFlow, type BpfClass } from './sch-bpf-class.js'
import { bpfClassOps } from './sch-bpf-class-ops.js'
import { layoutOf, parseBpfOptions, type BpfConfig } from './sch-bpf-config.js'
import { NET_XMIT, type FrameSink, type Qdisc, type QdiscKind, type SavedFrame } from './types.js'

export interface BpfPriv {
  config: BpfConfig
  /** Resolved when first needed: a qdisc that is only shown loads no program. */
  enqueue: HookProg | undefined
  dequeue: HookProg | undefined
  layout: SchBpfLayout | undefined
  /** Implicit class of rank 0 for programs that leave classid at 0. */
  fallback: BpfClass
  classes: BpfClass[]
  /** Classes that hold packets, ordered by rank. */
  flows: BpfClass[]
  order: number
  /** Taken out of flows during a dequeue because the child sends nothing now. */
  resting: BpfClass[]
}

export const bpfPriv = (q: Qdisc): BpfPriv => q.priv as BpfPriv

function setup(q: Qdisc, config: BpfConfig): BpfPriv {
  const { skbs } = q.port.env
  return {
    config, enqueue: undefined, dequeue: undefined, layout: undefined, fallback: newBpfClass(skbs, 0, config.order === 'max'),
    classes: [], flows: [], order: 0, resting: [],
  }
}

export const schBpf: QdiscKind = {
  kind: 'bpf',
  filters: true,
  classes: bpfClassOps,
  init(q, options) {
    if (options === undefined) throw new KernelError(EINVAL, 'Enqueue and dequeue programs are required')
    const config = parseBpfOptions(q.port.env, options, undefined)
    q.priv = setup(q, config)
    q.block = newBlock()
    holdProgs(q, config)
  },
  change(q, options) {
    const priv = bpfPriv(q)
    const config = parseBpfOptions(q.port.env, options, priv.config)
    holdProgs(q, config)
    releaseProgs(q, priv.config)
    Object.assign(priv, { config, enqueue: undefined, dequeue: undefined, layout: undefined })
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
    priv.flows.length = 0
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
  cls.child?.kind.reset(cls.child)
}

function holdProgs(q: Qdisc, config: BpfConfig): void {
  q.port.env.hold(config.enqueue.id)
  q.port.env.hold(config.dequeue.id)
}

function releaseProgs(q: Qdisc, config: BpfConfig): void {
  q.port.env.release(config.enqueue.id)
  q.port.env.release(config.dequeue.id)
}

/** The programs and the layout of their context; a program that is gone counts as one that drops. */
function ready(q: Qdisc, priv: BpfPriv): SchBpfLayout | undefined {
  const { env } = q.port
  priv.enqueue ??= env.prog(priv.config.enqueue.id)
  priv.dequeue ??= env.prog(priv.config.dequeue.id)
  if (!priv.enqueue || !priv.dequeue) return undefined
  return (priv.layout ??= layoutOf(priv.config.dialect))
}

// Enqueue: filters first, then the program; the class it names stores the packet.

let rankLow = 0
let rankHigh = 0

function enqueue(q: Qdisc, skb: number): number {
  const priv = bpfPriv(q)
  rankLow = rankHigh = 0
  const cls = q.block!.protos.length > 0 ? filtered(q, priv, skb) : undefined
  if (cls === STOLEN) return NET_XMIT.SUCCESS | NET_XMIT.STOLEN
  if (cls === DROPPED) return NET_XMIT.DROP
  const chosen = cls ?? programmed(q, priv, skb)
  return typeof chosen === 'number' ? chosen : store(q, priv, chosen, skb)
}

const STOLEN = Symbol('stolen')
const DROPPED = Symbol('dropped')

/** What the attached filters say; undefined: none matched, or it named no class of ours. */
function filtered(q: Qdisc, priv: BpfPriv, skb: number): BpfClass | typeof STOLEN | typeof DROPPED | undefined {
  const action = classify(q.port.env, q.block!, skb)
  switch (action) {
    case TC_ACT.UNSPEC:
      return undefined
    case TC_ACT.SHOT:
      qdiscDrop(q, skb, 'QDISC_DROP')
      return DROPPED
    case TC_ACT.STOLEN:
    case TC_ACT.QUEUED:
    case TC_ACT.TRAP:
      q.port.env.drop(skb, 'CONSUMED')
      return STOLEN
    default:
      return findClass(q, priv, classifiedAs())
  }
}

/** A class by its id; a bare minor means this qdisc's, since v1 programs are not told the handle. */
function findClass(q: Qdisc, priv: BpfPriv, classid: number): BpfClass | undefined {
  const id = major(classid) === 0 && classid !== 0 && !q.port.env.strict ? (q.handle | classid) >>> 0 : classid >>> 0
  return priv.classes.find((cls) => cls.classid === id)
}

/** Runs the enqueue program: the class for the packet, or the transmit code when it was dropped. */
function programmed(q: Qdisc, priv: BpfPriv, skb: number): BpfClass | number {
  const { env } = q.port
  const layout = ready(q, priv)
  if (!layout) return qdiscDrop(q, skb)
  clearSchBpfCtx(env.skbs)
  setSchBpfField(env.skbs, layout.nr_flows, priv.classes.length)
  setSchBpfField(env.skbs, layout.nr_packets, q.qlen)
  setSchBpfField(env.skbs, layout.handle, q.handle)
  const verdict = runSchBpf(env.skbs, skb, priv.enqueue!)
  const classid = schBpfField(env.skbs, layout.classid)
  rankLow = schBpfField(env.skbs, layout.rank)
  rankHigh = schBpfField(env.skbs, layout.rank + 4)
  if (env.tracing) env.trace(skb, q.port.dev, 'sch_bpf/enqueue', `${verdictName(verdict)} classid ${hex(classid)} rank ${rankHigh * 0x100000000 + rankLow}`)
  if (verdict === SCH_BPF.DROP || !knownVerdict(verdict)) return qdiscDrop(q, skb)
  const cls = classid === 0 && !env.strict ? priv.fallback : findClass(q, priv, classid)
  if (cls) return cls
  qdiscDrop(q, skb)
  return env.strict ? verdict : NET_XMIT.DROP
}

const hex = (classid: number): string => `${major(classid).toString(16)}:${(classid & 0xffff).toString(16)}`
const verdictName = (verdict: number): string => Object.entries(SCH_BPF).find(([, value]) => value === verdict)?.[0] ?? String(verdict)
/** Anything but OK, REQUEUE and THROTTLE drops: an unknown verdict must not queue by accident. */
const knownVerdict = (verdict: number): boolean => verdict >= SCH_BPF.OK && verdict <= SCH_BPF.THROTTLE

function store(q: Qdisc, priv: BpfPriv, cls: BpfClass, skb: number): number {
  const { skbs } = q.port.env
  const len = skbs.pktLen(skb)
  if (q.qlen >= priv.config.limit) return qdiscDrop(q, skb, 'QDISC_OVERLIMIT')
  if (cls.child) {
    const code = enqueueChild(cls.child, skb)
    if (code !== NET_XMIT.SUCCESS) return notStored(q, cls, code)
  } else {
    cls.queue.push(skb, rankLow, rankHigh)
    cls.backlog += len
  }
  q.qlen += 1
  q.backlog += len
  activate(priv, cls)
  return NET_XMIT.SUCCESS
}

/** A child that refused counts as a drop here too; one whose filter took the packet does not. */
function notStored(q: Qdisc, cls: BpfClass, code: number): number {
  if ((code & NET_XMIT.STOLEN) === 0) {
    q.drops += 1
    cls.drops += 1
  }
  return code
}

// Dequeue: the first class's first packet goes past the program, which sends it, ranks it anew, holds it or drops it.

function dequeue(q: Qdisc): number {
  const priv = bpfPriv(q)
  const layout = ready(q, priv)
  if (!layout) return 0
  const skb = choose(q, priv, layout)
  if (priv.resting.length > 0) wakeResting(priv)
  return skb
}

function choose(q: Qdisc, priv: BpfPriv, layout: SchBpfLayout): number {
  const { skbs } = q.port.env
  clearSchBpfCtx(skbs)
  for (let round = q.qlen + priv.classes.length + 1; round > 0; round -= 1) {
    const cls = firstFlow(priv)
    if (!cls) return 0
    removeFlow(priv, cls)
    const skb = nextSkb(skbs, cls)
    if (skb === 0) {
      if (holds(cls)) priv.resting.push(cls)
      continue
    }
    const verdict = ask(q, priv, layout, cls, skb)
    if (verdict === SCH_BPF.OK) return send(q, priv, cls, skb)
    if (verdict === SCH_BPF.THROTTLE) return throttle(q, priv, layout, cls, skb)
    if (verdict === SCH_BPF.REQUEUE) requeue(q, priv, layout, cls, skb)
    else if (discard(q, priv, cls, skb)) return 0
  }
  q.port.env.warn(`qdisc bpf ${hex(q.handle)}: dequeue program requeues without end`)
  return 0
}

/** Classes whose child holds packets back for now stay in flows, for the time its watchdog wakes us. */
function wakeResting(priv: BpfPriv): void {
  for (let cls = priv.resting.shift(); cls; cls = priv.resting.shift()) activate(priv, cls, true)
}

function ask(q: Qdisc, priv: BpfPriv, layout: SchBpfLayout, cls: BpfClass, skb: number): number {
  const { skbs } = q.port.env
  if (layout !== SCH_BPF_V1) clearSchBpfCtx(skbs)
  setSchBpfField(skbs, layout.nr_flows, priv.classes.length)
  setSchBpfField(skbs, layout.nr_packets, q.qlen)
  setSchBpfField(skbs, layout.handle, q.handle)
  setSchBpfField(skbs, layout.classid, cls.child ? cls.classid : cls.rank)
  const verdict = runSchBpf(skbs, skb, priv.dequeue!)
  if (q.port.env.tracing) q.port.env.trace(skb, q.port.dev, 'sch_bpf/dequeue', `${verdictName(verdict)} class ${hex(cls.classid)}`)
  return verdict
}

function send(q: Qdisc, priv: BpfPriv, cls: BpfClass, skb: number): number {
  const len = q.port.env.skbs.pktLen(skb)
  accountSent(q, skb)
  cls.bytes += len
  cls.packets += 1
  if (holds(cls)) activate(priv, cls)
  return skb
}

const holds = (cls: BpfClass): boolean => classBacklog(cls).qlen > 0

function requeue(q: Qdisc, priv: BpfPriv, layout: SchBpfLayout, cls: BpfClass, skb: number): void {
  const { skbs } = q.port.env
  cls.rank = schBpfField(skbs, layout.classid)
  cls.queue.push(skb, schBpfField(skbs, layout.rank), schBpfField(skbs, layout.rank + 4))
  cls.backlog += skbs.pktLen(skb)
  cls.requeues += 1
  activate(priv, cls)
}

function throttle(q: Qdisc, priv: BpfPriv, layout: SchBpfLayout, cls: BpfClass, skb: number): number {
  const { env } = q.port
  cls.queue.unshift(skb)
  cls.backlog += env.skbs.pktLen(skb)
  activate(priv, cls, true)
  q.overlimits += 1
  cls.overlimits += 1
  env.watchdog(q, env.now() + schBpfWide(env.skbs, layout.delay))
  return 0
}

/** A packet the dequeue program does not want. true: nothing is returned this time (as posted); else the next one is looked at. */
function discard(q: Qdisc, priv: BpfPriv, cls: BpfClass, skb: number): boolean {
  const len = q.port.env.skbs.pktLen(skb)
  q.qlen -= 1
  q.backlog -= len
  treeReduceBacklog(q, 1, len)
  cls.drops += 1
  qdiscDrop(q, skb)
  if (holds(cls)) activate(priv, cls)
  return q.port.env.strict
}

function dump(q: Qdisc): unknown {
  const { config } = bpfPriv(q)
  const { env } = q.port
  const prog = (row: { id: number; name: string }) => ({ ...row, prog: env.progRef(row.id) })
  const tcStats = env.tcStats([config.enqueue.id, config.dequeue.id])
  return {
    enqueue: prog(config.enqueue), dequeue: prog(config.dequeue), order: config.order, limit: config.limit, direct: config.direct,
    dialect: config.dialect, ...(tcStats ? { tcStats } : {}),
  }
}

interface BpfRecord {
  config: BpfConfig
  classes: { classid: number; rank: number; counters: number[] }[]
  /** Ids in `flows`, 0: the implicit class. */
  flows: number[]
}

function save(q: Qdisc, sink: FrameSink): BpfRecord {
  const priv = bpfPriv(q)
  for (const cls of [priv.fallback, ...priv.classes]) for (const skb of cls.queue.inOrder()) sink.add(cls.classid.toString(16), skb)
  return {
    config: priv.config, flows: priv.flows.map((cls) => cls.classid),
    classes: priv.classes.map((c) => ({
      classid: c.classid, rank: c.rank, counters: [c.bytes, c.packets, c.drops, c.overlimits, c.requeues],
    })),
  }
}

function restore(q: Qdisc, record: unknown, frames: readonly SavedFrame[]): void {
  const { config, classes, flows } = record as BpfRecord
  const priv = setup(q, config)
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
}
