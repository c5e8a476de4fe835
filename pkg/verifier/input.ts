// What verify() is given and what it answers.
import type { Btf } from '../btf/btf.js'
import type { MapAttr } from '../map/types.js'
import type { Image } from '../prog/image.js'
import type { ProgLoad } from '../request/bpf.js'

export interface VerifyInput {
  readonly prog: ProgLoad
  /** Maps by the ids that the program's 16-byte loads carry. */
  readonly maps: (id: number) => MapAttr | undefined
  /** The program's own BTF (prog.btfId). */
  readonly btf?: Btf | undefined
  /** BTF of maps, for spin locks, timers and kptrs in their values. */
  readonly btfOf?: (id: number) => Btf | undefined
  /** BTF of the emulated kernel, parsed when first needed. */
  readonly vmlinux: () => Btf | undefined
  /** Bytes of a frozen read-only map's only value: its loads become constants. */
  readonly frozen?: (mapId: number) => Uint8Array | undefined
  /** 0 none, 1, 2, | 4 stats: as log_level of bpf(2). */
  readonly logLevel: number
  /** Kernel functions that this machine has; absent: none, and a program that calls one is refused in the end. */
  readonly kfuncs?: (name: string) => boolean
  /** Possible CPUs: what bpf_get_smp_processor_id() stays below; absent: not known. */
  readonly cpus?: number
  /** Posted behaviour of the proposals, bugs included. */
  readonly strict?: boolean
  readonly dialect?: string | undefined
  readonly explain?: boolean
}

export interface VerifyStats {
  readonly insnProcessed: number
  readonly totalStates: number
  readonly peakStates: number
  readonly maxStatesPerInsn: number
}

export interface FuncLine { readonly recSize: number, readonly bytes: Uint8Array }

/** What the kernel side wants to know of an accepted program. */
export interface ProgFacts {
  /** Writes to packets: skbs must be made private and linear first (may_access_direct_pkt_data's seen_direct_write). */
  readonly usesPacketWrites: boolean
  /** Uses data/data_end: the hook must compute them (a may_access_direct_pkt_data program that does read them). */
  readonly directPacketAccess: boolean
  /** cb must be saved and cleared around the run. */
  readonly cbAccess: boolean
  readonly changesPktData: boolean
  readonly tailCalls: boolean
  /** BPF_LD_ABS or BPF_LD_IND somewhere. */
  readonly ldAbs: boolean
  readonly gplCompatible: boolean
}

export type VerifyResult =
  | {
    readonly ok: true, readonly image: Image, readonly log: string, readonly stats: VerifyStats, readonly notes: string[],
    readonly facts: ProgFacts, readonly funcInfo: FuncLine | undefined, readonly lineInfo: FuncLine | undefined,
  }
  | { readonly ok: false, readonly errno: number, readonly log: string, readonly explain: string | undefined }
