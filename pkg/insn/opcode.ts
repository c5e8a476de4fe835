// The bit fields of bpf_insn.code, in kernel spelling (include/uapi/linux/bpf.h, bpf_common.h).
//   arithmetic, jumps:  | op: 4 | source: 1 | class: 3 |        loads, stores:  | mode: 3 | size: 2 | class: 3 |

export const BPF_LD = 0x00
export const BPF_LDX = 0x01
export const BPF_ST = 0x02
export const BPF_STX = 0x03
export const BPF_ALU = 0x04
export const BPF_JMP = 0x05
export const BPF_JMP32 = 0x06
export const BPF_ALU64 = 0x07

export const BPF_W = 0x00
export const BPF_H = 0x08
export const BPF_B = 0x10
export const BPF_DW = 0x18

export const BPF_IMM = 0x00
export const BPF_ABS = 0x20
export const BPF_IND = 0x40
export const BPF_MEM = 0x60
export const BPF_MEMSX = 0x80
export const BPF_ATOMIC = 0xc0

export const BPF_K = 0x00
export const BPF_X = 0x08

export const BPF_ADD = 0x00
export const BPF_SUB = 0x10
export const BPF_MUL = 0x20
export const BPF_DIV = 0x30
export const BPF_OR = 0x40
export const BPF_AND = 0x50
export const BPF_LSH = 0x60
export const BPF_RSH = 0x70
export const BPF_NEG = 0x80
export const BPF_MOD = 0x90
export const BPF_XOR = 0xa0
export const BPF_MOV = 0xb0
export const BPF_ARSH = 0xc0
export const BPF_END = 0xd0
export const BPF_TO_LE = 0x00
export const BPF_TO_BE = 0x08

export const BPF_JA = 0x00
export const BPF_JEQ = 0x10
export const BPF_JGT = 0x20
export const BPF_JGE = 0x30
export const BPF_JSET = 0x40
export const BPF_JNE = 0x50
export const BPF_JSGT = 0x60
export const BPF_JSGE = 0x70
export const BPF_CALL = 0x80
export const BPF_EXIT = 0x90
export const BPF_JLT = 0xa0
export const BPF_JLE = 0xb0
export const BPF_JSLT = 0xc0
export const BPF_JSLE = 0xd0
export const BPF_JCOND = 0xe0
/** Kernel-internal: bpf_tail_call() after fixup. */
export const BPF_TAIL_CALL = 0xf0

export const BPF_FETCH = 0x01
export const BPF_XCHG = 0xe1
export const BPF_CMPXCHG = 0xf1
export const BPF_LOAD_ACQ = 0x100
export const BPF_STORE_REL = 0x110

export const BPF_CLASS = (code: number): number => code & 0x07
export const BPF_SIZE = (code: number): number => code & 0x18
export const BPF_MODE = (code: number): number => code & 0xe0
export const BPF_OP = (code: number): number => code & 0xf0
export const BPF_SRC = (code: number): number => code & 0x08

/** Bytes that a load or store of this BPF_SIZE moves. */
export function sizeBytes(code: number): number {
  switch (BPF_SIZE(code)) {
    case BPF_B: return 1
    case BPF_H: return 2
    case BPF_W: return 4
    default: return 8
  }
}

/** A 16-byte load: this slot and the next are one instruction. */
export const isLdImm64 = (code: number): boolean => code === (BPF_LD | BPF_IMM | BPF_DW)

/** R10, the frame pointer, is the last register that an instruction may name. */
export const MAX_REG = 10
