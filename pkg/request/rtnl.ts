// What rtnetlink carries: links, addresses, qdiscs, classes, filters, as values. A handle is major << 16 | minor (TC_H_MAKE).

export interface LinkStats {
  rxBytes: number
  rxPackets: number
  rxErrors: number
  rxDropped: number
  rxMissed: number
  rxMulticast: number
  txBytes: number
  txPackets: number
  txErrors: number
  txDropped: number
  txCarrier: number
  txCollisions: number
}

/** What every listing shows of a program. */
export interface ProgRef {
  id: number
  name: string
  tag: string
  jited: boolean
  loadTime: number
  uid: number
  btfId?: number
}

/** XDP_ATTACHED_*: include/uapi/linux/if_link.h. */
export type XdpMode = 'drv' | 'skb' | 'hw' | 'multi'

export interface XpsStats {
  runs: number
  chosen: number
  declined: number
  clamped: number
}

/** Turns of a device's dequeue program, and what became of the frames it gave. */
export interface DequeueStats {
  scheduled: number
  turns: number
  runs: number
  transmitted: number
  /** Refused by a full ring, and sent later. */
  kept: number
  dropped: number
  reschedQuota: number
  reschedBusy: number
}

export interface PhysDevStats {
  runs: number
  drops: number
  passes: number
  /** Ended by a load beyond the frame. */
  aborts: number
  invalids: number
}

export interface Link {
  ifindex: number
  name: string
  /** '' for a NIC, else 'veth', 'tun', 'ifb', 'dummy' … as IFLA_INFO_KIND. */
  kind: string
  /** IFF_* of include/uapi/linux/if.h. */
  flags: number
  mtu: number
  qdisc: string
  operstate: 'UNKNOWN' | 'DOWN' | 'LOWERLAYERDOWN' | 'UP'
  /** 'DEFAULT' | 'DORMANT' */
  linkmode: string
  group: number
  txqlen: number
  /** 'ether' | 'loopback' | 'none' */
  type: string
  address: string
  broadcast: string
  minMtu: number
  maxMtu: number
  promiscuity: number
  numTxQueues: number
  numRxQueues: number
  realNumTxQueues: number
  realNumRxQueues: number
  gsoMaxSize: number
  gsoMaxSegs: number
  /** veth: the other end */
  peerIfindex?: number
  alias?: string
  altnames?: string[]
  stats: LinkStats
  xdp?: { mode: XdpMode; progs: { mode: 'drv' | 'skb'; prog: ProgRef }[] }
  xps?: { prog: ProgRef; stats: XpsStats }
  physDev?: { prog: ProgRef; stats: PhysDevStats }
  xdpDequeue?: { prog: ProgRef; stats: DequeueStats }
  /** Counters per tx queue, for `-s -s`. */
  txQueues: { packets: number; bytes: number }[]
  tun?: {
    mode: 'tun' | 'tap'
    pi: boolean
    vnetHdr: boolean
    multiQueue: boolean
    numQueues: number
    persist: boolean
    user?: number
    group?: number
    steering?: { prog: ProgRef; fallback: boolean }
    filter?: { prog: ProgRef }
  }
}

export interface LinkNew {
  name?: string
  kind: string
  mtu?: number
  address?: string
  txqlen?: number
  numTxQueues?: number
  numRxQueues?: number
  up?: boolean
  alias?: string
  group?: number
  peer?: Omit<LinkNew, 'peer' | 'kind'>
}

/** XDP_FLAGS_* are words here. progId -1: detach. */
export interface LinkXdp {
  progId: number
  /** 'dequeue': the proposal's own program beside the others, which wants expectedProgId. */
  mode?: 'skb' | 'drv' | 'hw' | 'dequeue'
  /** XDP_FLAGS_UPDATE_IF_NOEXIST */
  noReplace?: boolean
  /** XDP_FLAGS_REPLACE with this program (-1: none) expected. */
  expectedProgId?: number
}

export interface LinkSet {
  dev: string
  up?: boolean
  name?: string
  mtu?: number
  address?: string
  broadcast?: string
  txqlen?: number
  alias?: string
  group?: number
  promisc?: boolean
  arp?: boolean
  multicast?: boolean
  allmulti?: boolean
  xdp?: LinkXdp
  xps?: { progId: number }
  physDev?: { progId: number }
}

export interface Address {
  ifindex: number
  dev: string
  family: 'inet' | 'inet6'
  local: string
  prefixlen: number
  broadcast?: string
  scope: string
  label?: string
}

export interface TcStats {
  bytes: number
  packets: number
  drops: number
  overlimits: number
  requeues: number
  backlog: number
  qlen: number
}

/** TCA_OPTIONS by kind: what a request may carry. */
export interface QdiscOptions {
  pfifo: { limit?: number }
  bfifo: { limit?: number }
  pfifo_head_drop: { limit?: number }
  pfifo_fast: Record<string, never>
  mq: Record<string, never>
  noqueue: Record<string, never>
  ingress: Record<string, never>
  clsact: Record<string, never>
  bpf: BpfQdiscOptions
}

/** A program of a bpf qdisc: id, and the name iproute2 makes of its origin ("wrr.o:[sch_bpf/enqueue]"). */
export interface BpfQdiscProg {
  id: number
  name: string
}

