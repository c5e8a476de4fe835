// What helper implementations need of the machine around a running program. The kernel floor builds one HelperEnv a process; the parts
// that belong to devices and to the clock are interfaces that the floors above implement.
import type { ObjectHeap } from '../map/object-heap.js'
import type { BpfMap } from '../map/types.js'
import type { Memory } from '../mem/memory.js'
import { ARG_HI, RET_HI } from '../mem/layout.js'
import type { HelperImpl, Runnable } from '../prog/engine.js'
import type { Skbs } from '../skb/skb.js'

/** Helpers by id. */
export type HelperTable = Readonly<Record<number, HelperImpl>>

/** Which program runs now. Set before every run, and for callbacks of timers. */
export interface RunState {
  /** Undefined outside of a run. */
  runnable: Runnable | undefined
  /** BPF_PROG_TYPE_*: decides what a context pointer is. */
  progType: number
  progId: number
}

/** What a redirect helper of this run asked for; hook/types.ts has the kinds. */
export interface RedirectNote {
  kind: number
  ifindex: number
  flags: number
  mapId: number
  mapType: number
  index: number
  progId: number
  /** pifo_xdp: the upper half of the rank, whose lower half is `index`. */
  rankHigh?: number
  /** bpf_redirect_neigh's next hop: family (0: none, ask the FIB) and its 4 or 16 bytes. */
  nhFamily?: number
  nh?: Uint8Array
}

export const NOTE = { NONE: 0, IFINDEX: 1, MAP: 2, PEER: 3, NEIGH: 4 } as const

/** A network device as helpers see it. */
export interface DeviceView {
  /** struct net_device */
  readonly addr: number
  readonly ifindex: number
  readonly mtu: number
  readonly hardHeaderLen: number
}

/** bpf_fib_lookup's question. Addresses are 4 or 16 bytes. */
export interface FibQuery {
  readonly family: 2 | 10
  readonly ifindex: number
  readonly tos: number
  readonly protocol: number
  readonly sport: number
  readonly dport: number
  readonly src: Uint8Array
  readonly dst: Uint8Array
  /** L3 length to hold against the route's mtu, 0: none. */
  readonly length: number
  readonly mark: number
  /** BPF_FIB_LOOKUP_* bits. */
  readonly flags: number
  readonly table: number
}

export interface FibAnswer {
  /** BPF_FIB_LKUP_RET_* */
  readonly result: number
  readonly ifindex?: number
  readonly metric?: number
  readonly mtu?: number
  /** Next hop, when there is a gateway. */
  readonly gateway?: Uint8Array
  readonly src?: Uint8Array
  readonly smac?: Uint8Array
  readonly dmac?: Uint8Array
}

export interface NetEnv {
  /** The device of that number in the machine's namespace. */
  device(ifindex: number): DeviceView | undefined
  fibLookup(query: FibQuery): FibAnswer
  /** bpf_clone_redirect: takes over `copy`, and sends it after the run. 0 or what __bpf_redirect returns. */
  cloneRedirect(copy: number, ifindex: number, flags: number): number
  /** Asks for a turn of a device's dequeue program when this CPU is done. 0 or -errno. */
  scheduleDequeue(ifindex: number): number
  /** A frame that a dequeue program has taken ends here. */
  dropPacket(skb: number): void
}

/** struct bpf_timer's clockwork: an armed timer is known by the address of its struct bpf_timer. */
export interface TimerEnv {
  /** Fires at virtual time `at` in ns: runs the callback that the timer's words name (impl-timer.ts), once. */
  arm(timer: number, at: number): void
  /** Whether it was armed. */
  disarm(timer: number): boolean
  armed(timer: number): boolean
  /** The timer whose callback runs now, 0: none. */
  firing(): number
}

/** The queueing discipline whose program runs now, for its kernel functions. */
export interface QdiscEnv {
  /** Ends a frame that the program held. */
  free(skb: number): void
  /** Puts it on to_free: it ends when the program has. */
  drop(skb: number): void
  /** Wakes the qdisc at a virtual time, or up to `delta` ns later. */
  watchdog(expire: number, delta: number): void
  /** Counts it as sent. */
  sent(skb: number): void
}

/** Whose "current" a program sees. */
export interface TaskView {
  readonly pid: number
  readonly tgid: number
  readonly uid: number
  readonly gid: number
  readonly comm: string
}

export interface HelperEnv {
  readonly mem: Memory
  readonly skbs: Skbs
  readonly cpus: number
  readonly run: RunState
  readonly note: RedirectNote
  readonly net: NetEnv
  /** Absent: bpf_timer helpers are refused at load. */
  readonly timers?: TimerEnv
  /** Absent: kernel functions of qdiscs are refused at load. */
  readonly qdisc?: QdiscEnv
  /** Absent: programs can't allocate. */
  readonly objects?: ObjectHeap
  /** CPU of this run. */
  cpu(): number
  /** Virtual ns since boot, exact as a double. */
  now(): number
  random32(): number
  /** One line of bpf_trace_printk, without its newline. */
  printk(text: string): void
  task(): TaskView
  /** The map whose struct bpf_map is at an address. */
  mapAt(addr: number): BpfMap
}

/** High half of a wide argument, as int32. */
export function argHi(env: { readonly mem: Memory }, index: number): number {
  return env.mem.i32[(ARG_HI >> 2) + index]!
}

/** Leaves the high half of a wide result; the helper returns the low one. */
export function setResult(env: { readonly mem: Memory }, low: number, high: number): number {
  env.mem.i32[RET_HI >> 2] = high
  return low | 0
}

/** A wide result from ns or another count below 2^53. */
export function wideResult(env: { readonly mem: Memory }, value: number): number {
  return setResult(env, value >>> 0, Math.floor(value / 0x100000000))
}

/** A negative errno or any other number of 32 bits as a wide result. */
export function intResult(env: { readonly mem: Memory }, value: number): number {
  return setResult(env, value, value >> 31)
}
