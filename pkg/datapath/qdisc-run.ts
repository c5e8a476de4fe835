// T4: frames from the qdisc to the driver (net/sched/sch_generic.c: __qdisc_run, qdisc_restart, dequeue_skb, sch_direct_xmit).
import { SKB } from '../skb/layout.js'
import type { Qdisc } from '../sched/types.js'
import type { Core } from './core.js'
import type { Port } from './port.js'
import { xmitSkb } from './xmit.js'

/** dev_tx_weight */
const QUOTA = 64

export function qdiscRun(core: Core, port: Port, q: Qdisc): void {
  q.running = true
  for (let quota = QUOTA; ; quota -= 1) {
    if (quota === 0) {
      core.softirq.schedule(core.cpu, q)
      break
    }
    if (!restart(core, port, q)) break
  }
  q.running = false
}

/** Sends one frame; false: there is none, or the driver does not take it now. */
function restart(core: Core, port: Port, q: Qdisc): boolean {
  const skb = dequeueSkb(core, port, q)
  if (skb === 0) return false
  const queue = q.txq >= 0 ? q.txq : core.skbs.get16(skb, SKB.queue_mapping)
  if (xmitSkb(core, port, skb, queue)) return true
  requeue(core, q, skb)
  return false
}

/** What was refused before, else the qdisc's choice; 0 while the driver has no room. */
function dequeueSkb(core: Core, port: Port, q: Qdisc): number {
  const head = q.stash.head
  if (head !== 0) {
    if (port.dev.tx[core.skbs.get16(head, SKB.queue_mapping)]!.stopped) return 0
    q.qlen -= 1
    q.backlog -= core.skbs.pktLen(head)
    return q.stash.shift()
  }
  return stopped(port, q) ? 0 : q.kind.dequeue(q)
}

/** No queue that this qdisc feeds has room: the program of a qdisc is not asked for nothing. */
function stopped(port: Port, q: Qdisc): boolean {
  if (q.txq >= 0) return port.dev.tx[q.txq]!.stopped
  for (let i = 0; i < port.dev.realTx; i += 1) if (!port.dev.tx[i]!.stopped) return false
  return true
}

/** dev_requeue_skb: the frame the driver refused goes first next time. */
function requeue(core: Core, q: Qdisc, skb: number): void {
  q.stash.push(skb)
  q.requeues += 1
  q.qlen += 1
  q.backlog += core.skbs.pktLen(skb)
}

/** net_tx_action for one qdisc. */
export function runScheduled(core: Core, q: Qdisc): void {
  q.scheduled = false
  const port = core.port(q.port.dev.ifindex)
  if (port && port.sched === q.port && core.isUp(port) && !q.running) qdiscRun(core, port, q)
}
