// What hooks need of a program, and the note a run leaves behind when a helper asked for something only datapath may do.

/** A loaded program, as attach points hold it: by id, turned into this by the kernel. */
export interface HookProg {
  readonly id: number
  /** BPF_PROG_TYPE_*, or 0x4011 SCHED_QDISC, 0x4021 PHYS_DEV of spec/README. */
  readonly type: number
  readonly expectedAttachType?: number
  /** What the loader found out of spec sch_bpf section 3.2: 'schbpf1' … 'schbpf7', 'physdev1' … */
  readonly dialect?: string
  /** Runs with r1 = ctx; the low half of r0 as int32. */
  run(ctx: number): number
}

export const NOTE_NONE = 0
/** bpf_redirect */
export const NOTE_IFINDEX = 1
/** bpf_redirect_map */
export const NOTE_MAP = 2
/** bpf_redirect_peer */
export const NOTE_PEER = 3
/** bpf_redirect_neigh */
export const NOTE_NEIGH = 4

/** struct bpf_redirect_info: what the last redirect helper of this run asked for. One object for the process, reused. */
export interface RedirectNote {
  kind: number
  ifindex: number
  flags: number
  mapId: number
  /** bpf_map_type of mapId. */
  mapType: number
  /** Entry of the map. */
  index: number
  /** devmap: the entry's per-entry program, 0: none. */
  progId: number
  /** pifo_xdp: the upper half of the rank, whose lower half is `index`. */
  rankHigh?: number
}

export function createNote(): RedirectNote {
  return { kind: NOTE_NONE, ifindex: 0, flags: 0, mapId: 0, mapType: 0, index: 0, progId: 0 }
}

/** Program types of the proposals, as listings number them (spec/README, Ids). */
export const PROG_TYPE_SCHED_QDISC = 0x4011
export const PROG_TYPE_PHYS_DEV = 0x4021
