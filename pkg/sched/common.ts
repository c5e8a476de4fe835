// What kinds share: the accounting of a frame that enters, leaves or is dropped (include/net/sch_generic.h).
import type { TcStats } from '../request/rtnl.js'
import { flushBlock } from './cls-api.js'
import { NET_XMIT, type Qdisc } from './types.js'

/** qdisc_enqueue_tail */
export function enqueueTail(q: Qdisc, skb: number): number {
  const { skbs } = q.port.env
  q.queue.push(skb)
  q.qlen += 1
  q.backlog += skbs.pktLen(skb)
  return NET_XMIT.SUCCESS
}

/** qdisc_dequeue_head */
export function dequeueHead(q: Qdisc): number {
  const skb = q.queue.shift()
  if (skb !== 0) accountSent(q, skb)
  return skb
}

/** A frame leaves: out of the backlog, into the counters. */
export function accountSent(q: Qdisc, skb: number): void {
  const len = q.port.env.skbs.pktLen(skb)
  q.qlen -= 1
  q.backlog -= len
  q.bytes += len
  q.packets += 1
}

/** qdisc_drop */
export function qdiscDrop(q: Qdisc, skb: number, reason = 'QDISC_DROP'): number {
  q.drops += 1
  q.port.env.drop(skb, reason)
  return NET_XMIT.DROP
}

/** Frees a queue's frames at reset. */
export function purgeQueue(q: Qdisc): void {
  for (let skb = q.queue.shift(); skb !== 0; skb = q.queue.shift()) q.port.env.drop(skb, 'QUEUE_PURGE')
  q.qlen = 0
  q.backlog = 0
}

/** qdisc_reset: the kind's frames and those that wait to be sent again. */
export function qdiscReset(q: Qdisc): void {
  q.kind.reset(q)
  for (let skb = q.stash.shift(); skb !== 0; skb = q.stash.shift()) q.port.env.drop(skb, 'QUEUE_PURGE')
  q.qlen = 0
  q.backlog = 0
}

/** gnet_stats of a qdisc; the stash is part of its queue. */
export function qdiscStats(q: Qdisc): TcStats {
  if (q.kind.stats) return q.kind.stats(q)
  return {
    bytes: q.bytes, packets: q.packets, drops: q.drops, overlimits: q.overlimits, requeues: q.requeues, backlog: q.backlog, qlen: q.qlen,
  }
}

/** qdisc_put of the last reference: the qdisc, what waits in it and everything below it goes. */
export function destroyTree(q: Qdisc): void {
  for (const child of childrenOf(q)) destroyTree(child)
  qdiscReset(q)
  q.port.env.watchdogCancel(q)
  if (q.block) flushBlock(q.port.env, q.block)
  q.kind.destroy?.(q)
}

/** The qdiscs below a classful one. */
export function childrenOf(q: Qdisc): Qdisc[] {
  if (q.kind.mq) return q.port.queues.filter((child) => child !== q && child.kind.kind !== 'noop')
  const { classes } = q.kind
  if (!classes) return []
  return classes.walk(q).flatMap((cls) => classes.leaf(q, cls) ?? [])
}

/** A qdisc and everything below it, each once. */
export function treeOf(root: Qdisc): Qdisc[] {
  return [root, ...childrenOf(root).flatMap(treeOf)]
}

/** qdisc_tree_reduce_backlog: packets that went elsewise than through the parents' dequeue leave the parents' accounts too. */
export function treeReduceBacklog(q: Qdisc, packets: number, bytes: number): void {
  const tree = treeOf(q.port.root)
  for (let at = q; ; ) {
    const parent = tree.find((each) => each !== at && each.handle !== 0 && each.handle >>> 16 === at.parent >>> 16)
    if (!parent || parent.kind.mq) return
    parent.qlen -= packets
    parent.backlog -= bytes
    at = parent
  }
}

/** qdisc_enqueue of a child on behalf of its parent, with the child's own run left to the root. */
export function enqueueChild(child: Qdisc, skb: number): number {
  return child.kind.enqueue(child, skb)
}
