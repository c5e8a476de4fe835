// What is true after an arithmetic instruction: check_alu_op(), adjust_reg_min_max_vals(), adjust_ptr_min_max_vals() (kernel/bpf/verifier.c).
import type { Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'
import { EACCES } from '../uapi/errno.js'
import { aluText, mayMove, mayOperate, saneOffset } from './alu-check.js'
import { aluConstants, aluShape } from './alu-must.js'
import type { Env } from './env.js'
import { readReg, widthOf, withScalarId, writeReg, writeUnknown } from './marks.js'
import { markChainPrecision } from './precision.js'
import { ADD_CONST32, ADD_CONST64, constant, isPacket, linkOf, unknownScalar, scalar, withNum, type Reg } from './reg.js'
import {
  coerce, coerceSigned, known, known32, sane, sync, unbound, unbound32, zext32, S32_MAX, S32_MIN, S64_MAX, S64_MIN, UNKNOWN, type Scalar,
} from './scalar.js'
import { aluScalar } from './scalar-alu.js'
import { tnumAdd, tnumSub, s64, u64, U64 } from './tnum.js'
import * as T from './types.js'

const isX = (i: Insn): boolean => B.BPF_SRC(i.code) === B.BPF_X
const is32 = (i: Insn): boolean => B.BPF_CLASS(i.code) === B.BPF_ALU

export function checkAlu(env: Env, i: Insn): void {
  const op = B.BPF_OP(i.code)
  aluShape(env, i)
  if (op === B.BPF_END || op === B.BPF_NEG) swapOrNegate(env, i, op)
  else if (op === B.BPF_MOV) move(env, i)
  else arithmetic(env, i)
  keepSane(env, i.dst)
}

/** reg_bounds_sanity_check(): contradictory ranges (of a branch that is never taken) are forgotten. */
function keepSane(env: Env, n: number): void {
  const r = env.regs[n]!
  if (r.type !== T.SCALAR_VALUE || r.num.isConst || sane(r.num)) return
  const num = r.num.copy()
  unbound(num)
  env.setReg(n, withNum(r, num))
}

function swapOrNegate(env: Env, i: Insn, op: number): void {
  const r = readReg(env, i.dst)
  if (r.type !== T.SCALAR_VALUE) return writeUnknown(env, i.dst)
  writeReg(env, i.dst)
  env.setReg(i.dst, scalar(op === B.BPF_NEG ? aluScalar(B.BPF_NEG, r.num, r.num, is32(i)) : byteSwap(i, r.num)))
}

/** scalar_byte_swap(): bits move, ranges are found anew; to little endian only cuts. */
function byteSwap(i: Insn, num: Scalar): Scalar {
  const swap = !is32(i) || isX(i)
  const out = num.copy()
  if (swap) {
    out.t = { value: swapped(num.t.value, i.imm), mask: swapped(num.t.mask, i.imm) }
    unbound(out)
  }
  return i.imm === 64 ? sync(out) : coerce(out, i.imm / 8)
}

function swapped(x: bigint, bits: number): bigint {
  let out = 0n
  for (let at = 0; at < bits; at += 8) out = (out << 8n) | ((x >> BigInt(at)) & 0xffn)
  return out
}

function move(env: Env, i: Insn): void {
  if (!isX(i)) {
    writeReg(env, i.dst)
    env.setReg(i.dst, constant(is32(i) ? BigInt(i.imm >>> 0) : BigInt(i.imm)))
    return
  }
  const src = readReg(env, i.src)
  writeReg(env, i.dst)
  if (src.type !== T.SCALAR_VALUE) {
    env.setReg(i.dst, is32(i) ? narrow(unknownScalar, UNKNOWN) : i.off === 0 ? src : unknownScalar)
  } else if (is32(i)) {
    moveLow(env, i, src)
  } else if (i.off === 0) {
    env.setReg(i.dst, link(env, i.src, src))
  } else {
    const same = src.num.umax < 1n << BigInt(i.off - 1)
    const from = same ? link(env, i.src, src) : src
    env.setReg(i.dst, keepId(from, coerceSigned(src.num, i.off >> 3, 64), same))
  }
}

/** assign_scalar_id_before_mov() on the source register. */
function link(env: Env, n: number, r: Reg): Reg {
  const linked = withScalarId(env, r)
  env.regs[n] = linked
  return linked
}

function keepId(r: Reg, num: Scalar, keep: boolean): Reg {
  const out = withNum(r, num)
  if (!keep) {
    out.id = 0
    out.off = 0
  }
  return out
}

/** W1 = W2, W1 = (s8, s16)W2 */
function moveLow(env: Env, i: Insn, src: Reg): void {
  const same = i.off === 0 ? widthOf(src.num) <= 32 : src.num.umax < 1n << BigInt(i.off - 1)
  const from = same ? link(env, i.src, src) : src
  const num = i.off === 0 ? src.num : coerceSigned(src.num, i.off >> 3, 32)
  env.setReg(i.dst, keepId(from, narrow(from, num).num, same))
}

function narrow(r: Reg, num: Scalar): Reg {
  if (num.isConst && num.value >> 32n === 0n) return withNum(r, num)
  const low = num.copy()
  zext32(low)
  return withNum(r, sync(low))
}

function arithmetic(env: Env, i: Insn): void {
  const src = isX(i) ? readReg(env, i.src) : constant(BigInt(i.imm))
  const dst = readReg(env, i.dst)
  aluConstants(env, i)
  writeReg(env, i.dst)
  const op = B.BPF_OP(i.code)
  if (src.type === T.SCALAR_VALUE && dst.type === T.SCALAR_VALUE) return numbers(env, i, op, dst, src)
  if (src.type !== T.SCALAR_VALUE && dst.type !== T.SCALAR_VALUE) {
    if (op !== B.BPF_SUB) env.fail(EACCES, `R${i.dst} pointer ${aluText[op >> 4]!} pointer prohibited`)
    return env.setReg(i.dst, unknownScalar)
  }
  if (src.type !== T.SCALAR_VALUE) {
    markChainPrecision(env, i.dst)
    return pointer(env, i, src, dst, true)
  }
  if (isX(i)) markChainPrecision(env, i.src)
  pointer(env, i, dst, src, false)
}

/** adjust_scalar_min_max_vals(), and the link between rX and rX plus a constant. */
function numbers(env: Env, i: Insn, op: number, was: Reg, src: Reg): void {
  const dst = (op === B.BPF_AND || op === B.BPF_OR) && src.num.isConst ? forked(env, i, was) : was
  const out = scalar(op === B.BPF_DIV || op === B.BPF_MOD ? UNKNOWN : aluScalar(op, dst.num, src.num, is32(i)))
  const delta = addedConstant(i, op, dst, src)
  if (delta === undefined) return env.setReg(i.dst, out)
  const linked = out.copy()
  linked.id = dst.id + (is32(i) ? ADD_CONST32 : ADD_CONST64)
  linked.off = delta
  env.setReg(i.dst, linked)
}

/** maybe_fork_scalars(): of what is 0 or -1 (a mask that a comparison made), 0 waits for its turn and -1 goes on. */
function forked(env: Env, i: Insn, dst: Reg): Reg {
  const { smin, smax, s32min, s32max } = dst.num
  const whole = smin === -1n && smax === 0n
  if (!whole && (s32min !== -1 || s32max !== 0)) return dst
  const exactly = (value: bigint): Reg => (whole ? constant(value) : withNum(dst, lowKnown(dst.num, value)))
  env.pushState(env.insn, env.insn).cur.regs[i.dst] = exactly(0n)
  return exactly(-1n)
}

function lowKnown(num: Scalar, value: bigint): Scalar {
  const out = num.copy()
  known32(out, value)
  return out
}

/** What is added to a linked register, if that is a constant of 32 bits and the first one. */
function addedConstant(i: Insn, op: number, dst: Reg, src: Reg): number | undefined {
  const constant32 = is32(i) ? src.num.isConst32 : src.num.isConst
  if ((op !== B.BPF_ADD && op !== B.BPF_SUB) || dst.id === 0 || linkOf(dst.id) !== 0 || !constant32) return undefined
  if (isX(i) && i.src === i.dst) return undefined
  const value = is32(i) ? BigInt.asIntN(32, src.num.value) : s64(src.num.value)
  if (value < BigInt(S32_MIN) || value > BigInt(S32_MAX)) return undefined
  if (op === B.BPF_ADD) return Number(value)
  return value === BigInt(S32_MIN) ? undefined : -Number(value)
}

/** adjust_ptr_min_max_vals() */
function pointer(env: Env, i: Insn, ptr: Reg, off: Reg, scalarFirst: boolean): void {
  const { num } = off
  if (num.smin > num.smax || num.umin > num.umax || (num.isConst && (num.smin !== num.smax || num.umin !== num.umax))) {
    return env.setReg(i.dst, unknownScalar)
  }
  const op = B.BPF_OP(i.code)
  if (is32(i)) {
    if (op !== B.BPF_SUB) env.fail(EACCES, `R${i.dst} 32-bit pointer arithmetic prohibited`)
    return env.setReg(i.dst, unknownScalar)
  }
  if (T.baseType(ptr.type) === T.PTR_TO_MEM && ptr.type & T.PTR_UNTRUSTED && !T.mayBeNull(ptr.type)) {
    return env.setReg(i.dst, ptr)
  }
  mayMove(env, i, ptr, off)
  saneOffset(env, off, ptr.type)
  saneOffset(env, ptr, ptr.type)
  mayOperate(env, i, ptr, scalarFirst)
  const out = moved(env, ptr, num, op === B.BPF_SUB)
  saneOffset(env, out, ptr.type)
  if (!out.num.isConst) out.num = sync(out.num)
  env.setReg(i.dst, out)
}

/** The pointer plus or minus a number: into the fixed part if it is known, else into the variable part. */
function moved(env: Env, ptr: Reg, num: Scalar, subtract: boolean): Reg {
  const out = ptr.copy()
  const by = subtract ? -num.smin : num.smin
  const fixed = BigInt(ptr.off) + by
  if (num.isConst && fixed >= BigInt(S32_MIN) && fixed <= BigInt(S32_MAX)) {
    out.off = Number(fixed)
    return out
  }
  out.num = subtract ? lessScalar(ptr.num, num) : moreScalar(ptr.num, num)
  if (isPacket(ptr.type)) {
    out.id = env.newId()
    if (!subtract || num.smin < 0n) {
      out.range = 0
      out.memSize = 0
    }
  }
  return out
}

/** Pointers carry no 32-bit ranges. */
function base32(s: Scalar): Scalar {
  const out = s.copy()
  unbound32(out)
  return out
}

function moreScalar(a: Scalar, b: Scalar): Scalar {
  const out = base32(a)
  signed(out, a.smin + b.smin, a.smax + b.smax)
  const over = a.umax + b.umax > U64 || a.umin + b.umin > U64
  out.umin = over ? 0n : a.umin + b.umin
  out.umax = over ? U64 : a.umax + b.umax
  out.t = tnumAdd(a.t, b.t)
  return out
}

function lessScalar(a: Scalar, b: Scalar): Scalar {
  const out = base32(a)
  signed(out, a.smin - b.smax, a.smax - b.smin)
  const under = a.umin < b.umax
  out.umin = under ? 0n : a.umin - b.umax
  out.umax = under ? U64 : a.umax - b.umin
  out.t = tnumSub(a.t, b.t)
  return out
}

function signed(out: Scalar, min: bigint, max: bigint): void {
  const fits = min >= S64_MIN && min <= S64_MAX && max >= S64_MIN && max <= S64_MAX
  out.smin = fits ? min : S64_MIN
  out.smax = fits ? max : S64_MAX
}

export const signedOf = (s: Scalar): bigint => s64(s.value)
export const constScalar = (value: bigint): Scalar => known(u64(value))
