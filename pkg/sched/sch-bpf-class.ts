// Classes of the programmable qdisc, and the ranked list of those that hold packets.
import { RankedQueue } from '../skb/ranked.js'
import type { Skbs } from '../skb/skb.js'
import { qdiscStats } from './common.js'
import type { Qdisc } from './types.js'

export interface BpfClass {
  /** 0: the implicit class, which no dump shows. */
  readonly classid: number
  rank: number
  readonly queue: RankedQueue
  backlog: number
  child: Qdisc | undefined
  bytes: number
  packets: number
  drops: number
  overlimits: number
  requeues: number
  /** Place among flows of equal rank; undefined: not in flows. */
  order: number | undefined
}

/** v2's meaning: a class's rank is its id until a REQUEUE sets another; the implicit class ranks 0. */
export function newBpfClass(skbs: Skbs, classid: number, max: boolean): BpfClass {
  return {
    classid, rank: classid, queue: new RankedQueue(skbs, max), backlog: 0, child: undefined, bytes: 0, packets: 0, drops: 0, overlimits: 0,
    requeues: 0, order: undefined,
  }
}

interface Flows {
  flows: BpfClass[]
  order: number
  config: { order: 'min' | 'max' }
}

/** Puts a class that holds packets into flows, behind its equals, or before them as `head`. */
export function activate(priv: Flows, cls: BpfClass, head = false): void {
  if (cls.order !== undefined) return
  priv.order += 1
  cls.order = head ? -priv.order : priv.order
  priv.flows.push(cls)
}

/** The class whose packet is next: lowest rank (or highest with order max), oldest among equals. */
export function firstFlow(priv: Flows): BpfClass | undefined {
  const sign = priv.config.order === 'max' ? -1 : 1
  let first: BpfClass | undefined
  for (const cls of priv.flows) {
    if (!first || sign * (cls.rank - first.rank) < 0 || (cls.rank === first.rank && cls.order! < first.order!)) first = cls
  }
  return first
}

/** The packet that waits at the head of the first class's own queue, 0: none. */
export const firstSkb = (priv: Flows): number => firstFlow(priv)?.queue.peek() ?? 0

export function removeFlow(priv: Flows, cls: BpfClass): void {
  cls.order = undefined
  priv.flows.splice(priv.flows.indexOf(cls), 1)
}

/** Takes the class's next packet: one that waits in its own queue, else the child's; 0 when there is none. */
export function nextSkb(skbs: Skbs, cls: BpfClass): number {
  const own = cls.queue.pop()
  if (own !== 0) cls.backlog -= skbs.pktLen(own)
  return own !== 0 || !cls.child ? own : cls.child.kind.dequeue(cls.child)
}

/** Packets and bytes that wait in the class. */
export function classBacklog(cls: BpfClass): { qlen: number; backlog: number } {
  const child = cls.child ? qdiscStats(cls.child) : { qlen: 0, backlog: 0 }
  return { qlen: child.qlen + cls.queue.length, backlog: child.backlog + cls.backlog }
}
