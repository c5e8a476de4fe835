// Instructions as function calls, for tests and for the verifier's fixup; names as the kernel's macros (include/linux/filter.h).
import { CALL } from '../uapi/bpf.js'
import { insn, type Insn } from './insn.js'
import * as B from './opcode.js'

export const R0 = 0
export const R1 = 1
export const R2 = 2
export const R3 = 3
export const R4 = 4
export const R5 = 5
export const R6 = 6
export const R7 = 7
export const R8 = 8
export const R9 = 9
export const R10 = 10

/** A BPF_ADD … BPF_ARSH, BPF_MOV. */
export const alu64Imm = (op: number, dst: number, imm: number): Insn => insn(B.BPF_ALU64 | op | B.BPF_K, dst, 0, 0, imm)
export const alu64Reg = (op: number, dst: number, src: number): Insn => insn(B.BPF_ALU64 | op | B.BPF_X, dst, src, 0, 0)
export const alu32Imm = (op: number, dst: number, imm: number): Insn => insn(B.BPF_ALU | op | B.BPF_K, dst, 0, 0, imm)
export const alu32Reg = (op: number, dst: number, src: number): Insn => insn(B.BPF_ALU | op | B.BPF_X, dst, src, 0, 0)
export const mov64Imm = (dst: number, imm: number): Insn => alu64Imm(B.BPF_MOV, dst, imm)
export const mov64Reg = (dst: number, src: number): Insn => alu64Reg(B.BPF_MOV, dst, src)
export const mov32Imm = (dst: number, imm: number): Insn => alu32Imm(B.BPF_MOV, dst, imm)
export const mov32Reg = (dst: number, src: number): Insn => alu32Reg(B.BPF_MOV, dst, src)

/** size: BPF_B … BPF_DW. */
export const ldxMem = (size: number, dst: number, src: number, off: number): Insn =>
  insn(B.BPF_LDX | B.BPF_MEM | size, dst, src, off, 0)
export const stxMem = (size: number, dst: number, src: number, off: number): Insn =>
  insn(B.BPF_STX | B.BPF_MEM | size, dst, src, off, 0)
export const stMem = (size: number, dst: number, off: number, imm: number): Insn =>
  insn(B.BPF_ST | B.BPF_MEM | size, dst, 0, off, imm)
/** size: BPF_W or BPF_DW; op: BPF_ADD | BPF_FETCH … */
export const atomicOp = (size: number, op: number, dst: number, src: number, off: number): Insn =>
  insn(B.BPF_STX | B.BPF_ATOMIC | size, dst, src, off, op)

/** The two slots of a 16-byte load from the halves of its value. */
export const ldImm64 = (dst: number, low: number, high = 0, src = 0): [Insn, Insn] =>
  [insn(B.BPF_LD | B.BPF_IMM | B.BPF_DW, dst, src, 0, low), insn(0, 0, 0, 0, high)]

export const jmpImm = (op: number, dst: number, imm: number, off: number): Insn =>
  insn(B.BPF_JMP | op | B.BPF_K, dst, 0, off, imm)
export const jmpReg = (op: number, dst: number, src: number, off: number): Insn =>
  insn(B.BPF_JMP | op | B.BPF_X, dst, src, off, 0)
export const jmp32Imm = (op: number, dst: number, imm: number, off: number): Insn =>
  insn(B.BPF_JMP32 | op | B.BPF_K, dst, 0, off, imm)
export const jmp32Reg = (op: number, dst: number, src: number, off: number): Insn =>
  insn(B.BPF_JMP32 | op | B.BPF_X, dst, src, off, 0)
export const jmpA = (off: number): Insn => insn(B.BPF_JMP | B.BPF_JA, 0, 0, off, 0)
export const call = (helper: number): Insn => insn(B.BPF_JMP | B.BPF_CALL, 0, CALL.HELPER, 0, helper)
/** distance: in slots from the next instruction. */
export const callRel = (distance: number): Insn => insn(B.BPF_JMP | B.BPF_CALL, 0, CALL.PSEUDO_CALL, 0, distance)
export const exit = (): Insn => insn(B.BPF_JMP | B.BPF_EXIT, 0, 0, 0, 0)
