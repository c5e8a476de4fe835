// What an arithmetic instruction must look like, before its operands are looked at: check_alu_op()'s reserved fields (kernel/bpf/verifier.c).
import type { Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'
import { EINVAL } from '../uapi/errno.js'
import type { Env } from './env.js'

const isWide = (i: Insn): boolean => B.BPF_CLASS(i.code) === B.BPF_ALU64
const isX = (i: Insn): boolean => B.BPF_SRC(i.code) === B.BPF_X

export function aluShape(env: Env, i: Insn): void {
  const op = B.BPF_OP(i.code)
  if (op === B.BPF_NEG) return require_(env, !isX(i) && i.src === 0 && i.off === 0 && i.imm === 0, 'BPF_NEG uses reserved fields')
  if (op === B.BPF_END) return require_(env, endShape(i), 'BPF_END uses reserved fields')
  if (op === B.BPF_MOV) return movShape(env, i)
  if (op > B.BPF_END) env.fail(EINVAL, `invalid BPF_ALU opcode ${op.toString(16)}`)
  const signed = i.off === 1 && (op === B.BPF_DIV || op === B.BPF_MOD)
  require_(env, (isX(i) ? i.imm === 0 : i.src === 0) && (i.off === 0 || signed), 'BPF_ALU uses reserved fields')
}

function endShape(i: Insn): boolean {
  return i.src === 0 && i.off === 0 && (i.imm === 16 || i.imm === 32 || i.imm === 64) && !(isWide(i) && isX(i))
}

function movShape(env: Env, i: Insn): void {
  if (isX(i) && isWide(i) && i.off === 1) env.fail(EINVAL, 'addr_space_cast insn can only be used in a program that has an associated arena')
  const offs = isWide(i) ? [0, 8, 16, 32] : [0, 8, 16]
  require_(env, isX(i) ? offs.includes(i.off) && i.imm === 0 : i.src === 0 && i.off === 0, 'BPF_MOV uses reserved fields')
}

/** Constants that make no sense; asked after the operands were read, as the kernel does. */
export function aluConstants(env: Env, i: Insn): void {
  const op = B.BPF_OP(i.code)
  if (isX(i)) return
  if ((op === B.BPF_MOD || op === B.BPF_DIV) && i.imm === 0) env.fail(EINVAL, 'div by zero')
  if (op !== B.BPF_LSH && op !== B.BPF_RSH && op !== B.BPF_ARSH) return
  if (i.imm < 0 || i.imm >= (isWide(i) ? 64 : 32)) env.fail(EINVAL, `invalid shift ${i.imm}`)
}

export function require_(env: Env, holds: boolean, words: string): void {
  if (!holds) env.fail(EINVAL, words)
}
