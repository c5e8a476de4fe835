// From a slot to its row of the table, and what is wrong with its shape. The verifier words the refusals
// (kernel/bpf/verifier.c: resolve_pseudo_ldimm64, check_alu_op, do_check); here they are reasons only. Fails closed.
import type { Insn } from './insn.js'
import { FORMS, opsOfCode, type Op } from './table.js'
import { isLdImm64, MAX_REG } from './opcode.js'

/** The row of an instruction; undefined: no such instruction. */
export function opOf(i: Insn): Op | undefined {
  let plain: Op | undefined
  for (const op of opsOfCode(i.code)) {
    if (op.field === '') plain ??= op
    else if (i[op.field] === op.value) return op
  }
  return plain
}

/** bpf_opcode_in_insntable(): user space may load this code byte. */
export const isPublicOpcode = (code: number): boolean => opsOfCode(code).some(op => op.isa > 0)

/**
 * unknown: no such code or variant. reserved: a field that must be zero is not (kernel: "… uses reserved fields").
 * register: R11 or above. imm64: the second slot of a 16-byte load is missing or not empty.
 * shift: a constant shift wider than the register. divzero: division by the constant 0.
 */
export type Flaw = 'unknown' | 'reserved' | 'register' | 'imm64' | 'shift' | 'divzero'

/** What is wrong with the shape of one instruction, the gravest first; undefined: nothing. */
export function flawOf(insns: readonly Insn[], pc: number): Flaw | undefined {
  const i = insns[pc]
  if (i === undefined) return 'unknown'
  const op = opOf(i)
  if (op === undefined) return opsOfCode(i.code).length > 0 ? 'reserved' : 'unknown'
  if (op.isa === 0) return 'unknown'
  if (isLdImm64(i.code) && !isSecondSlot(insns[pc + 1])) return 'imm64'
  return reserved(i, op) ? 'reserved' : badRegister(i, op) ? 'register' : badConstant(i, op)
}

/** The empty slot that carries the upper 32 bits of a 16-byte load. */
export const isSecondSlot = (i: Insn | undefined): boolean =>
  i !== undefined && i.code === 0 && i.dst === 0 && i.src === 0 && i.off === 0

function reserved(i: Insn, op: Op): boolean {
  const used = FORMS[op.form]
  return (['dst', 'src', 'off', 'imm'] as const).some(field => !used[field] && op.field !== field && i[field] !== 0)
}

function badRegister(i: Insn, op: Op): boolean {
  const used = FORMS[op.form]
  return (used.dst === 1 && i.dst > MAX_REG) || (used.src === 1 && i.src > MAX_REG)
}

function badConstant(i: Insn, op: Op): Flaw | undefined {
  if (op.form !== 'alu_k') return undefined
  if (/>>=|<<=/.test(op.text) && (i.imm < 0 || i.imm >= op.bits)) return 'shift'
  return /[/%]=$/.test(op.text) && i.imm === 0 ? 'divzero' : undefined
}

/** Slots that one instruction takes. */
export const slotsOf = (i: Insn): 1 | 2 => (isLdImm64(i.code) ? 2 : 1)

/** Where a jump goes, as a slot number; undefined: not a jump. Calls are not jumps. */
export function targetOf(i: Insn, pc: number): number | undefined {
  const form = opOf(i)?.form
  if (form === 'gotol') return pc + 1 + i.imm
  return form === 'ja' || form === 'jmp_k' || form === 'jmp_x' ? pc + 1 + i.off : undefined
}
