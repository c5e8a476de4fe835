// T1 to T3: from dev_queue_xmit to the qdisc (net/core/dev.c: __dev_queue_xmit, __dev_xmit_skb).
import { carrier } from '../dev/info.js'
import { clsactPriv } from '../sched/sch-ingress.js'
import { SKB } from '../skb/layout.js'
import type { Core } from './core.js'
import { handle, TC_SKIP_CLASSIFY } from './ingress.js'
import { pickQueue } from './pick-queue.js'
import type { Port } from './port.js'
import { qdiscRun } from './qdisc-run.js'
import { xmitSkb } from './xmit.js'

/** XMIT_RECURSION_LIMIT */
export const RECURSION_LIMIT = 8
const VLAN_HLEN = 4

/** Takes the skb, data at its Ethernet header. */
export function devQueueXmit(core: Core, port: Port, skb: number): void {
  const { dev } = port
  if (!core.isUp(port) || !carrier(dev, core.peerUp(dev))) {
    dev.stats.txDropped += 1
    return core.drop(skb, dev, 'DEV_READY')
  }
  if (core.skbs.len(skb) > dev.mtu + core.skbs.get16(skb, SKB.mac_len) + VLAN_HLEN && dev.mtu > 0) {
    dev.stats.txDropped += 1
    return core.drop(skb, dev, 'PKT_TOO_BIG')
  }
  if (core.depth >= RECURSION_LIMIT) {
    core.host.log(`Dead loop on virtual device ${dev.name}, fix it urgently!`)
    return core.drop(skb, dev, 'RECURSION_LIMIT')
  }
  core.depth += 1
  core.setDev(skb, port)
  if (tcEgress(core, port, skb)) toQdisc(core, port, skb, pickQueue(core, port, skb))
  core.depth -= 1
}

/** T1: filters of clsact egress; true: goes on. */
function tcEgress(core: Core, port: Port, skb: number): boolean {
  const { u8 } = core.skbs
  const flags = u8[skb + SKB.tc_flags]!
  if ((flags & TC_SKIP_CLASSIFY) !== 0) {
    u8[skb + SKB.tc_flags] = flags & ~TC_SKIP_CLASSIFY
    return true
  }
  const q = port.sched.ingress
  const block = q && clsactPriv(q).egress
  return !block || block.protos.length === 0 || handle(core, port, skb, block, 'TC_EGRESS')
}

/** T3, and T4 at once unless the qdisc is already running. */
function toQdisc(core: Core, port: Port, skb: number, queue: number): void {
  const { skbs } = core
  skbs.set16(skb, SKB.queue_mapping, queue)
  skbs.setPktLen(skb, skbs.len(skb))
  const q = port.sched.queues[queue]!
  if (core.trace) core.step(skb, port.dev, 'queue', `tx-${queue} qdisc ${q.kind.kind}`)
  if (q.kind.noqueue) {
    if (!xmitSkb(core, port, skb, queue)) core.drop(skb, port.dev, 'QDISC_DROP')
    return
  }
  q.kind.enqueue(q, skb)
  if (!q.running) qdiscRun(core, port, q)
}
