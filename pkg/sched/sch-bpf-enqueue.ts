// Enqueue of the programmable qdisc (the sch_bpf RFC of 2021): filters first, then the program; the class it names stores the packet.
import { clearSchBpfCtx, runSchBpf, SCH_BPF, schBpfField, setSchBpfField } from '../hook/sch-bpf-ctx.js'
import { TC_ACT } from '../uapi/bpf.js'
import { major } from '../units/handle.js'
import { classifiedAs, classify } from './cls-api.js'
import { enqueueChild, qdiscDrop } from './common.js'
import { activate, type BpfClass } from './sch-bpf-class.js'
import { bpfPriv, hex, knownVerdict, ready, verdictName, type BpfPriv } from './sch-bpf-priv.js'
import { NET_XMIT, type Qdisc } from './types.js'

let rankLow = 0
let rankHigh = 0

/** NET_XMIT_* */
export function enqueue(q: Qdisc, skb: number): number {
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
  if (env.tracing) {
    const rank = rankHigh * 0x100000000 + rankLow
    env.trace(skb, q.port.dev, 'sch_bpf/enqueue', `${verdictName(verdict)} classid ${hex(classid)} rank ${rank}`)
  }
  if (verdict === SCH_BPF.DROP || !knownVerdict(verdict)) return qdiscDrop(q, skb)
  const cls = classid === 0 && !env.strict ? priv.fallback : findClass(q, priv, classid)
  if (cls) return cls
  qdiscDrop(q, skb)
  return env.strict ? verdict : NET_XMIT.DROP
}


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
