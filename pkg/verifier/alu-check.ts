// May this arithmetic be done on this pointer? adjust_ptr_min_max_vals()'s refusals, check_reg_sane_offset() (kernel/bpf/verifier.c).
import type { Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'
import { EACCES, EINVAL } from '../uapi/errno.js'
import type { Env } from './env.js'
import { MAX_VAR_OFF } from './limits.js'
import type { Reg } from './reg.js'
import { S64_MIN } from './scalar.js'
import { s64 } from './tnum.js'
import * as T from './types.js'

/** bpf_alu_string, by operation */
export const aluText = ['+=', '-=', '*=', '/=', '|=', '&=', '<<=', '>>=', 'neg', '%=', '^=', '=', 's>>=', 'endian', '(null)', '(null)'] as const

const MOVABLE: ReadonlySet<number> = new Set([
  T.PTR_TO_CTX, T.PTR_TO_MAP_VALUE, T.PTR_TO_MAP_KEY, T.PTR_TO_STACK, T.PTR_TO_PACKET_META, T.PTR_TO_PACKET, T.PTR_TO_TP_BUFFER,
  T.PTR_TO_BTF_ID, T.PTR_TO_MEM, T.PTR_TO_BUF, T.PTR_TO_FUNC, T.CONST_PTR_TO_DYNPTR,
])

/** The pointer's type admits adding `off`, a number, to it. */
export function mayMove(env: Env, i: Insn, ptr: Reg, off: Reg): void {
  const n = i.dst
  if (T.mayBeNull(ptr.type)) {
    env.fail(EACCES, `R${n} pointer arithmetic on ${T.typeName(ptr.type)} prohibited, null-check it first`)
  }
  const base = T.baseType(ptr.type)
  const zero = off.num.isConst && off.num.value === 0n && B.BPF_OP(i.code) === B.BPF_ADD
  const ok = MOVABLE.has(base) || (base === T.PTR_TO_FLOW_KEYS && off.num.isConst) ||
    ((base === T.PTR_TO_FLOW_KEYS || base === T.CONST_PTR_TO_MAP) && zero)
  if (!ok) env.fail(EACCES, `R${n} pointer arithmetic on ${T.typeName(ptr.type)} prohibited`)
}

/** What is not an addition or a subtraction is no arithmetic on a pointer. */
export function mayOperate(env: Env, i: Insn, ptr: Reg, scalarFirst: boolean): void {
  const op = B.BPF_OP(i.code)
  const n = i.dst
  if (op === B.BPF_ADD) return
  if (op === B.BPF_SUB) {
    if (scalarFirst) env.fail(EACCES, `R${n} tried to subtract pointer from scalar`)
    if (ptr.type === T.PTR_TO_STACK) env.fail(EACCES, `R${n} subtraction from stack pointer prohibited`)
    return
  }
  const text = aluText[op >> 4]!
  if (op === B.BPF_AND || op === B.BPF_OR || op === B.BPF_XOR) env.fail(EACCES, `R${n} bitwise operator ${text} on pointer prohibited`)
  env.fail(EACCES, `R${n} pointer arithmetic with ${text} operator prohibited`)
}

/** check_reg_sane_offset(). A linked number's constant counts as an offset, as it does there. */
export function saneOffset(env: Env, r: Reg, type: number): void {
  const name = T.typeName(type)
  const limit = BigInt(MAX_VAR_OFF)
  const value = s64(r.num.value)
  if (r.num.isConst && (value >= limit || value <= -limit)) env.fail(EINVAL, `math between ${name} pointer and ${value} is not allowed`)
  if (r.off >= MAX_VAR_OFF || r.off <= -MAX_VAR_OFF) env.fail(EINVAL, `${name} pointer offset ${r.off} is not allowed`)
  const { smin } = r.num
  if (smin === S64_MIN) env.fail(EINVAL, `math between ${name} pointer and register with unbounded min value is not allowed`)
  if (smin >= limit || smin <= -limit) env.fail(EINVAL, `value ${smin} makes ${name} pointer be out of bounds`)
}
