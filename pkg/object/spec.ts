// What an object file asks for, free of any machine: same bytes, same spec. load.ts turns it into requests.
import type { CoreRelo } from '../btf/index.js'
import type { Insn } from '../insn/insn.js'

/** LIBBPF_PIN_BY_NAME is 'name'; iproute2's PIN_OBJECT_NS and PIN_GLOBAL_NS are 'object' and 'global', its own name spaces a number. */
export type Pinning = 'none' | 'name' | 'object' | 'global' | number

/** What fills one slot of a prog_array or map-in-map: an index into `maps`, or a program by name and section. */
export interface SlotSpec {
  readonly index: number
  readonly map?: number
  readonly prog?: { readonly name: string; readonly section: string }
}

export interface MapSpec {
  /** Whole name; the kernel keeps the first 15 characters. Global data is named as libbpf does: `prefix.rodata`. */
  readonly name: string
  readonly section: string
  /** Number as the object has it; dialect.ts says what 31 and 32 mean. */
  readonly type: number
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
  readonly mapExtra: bigint
  readonly numaNode: number
  readonly pinning: Pinning
  readonly btfKeyTypeId: number
  readonly btfValueTypeId: number
  readonly inner?: MapSpec
  /** First value of an array of one entry: global data. Absent for all zeros. */
  readonly initial?: Uint8Array
  readonly slots?: readonly SlotSpec[]
  /** .rodata and .kconfig are frozen once filled. */
  readonly freeze: boolean
  /** Global data, by the section that it is. */
  readonly data?: 'data' | 'rodata' | 'bss' | 'kconfig'
  /** ids of struct bpf_elf_map. */
  readonly elf?: { readonly id: number; readonly innerId: number; readonly innerIndex: number }
  /** A struct_ops table. */
  readonly table?: TableSpec
}

/** A function pointer of a struct_ops table. */
export interface TableFunc {
  readonly offset: number
  readonly prog: { readonly name: string; readonly section: string }
}

export interface TableSpec {
  /** Its struct in the BTF of the object. */
  readonly typeId: number
  /** The variable as the object initialises it, function pointers zero. */
  readonly data: Uint8Array
  readonly funcs: readonly TableFunc[]
  /** `?.struct_ops`: only created when asked for. */
  readonly autocreate: boolean
}

/** A ld_imm64 of a map: its address ('fd') or the address of a byte of its only value ('value'). */
export interface MapRef {
  readonly slot: number
  readonly map: number
  readonly kind: 'fd' | 'value'
  readonly off: number
}

/** An extern of .ksyms: a kfunc's call, or the address of a function or variable. */
export interface KsymRef {
  readonly slot: number
  readonly name: string
  readonly kind: 'call' | 'func' | 'var'
  /** Missing is no error: calls are poisoned, addresses are 0. */
  readonly weak: boolean
  /** Its type in the BTF of the object; 0 for `extern const void x __ksym`. */
  readonly typeId: number
}

/** A CO-RE record moved to the slot of the linked program. */
export interface PlacedCoreRelo extends CoreRelo {
  readonly slot: number
}

/** Records of .BTF.ext for the linked instructions; instruction offsets count slots. */
export interface InfoRecords {
  readonly recSize: number
  readonly bytes: Uint8Array
}

/** A program with its subprograms behind it. Instructions are copies: callers may patch them. */
export interface LinkedProg {
  readonly insns: Insn[]
  readonly mapRefs: readonly MapRef[]
  readonly ksymRefs: readonly KsymRef[]
  readonly coreRelos: readonly PlacedCoreRelo[]
  readonly funcInfo: InfoRecords | undefined
  readonly lineInfo: InfoRecords | undefined
  /** First slot of every function: the program at 0, subprograms behind. */
  readonly functions: readonly { readonly name: string; readonly slot: number }[]
}

export interface ProgSpec {
  readonly name: string
  readonly section: string
  /** By section; 0 (UNSPEC) when the section says nothing. */
  readonly type: number
  readonly expectedAttachType: number
  /** BPF_F_* of PROG_LOAD. */
  readonly flags: number
  /** What a section names behind its slash, as in `fentry/tcp_sendmsg`. */
  readonly attachTo: string | undefined
  /** `?section`: only loaded when asked for. */
  readonly autoload: boolean
  readonly static: boolean
  /** Type of the function's context argument in BTF, '' when unknown: it tells the proposals' versions apart. */
  readonly context: { readonly name: string; readonly size: number } | undefined
  /** Links at first use; throws InputError. */
  link(): LinkedProg
}

/** Extern variables of .kconfig in the order of their offsets. */
export interface KconfigSpec {
  readonly name: string
  readonly offset: number
  readonly size: number
  readonly kind: 'int' | 'bool' | 'char' | 'tristate' | 'string'
  readonly signed: boolean
  readonly weak: boolean
}

export interface ObjectSpec {
  readonly file: string
  /** Prefix of global data maps: the file's base name up to its first dot, at most 15 characters. */
  readonly name: string
  readonly license: string
  readonly kernVersion: number
  /** The object's BTF with sizes and offsets of data sections filled in, as it is loaded. */
  readonly btf: Uint8Array | undefined
  readonly maps: readonly MapSpec[]
  readonly progs: readonly ProgSpec[]
  /** Functions of .text when they are subprograms: not loaded, but can be chosen by section. */
  readonly text: readonly ProgSpec[]
  readonly kconfig: readonly KconfigSpec[]
  /** What was wrong with the file and could be done without; loading says it. */
  readonly notes: readonly string[]
  /** Content of a `dialect` section. */
  readonly dialect: string | undefined
}
