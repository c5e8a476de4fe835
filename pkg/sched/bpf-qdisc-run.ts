// What all qdiscs in BPF of a machine share: the registered tables, the frames that programs hold, and the run that is going on, which
// kernel functions act on (net/sched/bpf_qdisc.c).
import { PRIV } from '../skb/skb.js'
import type { Qdisc, SchedEnv } from './types.js'

export const MEMBERS = ['enqueue', 'dequeue', 'init', 'reset', 'destroy'] as const
export type QdiscMember = (typeof MEMBERS)[number]

/** A struct Qdisc_ops of programs. */
export interface QdiscTable {
  readonly mapId: number
  /** Program ids; 0: the table has none. */
  readonly progs: Readonly<Record<QdiscMember, number>>
}

/** What the kernel above gives. */
export interface BpfQdiscHost {
  /** The table registered under a kind's name. */
  registered(kind: string): QdiscTable | undefined
  table(mapId: number): QdiscTable
  hold(mapId: number): void
  release(mapId: number): void
  /** Memory of an instance, at an address that it keeps for life. */
  memory(name: string, size: number): number
  forget(name: string): void
}

export class BpfQdiscs {
  readonly host: BpfQdiscHost
  /** Address of a device's struct net_device. */
  readonly devStruct: (ifindex: number) => number
  readonly #env: () => SchedEnv
  #u32: Uint32Array | undefined
  #q: Qdisc | undefined
  #toFree: number[] = []

  constructor(host: BpfQdiscHost, devStruct: (ifindex: number) => number, env: () => SchedEnv) {
    this.host = host
    this.devStruct = devStruct
    this.#env = env
  }

  /** A program of `q` runs from here to end(). */
  begin(q: Qdisc): void {
    this.#q = q
  }

  /** Frames of to_free end now, behind the qdisc's lock. */
  end(): void {
    this.#q = undefined
    if (this.#toFree.length === 0) return
    const { drop } = this.#env()
    for (const skb of this.#toFree) drop(skb, 'QDISC_DROP')
    this.#toFree = []
  }

  /** Marks a frame as held by programs, in maps and objects or on the way there, or no longer. */
  own(skb: number, mark: 0 | 1): void {
    this.#u32 ??= this.#env().skbs.u32
    this.#u32[(skb + PRIV.owner) >> 2] = mark
  }

  free(skb: number): void {
    this.own(skb, 0)
    this.#env().drop(skb, 'QDISC_PURGE')
  }

  drop(skb: number): void {
    this.own(skb, 0)
    this.#toFree.push(skb)
  }

  /** qdisc_watchdog_schedule_range_ns: an alarm that is set for a time inside of the range stays. */
  watchdog(expire: number, delta: number): void {
    const q = this.#q
    if (!q) return
    const { env } = q.port
    const at = env.watchdogAt(q)
    if (at !== undefined && at >= expire && at - expire <= delta) return
    env.watchdog(q, expire)
  }

  sent(skb: number): void {
    const q = this.#q
    if (!q) return
    q.bytes += q.port.env.skbs.pktLen(skb)
    q.packets += 1
  }
}
