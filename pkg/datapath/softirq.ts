// Work a CPU does after what called it: packets to receive, then qdiscs to run (net/core/dev.c: net_rx_action, net_tx_action;
// order: README.md, the walk of a packet).
import { SkbQueue } from '../skb/queue.js'
import type { Skbs } from '../skb/skb.js'
import type { Qdisc } from '../sched/types.js'
import type { Port, RxRing } from './port.js'

/** sysctl net.core.netdev_max_backlog, and the weight of one poll. */
export const MAX_BACKLOG = 1000
export const POLL_WEIGHT = 64

/** One CPU's lists. */
export interface CpuWork {
  /** Receive rings to poll. */
  readonly polls: RxRing[]
  /** netif_rx */
  readonly backlog: SkbQueue
  /** Frames that a cpumap sent here, each with its map entry's program. */
  readonly cpumap: SkbQueue
  /** Devices whose dequeue programs are due. */
  readonly dequeue: Port[]
  readonly output: Qdisc[]
}

export class Softirq {
  readonly cpus: readonly CpuWork[]
  /** Turns of dequeue programs in a row that moved no frame. */
  futile = 0
  /** The device whose dequeue program ran last. */
  serving: Port | undefined

  constructor(cpus: number, skbs: Skbs) {
    this.cpus = Array.from({ length: cpus }, () => ({
      polls: [], backlog: new SkbQueue(skbs), cpumap: new SkbQueue(skbs), dequeue: [], output: [],
    }))
  }

  pending(cpu: number): boolean {
    const work = this.cpus[cpu]!
    return work.polls.length > 0 || work.backlog.qlen > 0 || work.cpumap.qlen > 0 || work.dequeue.length > 0 || work.output.length > 0
  }

  /** __netif_schedule */
  schedule(cpu: number, q: Qdisc): void {
    if (q.scheduled) return
    q.scheduled = true
    this.cpus[cpu]!.output.push(q)
  }

  /** napi_schedule */
  poll(cpu: number, ring: RxRing): void {
    if (ring.scheduled) return
    ring.scheduled = true
    this.cpus[cpu]!.polls.push(ring)
  }
}
