// pfifo, bfifo, pfifo_head_drop (net/sched/sch_fifo.c): one queue with a limit in packets or bytes.
import { dequeueHead, enqueueTail, purgeQueue, qdiscDrop, treeReduceBacklog } from './common.js'
import { NET_XMIT, type Qdisc, type QdiscKind, type SavedFrame } from './types.js'

interface Fifo {
  limit: number
}

const priv = (q: Qdisc): Fifo => q.priv as Fifo

const limitOf = (options: unknown): number | undefined => (options as { limit?: number } | undefined)?.limit

/** __fifo_init: what the device's queue length says when there are no options. */
function fifoKind(kind: string, defaultLimit: (q: Qdisc) => number, enqueue: QdiscKind['enqueue']): QdiscKind {
  return {
    kind,
    init(q, options) {
      q.priv = { limit: limitOf(options) ?? defaultLimit(q) } satisfies Fifo
    },
    change(q, options) {
      priv(q).limit = limitOf(options) ?? priv(q).limit
    },
    enqueue,
    dequeue: dequeueHead,
    peek: (q) => q.queue.head,
    reset: purgeQueue,
    dump: (q) => ({ limit: priv(q).limit }),
    save(q, sink) {
      for (const skb of q.queue) sink.add('', skb)
      return { limit: priv(q).limit }
    },
    restore(q, record, frames) {
      q.priv = { limit: (record as Fifo).limit }
      pushAll(q, frames)
    },
  }
}

/** Saved frames back into the one queue, in order. */
export function pushAll(q: Qdisc, frames: readonly SavedFrame[]): void {
  for (const { skb } of frames) q.queue.push(skb)
}

const txqlen = (q: Qdisc): number => Math.max(q.port.dev.txqlen, 1)

export const pfifo = fifoKind('pfifo', txqlen, (q, skb) =>
  q.queue.qlen < priv(q).limit ? enqueueTail(q, skb) : qdiscDrop(q, skb, 'QDISC_OVERLIMIT'),
)

/** psched_mtu: what one packet may weigh, with its link header. */
const mtu = (q: Qdisc): number => q.port.dev.mtu + 14

export const bfifo = fifoKind('bfifo', (q) => txqlen(q) * mtu(q), (q, skb) =>
  q.backlog + q.port.env.skbs.pktLen(skb) <= priv(q).limit ? enqueueTail(q, skb) : qdiscDrop(q, skb, 'QDISC_OVERLIMIT'),
)

export const pfifoHeadDrop = fifoKind('pfifo_head_drop', txqlen, (q, skb) => {
  if (priv(q).limit === 0) return qdiscDrop(q, skb, 'QDISC_OVERLIMIT')
  if (q.queue.qlen < priv(q).limit) return enqueueTail(q, skb)
  const { skbs } = q.port.env
  const oldest = q.queue.shift()
  const len = skbs.pktLen(oldest)
  q.qlen -= 1
  q.backlog -= len
  qdiscDrop(q, oldest, 'QDISC_OVERLIMIT')
  enqueueTail(q, skb)
  treeReduceBacklog(q, 0, len - skbs.pktLen(skb))
  return NET_XMIT.CN
})