export interface BpfQdiscOptions {
  enqueue?: BpfQdiscProg
  dequeue?: BpfQdiscProg
  reset?: BpfQdiscProg
  init?: BpfQdiscProg
  order?: 'min' | 'max'
  limit?: number
  direct?: boolean
}

/** What a dump of a qdisc's options holds. */
export interface QdiscDump {
  pfifo: { limit: number }
  bfifo: { limit: number }
  pfifo_head_drop: { limit: number }
  pfifo_fast: { bands: number; priomap: readonly number[] }
  bpf: {
    enqueue?: BpfQdiscProg & { prog: ProgRef }
    dequeue?: BpfQdiscProg & { prog: ProgRef }
    reset?: BpfQdiscProg & { prog: ProgRef }
    init?: BpfQdiscProg & { prog: ProgRef }
    order: 'min' | 'max'
    limit: number
    direct: boolean
    dialect: string
    /** Maps of the `.tc_stats` kind, for -s (the sch_bpf RFC of 2021). */
    tcStats?: { name: string; fields: [string, string][] }[]
  }
  /** Other kinds: plain data, printed by their own cmd/tc/q-KIND.ts. */
  [kind: string]: unknown
}

export interface Qdisc {
  dev: string
  ifindex: number
  kind: string
  handle: number
  /** TC_H_ROOT 0xffffffff, TC_H_INGRESS 0xfffffff1, or a class. */
  parent: number
  refcnt: number
  options?: unknown
  stats: TcStats
  /** Kind-own statistics (TCA_XSTATS). */
  xstats?: unknown
  offloaded?: boolean
}

/** Flags as netlink has them: add = create+excl, replace = create+replace, change = none, link = replace. */
export interface QdiscNew {
  dev: string
  kind?: string
  handle?: number
  parent: number
  options?: unknown
  create: boolean
  excl: boolean
  replace: boolean
}

export interface TcClass {
  dev: string
  ifindex: number
  kind: string
  classid: number
  parent: number
  /** Handle of the child qdisc, 0: none. */
  leaf: number
  options?: unknown
  stats?: TcStats
  xstats?: unknown
}

export interface ClassNew {
  dev: string
  kind: string
  classid: number
  parent: number
  options?: unknown
  create: boolean
  excl: boolean
  replace: boolean
}

export interface BpfFilterOptions {
  progId: number
  /** "prog.o:[section]" */
  name: string
  directAction?: boolean
  classid?: number
  exclusive?: boolean
  actions?: unknown[]
}

export interface Filter {
  dev: string
  ifindex: number
  parent: number
  /** ETH_P_* as number, 3 = all */
  protocol: number
  pref: number
  kind: string
  chain: number
  handle: number
  /** False for the head record that some kinds list first. */
  hasHandle: boolean
  options?: unknown
}

export interface FilterNew {
  dev: string
  parent: number
  protocol?: number
  pref?: number
  kind: string
  chain?: number
  handle?: number
  options: unknown
  create: boolean
  excl: boolean
  replace: boolean
}

export interface RtnlRequests {
  /** dev absent: all, ascending ifindex. ENODEV KernelError when dev is unknown. */
  'link.get': [{ dev?: string; ifindex?: number; kind?: string; up?: boolean }, Link[]]
  'link.new': [LinkNew, { ifindex: number; name: string }]
  'link.set': [LinkSet, void]
  'link.del': [{ dev: string; kind?: string }, void]
  'tun.add': [{ name: string; mode: 'tun' | 'tap'; pi?: boolean; vnetHdr?: boolean; multiQueue?: boolean; queues?: number; user?: number; group?: number }, void]
  'tun.del': [{ name: string; mode: 'tun' | 'tap' }, void]
  /** progId -1 detaches (TUNSETSTEERINGEBPF, TUNSETFILTEREBPF). */
  'tun.steer': [{ dev: string; progId: number; fallback?: boolean }, void]
  'tun.filter': [{ dev: string; progId: number }, void]
  'addr.get': [{ dev?: string }, Address[]]
  'addr.new': [{ dev: string; family: 'inet' | 'inet6'; local: string; prefixlen: number; broadcast?: string; scope?: string; label?: string; replace?: boolean }, void]
  'addr.del': [{ dev: string; family: 'inet' | 'inet6'; local: string; prefixlen: number }, void]
  'qdisc.get': [{ dev?: string; handle?: number; parent?: number }, Qdisc[]]
  'qdisc.new': [QdiscNew, void]
  'qdisc.del': [{ dev: string; handle?: number; parent: number; kind?: string }, void]
  'class.get': [{ dev: string; classid?: number; parent?: number }, TcClass[]]
  'class.new': [ClassNew, void]
  'class.del': [{ dev: string; classid: number; parent?: number }, void]
  'filter.get': [{ dev: string; parent: number; protocol?: number; pref?: number; chain?: number; handle?: number }, Filter[]]
  'filter.new': [FilterNew, { notes: string[] }]
  'filter.del': [{ dev: string; parent: number; protocol?: number; pref?: number; chain?: number; handle?: number; kind?: string }, void]
}
