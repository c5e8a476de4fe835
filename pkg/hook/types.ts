// What hooks need of a program, and the note a run leaves behind when a helper asked for something only datapath may do.
import { NOTE, type RedirectNote } from '../helper/env.js'

/** A loaded program, as attach points hold it: by id, turned into this by the kernel. */
export interface HookProg {
  readonly id: number
  /** BPF_PROG_TYPE_*, or 0x4011 SCHED_QDISC, 0x4021 PHYS_DEV of hookpoint/bpf_rfc.h. */
  readonly type: number
  readonly expectedAttachType?: number
  /** What the loader found out of the sch_bpf RFC of 2021: 'schbpf1' … 'schbpf7', 'physdev1' … */
  readonly dialect?: string
  /** Runs with r1 = ctx; the low half of r0 as int32. */
  run(ctx: number): number
}

/** Kinds of RedirectNote: which helper asked. */
export const NOTE_NONE = NOTE.NONE
export const NOTE_IFINDEX = NOTE.IFINDEX
export const NOTE_MAP = NOTE.MAP
export const NOTE_PEER = NOTE.PEER
export const NOTE_NEIGH = NOTE.NEIGH

export type { RedirectNote } from '../helper/env.js'

export function createNote(): RedirectNote {
  return { kind: NOTE_NONE, ifindex: 0, flags: 0, mapId: 0, mapType: 0, index: 0, progId: 0 }
}

/** Program types of the proposals, as listings number them (fixtures/include/hookpoint/bpf_rfc.h). */
export const PROG_TYPE_SCHED_QDISC = 0x4011
export const PROG_TYPE_PHYS_DEV = 0x4021
