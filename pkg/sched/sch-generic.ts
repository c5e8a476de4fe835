// The kinds that are there without being asked for (net/sched/sch_generic.c): noop, noqueue, pfifo_fast.
import { SKB } from '../skb/layout.js'
import { SkbQueue } from '../skb/queue.js'
import { accountSent, qdiscDrop } from './common.js'
import { NET_XMIT, type Qdisc, type QdiscKind } from './types.js'

/** What a device that is down has: it swallows everything. */
export const noop: QdiscKind = {
  kind: 'noop',
  init() {},
  enqueue(q, skb) {
    q.port.env.drop(skb, 'DEV_READY')
    return NET_XMIT.CN
  },
  dequeue: () => 0,
  peek: () => 0,
  reset() {},
}

export const noqueue: QdiscKind = {
  kind: 'noqueue',
  noqueue: true,
  init() {},
  enqueue: (q, skb) => qdiscDrop(q, skb),
  dequeue: () => 0,
  peek: () => 0,
  reset() {},
}

/** TC_PRIO_* -> band */
export const PRIO2BAND = [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1] as const
const BANDS = 3
const TC_PRIO_MAX = 15

const bands = (q: Qdisc): SkbQueue[] => q.priv as SkbQueue[]

const newBands = (q: Qdisc): SkbQueue[] => Array.from({ length: BANDS }, () => new SkbQueue(q.port.env.skbs))

function first(q: Qdisc): SkbQueue | undefined {
  for (const band of bands(q)) if (band.qlen > 0) return band
  return undefined
}

export const pfifoFast: QdiscKind = {
  kind: 'pfifo_fast',
  init(q) {
    q.priv = newBands(q)
  },
  enqueue(q, skb) {
    const { skbs } = q.port.env
    const band = bands(q)[PRIO2BAND[skbs.get32(skb, SKB.priority) & TC_PRIO_MAX]!]!
    if (band.qlen >= q.port.dev.txqlen) return qdiscDrop(q, skb, 'QDISC_OVERLIMIT')
    band.push(skb)
    q.qlen += 1
    q.backlog += skbs.pktLen(skb)
    return NET_XMIT.SUCCESS
  },
  dequeue(q) {
    const skb = first(q)?.shift() ?? 0
    if (skb !== 0) accountSent(q, skb)
    return skb
  },
  peek: (q) => first(q)?.head ?? 0,
  reset(q) {
    for (const band of bands(q)) for (let skb = band.shift(); skb !== 0; skb = band.shift()) q.port.env.drop(skb, 'QUEUE_PURGE')
    q.qlen = 0
    q.backlog = 0
  },
  dump: () => ({ bands: BANDS, priomap: PRIO2BAND }),
  save(q, sink) {
    for (const [index, band] of bands(q).entries()) for (const skb of band) sink.add(String(index), skb)
    return {}
  },
  restore(q, _record, frames) {
    q.priv = newBands(q)
    for (const { where, skb } of frames) bands(q)[Number(where)]!.push(skb)
  },
}
