// What a queueing discipline is (struct Qdisc, struct Qdisc_ops, struct Qdisc_class_ops: include/net/sch_generic.h). One file a kind
// implements QdiscKind; kinds.ts lists them. A qdisc never sends: it holds frames and hands them to datapath when asked.
import type { NetDev } from '../dev/types.js'
import type { HookProg } from '../hook/types.js'
import type { ProgRef, TcClass, TcStats } from '../request/rtnl.js'
import type { SkbRecord } from '../skb/record.js'
import { SkbQueue } from '../skb/queue.js'
import type { Skbs } from '../skb/skb.js'
import type { BpfQdiscs } from './bpf-qdisc-run.js'
import type { Block } from './cls-api.js'

/** NET_XMIT_*: include/linux/netdevice.h, include/net/sch_generic.h */
export const NET_XMIT = { SUCCESS: 0, DROP: 1, CN: 2, STOLEN: 0x10000, BYPASS: 0x20000 } as const

/** What qdiscs need from the process around them. */
export interface SchedEnv {
  readonly skbs: Skbs
  readonly strict: boolean
  now(): number
  /** The one end of a frame that is not sent. */
  drop(skb: number, reason: string): void
  /** Program of an id; undefined: gone or never there. */
  prog(id: number): HookProg | undefined
  progRef(id: number): ProgRef
  /** A program is attached (or no longer): keeps it alive. */
  hold(id: number): void
  release(id: number): void
  /** qdisc_watchdog_schedule_ns: absolute virtual time; replaces an earlier one. */
  watchdog(q: Qdisc, at: number): void
  watchdogCancel(q: Qdisc): void
  /** When the qdisc's watchdog will fire, undefined: it is not armed. */
  watchdogAt(q: Qdisc): number | undefined
  /** A line for the kernel log. */
  warn(text: string): void
  /** `.tc_stats` of the programs of a bpf qdisc, for dumps. */
  tcStats(progIds: readonly number[]): { name: string; fields: [string, string][] }[] | undefined
  /** Qdiscs that are programs of struct_ops tables; absent: this machine has none. */
  readonly bpf?: BpfQdiscs
  /** A trace is being taken: callers make its texts only then. */
  readonly tracing: boolean
  /** For `wire trace`. */
  trace(skb: number, dev: NetDev, hook: string, text: string): void
}

/** The queueing side of one device. */
export interface DevSched {
  readonly env: SchedEnv
  readonly dev: NetDev
  /** dev->qdisc: what shows as root. */
  root: Qdisc
  /** Per tx queue: the qdisc that its frames enter (dev_queue->qdisc_sleeping). */
  queues: Qdisc[]
  /** Ingress or clsact. */
  ingress: Qdisc | undefined
  /** Creation order of qdiscs, for the order of listings. */
  born: number
}

export interface Qdisc {
  readonly kind: QdiscKind
  readonly port: DevSched
  readonly handle: number
  parent: number
  /** Where it is in the listing's hash chain: higher is newer. */
  readonly born: number
  /** Only one tx queue is fed from it (TCQ_F_ONETXQUEUE); -1: any. */
  txq: number
  refcnt: number
  qlen: number
  backlog: number
  bytes: number
  packets: number
  drops: number
  overlimits: number
  requeues: number
  /** gso_skb: frames the driver refused, sent first. */
  readonly stash: SkbQueue
  /** The queue of simple kinds. */
  readonly queue: SkbQueue
  block: Block | undefined
  /** Kind's own state. */
  priv: unknown
  /** Waits in a CPU's list of qdiscs to run (__QDISC_STATE_SCHED). */
  scheduled: boolean
  running: boolean
}

/** Frames of a qdisc on their way into or out of the state, each under the name of the queue that holds it. */
export interface FrameSink {
  add(where: string, skb: number): void
}

export interface SavedFrame {
  where: string
  skb: number
}

export interface ClassOps {
  /** Classes by id; 0 and unknown: undefined. */
  find(q: Qdisc, classid: number): unknown
  /** Creates, or changes `existing`. Absent: EOPNOTSUPP. */
  change?(q: Qdisc, classid: number, parent: number, options: unknown, existing: unknown): void
  delete?(q: Qdisc, cls: unknown): void
  /** Puts a child under the class; undefined: back to its own queue. Returns the old child. */
  graft(q: Qdisc, cls: unknown, child: Qdisc | undefined): Qdisc | undefined
  leaf(q: Qdisc, cls: unknown): Qdisc | undefined
  walk(q: Qdisc): unknown[]
  dump(q: Qdisc, cls: unknown): Omit<TcClass, 'dev' | 'ifindex' | 'kind'>
}

export interface QdiscKind {
  readonly kind: string
  /** Absent: a classless kind. */
  readonly classes?: ClassOps
  /** Filters may be attached to it (cl_ops->tcf_block). */
  readonly filters?: boolean
  /** TCQ_F_INGRESS */
  readonly ingress?: boolean
  /** Has no queue: frames go straight to the driver. */
  readonly noqueue?: boolean
  /** Every instance is kept one by one, also where mq made it. */
  readonly ownState?: boolean
  /** Spreads over the tx queues: every queue has a child of its own. */
  readonly mq?: boolean
  /** Throws KernelError on wrong options. `options` undefined: none given. */
  init(q: Qdisc, options: unknown): void
  /** Absent: EOPNOTSUPP-like answer of the core. All of the change or none. */
  change?(q: Qdisc, options: unknown): void
  /** NET_XMIT_*; a frame it does not keep it has dropped. */
  enqueue(q: Qdisc, skb: number): number
  /** 0: nothing to send now. */
  dequeue(q: Qdisc): number
  peek(q: Qdisc): number
  /** Throws away what waits. */
  reset(q: Qdisc): void
  destroy?(q: Qdisc): void
  dump?(q: Qdisc): unknown
  dumpXstats?(q: Qdisc): unknown
  stats?(q: Qdisc): TcStats
  /** Kind's own part of the record; frames go to the sink. */
  save?(q: Qdisc, sink: FrameSink): unknown
  restore?(q: Qdisc, record: unknown, frames: readonly SavedFrame[]): void
}

/** struct Qdisc right after qdisc_alloc. */
export function newQdisc(kind: QdiscKind, port: DevSched, handle: number, parent: number, born: number): Qdisc {
  return {
    kind, port, handle, parent, born, txq: -1, refcnt: 1, qlen: 0, backlog: 0, bytes: 0, packets: 0, drops: 0, overlimits: 0, requeues: 0,
    stash: new SkbQueue(port.env.skbs), queue: new SkbQueue(port.env.skbs), block: undefined, priv: undefined, scheduled: false,
    running: false,
  }
}

/** A queued frame as records name it. */
export type FrameRecord = SkbRecord & { where: string }
