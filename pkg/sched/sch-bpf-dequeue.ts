// Dequeue of the programmable qdisc (the sch_bpf RFC of 2021): the first class's first packet goes past the program, which sends it,
// ranks it anew, holds it or drops it.
import {
  clearSchBpfCtx, runSchBpf, SCH_BPF, SCH_BPF_V1, schBpfField, schBpfWide, setSchBpfField, type SchBpfLayout,
} from '../hook/sch-bpf-ctx.js'
import { accountSent, qdiscDrop, treeReduceBacklog } from './common.js'
import { activate, classBacklog, firstFlow, nextSkb, removeFlow, type BpfClass } from './sch-bpf-class.js'
import { bpfPriv, hex, ready, verdictName, type BpfPriv } from './sch-bpf-priv.js'
import type { Qdisc } from './types.js'

/** 0: nothing to send now. */
export function dequeue(q: Qdisc): number {
  const priv = bpfPriv(q)
  const layout = ready(q, priv)
  if (!layout) return 0
  const skb = choose(q, priv, layout)
  if (priv.resting.length > 0) wakeResting(priv)
  return skb
}

/** A packet behind the held one changes nothing; one before it, or in a class before its, does. */
function throttled(q: Qdisc, priv: BpfPriv, first: BpfClass): boolean {
  if (priv.held === 0 || first.queue.peek() !== priv.held) return false
  return (q.port.env.watchdogAt(q) ?? 0) > q.port.env.now()
}

function choose(q: Qdisc, priv: BpfPriv, layout: SchBpfLayout): number {
  const { skbs } = q.port.env
  clearSchBpfCtx(skbs)
  for (let round = q.qlen + priv.classes.length + 1; round > 0; round -= 1) {
    const cls = firstFlow(priv)
    if (!cls || throttled(q, priv, cls)) return 0
    removeFlow(priv, cls)
    const skb = nextSkb(skbs, cls)
    if (skb === 0) {
      if (holds(cls)) priv.resting.push(cls)
      continue
    }
    if (skb === priv.held) priv.held = 0
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
  priv.held = skb
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
