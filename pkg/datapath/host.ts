// What the network side needs from the kernel above it. One object, made at boot, handed to `new Net(host)` (index.ts).
//
// Shape, for who implements it:
//  * records: a key/value view of the state. Keys are paths: net, net/timers, net/socks, net/captures, dev/IFINDEX, devname/NAME,
//    qdisc/IFINDEX, frames/IFINDEX (blob). Values are plain JSON; `get` returns what was `put` (the datapath never mutates it), undefined
//    when there is none. Nothing is read before it is needed; Net.save() puts what changed and is called once per commit.
//  * programs by id: `prog` returns undefined for an id that is gone. holdProg/releaseProg count attachments (device hooks, qdiscs,
//    filters); the datapath calls them when an attachment comes or goes, not when a record is loaded.
//  * `note` is the one RedirectNote that redirect helpers fill; the datapath clears it before each run that may redirect.
//  * Time is the datapath's: net.now() for bpf_ktime_get_*; net.clock.timer(...) for bpf_timer. The CPU that programs see is told
//    through setCpu; skbs of helper calls are net.skbs (clone_redirect: net.cloneRedirect).
import type { HookProg, RedirectNote } from '../hook/types.js'
import type { FrameQueue } from '../map/types.js'
import type { Memory } from '../mem/memory.js'
import type { BpfQdiscHost } from '../sched/bpf-qdisc-run.js'
import type { ProgRef } from '../request/rtnl.js'

/** The state, as the datapath sees it. */
export interface RecordStore {
  get(key: string): unknown
  /** undefined removes. */
  put(key: string, value: unknown): void
  getBlob(key: string): Uint8Array | undefined
  putBlob(key: string, bytes: Uint8Array | undefined): void
  /** Keys that begin with `prefix`, in any order. */
  keys(prefix: string): Iterable<string>
}

/** Where captured frames go: one pcap file. */
export interface CaptureSink {
  write(frame: Uint8Array, at: number): void
}

export interface DatapathHost {
  readonly mem: Memory
  readonly cpus: number
  /** HOOKPOINT_STRICT=1 (README.md) */
  readonly strict: boolean
  readonly records: RecordStore
  readonly note: RedirectNote
  prog(id: number): HookProg | undefined
  progRef(id: number): ProgRef
  holdProg(id: number): void
  releaseProg(id: number): void
  setCpu(cpu: number): void
  random32(): number
  /** sysctl net.core.default_qdisc */
  defaultQdisc(): string
  /** Masks in sys/class/net/DEV/queues/tx-N/{xps_cpus,xps_rxqs}: queue -> mask; undefined: none set. Asked once per request. */
  xpsMasks(dev: string, file: 'xps_cpus' | 'xps_rxqs'): ReadonlyMap<number, bigint> | undefined
  /** Is there any xps map on this host (the static key, the XPS RFC of 2019)? Only asked in strict mode. */
  xpsConfigured(): boolean
  /** Opens (to append) the pcap of a `wire capture`. */
  openCapture(file: string): CaptureSink
  /** Begins it anew, or refuses: asked when a capture is added whose file no other capture writes to. */
  beginCapture?(file: string): CaptureSink
  /** Destinations in a devmap, for BPF_F_BROADCAST. */
  devmapTargets?(mapId: number): { ifindex: number; progId: number }[]
  /** The frames in a pifo_xdp map. */
  frameQueue?(mapId: number): FrameQueue | undefined
  /** `.tc_stats` maps of programs, for `tc -s qdisc show`. */
  tcStats?(progIds: readonly number[]): { name: string; fields: [string, string][] }[] | undefined
  /** struct_ops tables that are qdiscs. */
  readonly bpfQdisc?: BpfQdiscHost
  /** Kernel log lines (netdev_warn and the like). */
  log(text: string): void
  /** Keep frames that leave or are delivered for wire.take (the library's machines). */
  readonly keepFrames: boolean
}
