// A device as the datapath holds it: the net_device, its queueing side and the frames on its link.
import type { NetDev } from '../dev/types.js'
import type { DevSched } from '../sched/types.js'
import type { Timer } from './clock.js'
import type { SkbQueue } from '../skb/queue.js'

export interface Port {
  readonly dev: NetDev
  readonly sched: DevSched
  /** When the frame on the wire is through. */
  readonly wireTimer: Timer
  /** NIC: frames the driver has taken; the first is on the wire. */
  readonly ring: SkbQueue
  /** Of those, how many came through the qdisc (the rest: XDP transmits). */
  inRing: number
  /** Tx queue after which the next wake begins. */
  lastQueue: number
  /** veth with native XDP: receive rings by queue. */
  rx: RxRing[]
  /** By CPU: frames for ndo_xdp_xmit (struct xdp_dev_bulk_queue), and whether the dequeue program waits for a turn. */
  readonly bulk: BulkQueue[]
  /** What the state holds of it, to save only what changed. */
  saved: { dev: string; sched: string; frames: boolean }
  /** Masks of xps_cpus and xps_rxqs by queue; undefined: not asked yet in this request. */
  xpsMaps: XpsMaps | undefined
}

export interface BulkQueue {
  readonly frames: SkbQueue
  /** On the CPU's list. */
  listed: boolean
  /** The ring was full: a turn when it has room again. */
  waits: boolean
}

export interface RxRing {
  readonly port: Port
  readonly queue: number
  readonly frames: SkbQueue
  scheduled: boolean
}

/** xps_cpus and xps_rxqs of a device; absent: no mask is set. */
export interface XpsMaps {
  cpus: XpsMap | undefined
  rxqs: XpsMap | undefined
}

export interface XpsMap {
  /** Queue -> mask. */
  masks: ReadonlyMap<number, bigint>
  /** CPU or receive queue -> the queues whose masks have it, worked out when first needed. */
  queues: (readonly number[] | undefined)[]
}

/** A frame that left a device or reached the stack, for wire.take. */
export interface KeptFrame {
  bytes: Uint8Array
  at: number
  queue: number
}
