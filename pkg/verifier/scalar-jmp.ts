// What a comparison of two numbers decides (is_scalar_branch_taken) and teaches (regs_refine_cond_op), kernel/bpf/verifier.c.
import {
  BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JLE, BPF_JLT, BPF_JNE, BPF_JSET, BPF_JSGE, BPF_JSGT, BPF_JSLE, BPF_JSLT,
} from '../insn/opcode.js'
import { sane, sync, unbound, type Scalar } from './scalar.js'
import { tnumAnd, tnumConst, tnumIntersect, tnumOr, tnumOverlap, tnumSubreg, tnumWithSubreg, s64, U32, U64, type Tnum } from './tnum.js'

/** JSET seen from its fall-through side. */
export const JNSET = BPF_JSET | 8

const reverse: Readonly<Record<number, number>> = {
  [BPF_JEQ]: BPF_JNE, [BPF_JNE]: BPF_JEQ, [BPF_JSET]: JNSET, [JNSET]: BPF_JSET, [BPF_JGE]: BPF_JLT, [BPF_JGT]: BPF_JLE,
  [BPF_JLE]: BPF_JGT, [BPF_JLT]: BPF_JGE, [BPF_JSGE]: BPF_JSLT, [BPF_JSGT]: BPF_JSLE, [BPF_JSLE]: BPF_JSGT, [BPF_JSLT]: BPF_JSGE,
}
const flipped: Readonly<Record<number, number>> = {
  [BPF_JEQ]: BPF_JEQ, [BPF_JNE]: BPF_JNE, [BPF_JSET]: BPF_JSET, [BPF_JGE]: BPF_JLE, [BPF_JGT]: BPF_JLT, [BPF_JLE]: BPF_JGE,
  [BPF_JLT]: BPF_JGT, [BPF_JSGE]: BPF_JSLE, [BPF_JSGT]: BPF_JSLT, [BPF_JSLE]: BPF_JSGE, [BPF_JSLT]: BPF_JSGT,
}
/** rev_opcode(): the comparison that holds when this one does not. */
export const revOpcode = (op: number): number => reverse[op]!
/** flip_opcode(): the same comparison with its sides exchanged. */
export const flipOpcode = (op: number): number => flipped[op]!

/** 1: always taken, 0: never, -1: unknown. */
export type Taken = 0 | 1 | -1

export function scalarTaken(a: Scalar, b: Scalar, op: number, is32: boolean): Taken {
  if (is32) return lowTaken(a, b, op)
  switch (op) {
    case BPF_JEQ: return equal(a, b)
    case BPF_JNE: return not(equal(a, b))
    case BPF_JSET: return bits(a.t, b.t)
    default: return ordered(a, b, op)
  }
}

/** The same of the lower halves. */
function lowTaken(a: Scalar, b: Scalar, op: number): Taken {
  switch (op) {
    case BPF_JEQ: return equalLow(a, b)
    case BPF_JNE: return not(equalLow(a, b))
    case BPF_JSET: return bits(tnumSubreg(a.t), tnumSubreg(b.t))
    default: return ordered(lowSide(a), lowSide(b), op)
  }
}

interface Side { umin: bigint | number, umax: bigint | number, smin: bigint | number, smax: bigint | number }

const lowSide = (s: Scalar): Side => ({ umin: s.u32min, umax: s.u32max, smin: s.s32min, smax: s.s32max })

function ordered(x: Side, y: Side, op: number): Taken {
  switch (op) {
    case BPF_JGT: return x.umin > y.umax ? 1 : x.umax <= y.umin ? 0 : -1
    case BPF_JSGT: return x.smin > y.smax ? 1 : x.smax <= y.smin ? 0 : -1
    case BPF_JLT: return x.umax < y.umin ? 1 : x.umin >= y.umax ? 0 : -1
    case BPF_JSLT: return x.smax < y.smin ? 1 : x.smin >= y.smax ? 0 : -1
    case BPF_JGE: return x.umin >= y.umax ? 1 : x.umax < y.umin ? 0 : -1
    case BPF_JSGE: return x.smin >= y.smax ? 1 : x.smax < y.smin ? 0 : -1
    case BPF_JLE: return x.umax <= y.umin ? 1 : x.umin > y.umax ? 0 : -1
    default: return x.smax <= y.smin ? 1 : x.smin > y.smax ? 0 : -1
  }
}

const not = (t: Taken): Taken => (t === -1 ? -1 : t === 1 ? 0 : 1)

function equal(x: Scalar, y: Scalar): Taken {
  if (x.t.mask === 0n && y.t.mask === 0n) return x.t.value === y.t.value ? 1 : 0
  if (x.umin > y.umax || x.umax < y.umin || x.smin > y.smax || x.smax < y.smin || apart(x, y)) return 0
  return tnumOverlap(x.t, y.t) ? -1 : 0
}

function equalLow(x: Scalar, y: Scalar): Taken {
  if (x.isConst32 && y.isConst32) return ((x.t.value ^ y.t.value) & U32) === 0n ? 1 : 0
  return apart(x, y) || !tnumOverlap(tnumSubreg(x.t), tnumSubreg(y.t)) ? 0 : -1
}

/** The lower halves have no value in common. */
const apart = (a: Scalar, b: Scalar): boolean =>
  a.u32min > b.u32max || a.u32max < b.u32min || a.s32min > b.s32max || a.s32max < b.s32min

function bits(a: Tnum, b: Tnum): Taken {
  const [x, mask] = b.mask === 0n ? [a, b] : [b, a]
  if (mask.mask !== 0n) return -1
  if ((x.value & mask.value) !== 0n) return 1
  return ((x.value | x.mask) & mask.value) === 0n ? 0 : -1
}

/** Narrows both to the values for which the comparison holds. `a` and `b` must be fresh copies; empty results are widened again. */
export function refine(a: Scalar, b: Scalar, op: number, is32: boolean): void {
  refineOp(a, b, op, is32)
  sync(a)
  sync(b)
  if (!sane(a)) unbound(a)
  if (!sane(b)) unbound(b)
}

function refineOp(a: Scalar, b: Scalar, op: number, is32: boolean): void {
  switch (op) {
    case BPF_JEQ: return is32 ? equal32(a, b) : equal64(a, b)
    case BPF_JNE: return withConst(a, b, is32, notEqual)
    case BPF_JSET: return withConst(a, b, is32, someBit)
    case JNSET: return withConst(a, b, is32, noBit)
    case BPF_JLE: return is32 ? atMostU32(a, b, 0) : atMostU64(a, b, 0n)
    case BPF_JLT: return is32 ? atMostU32(a, b, 1) : atMostU64(a, b, 1n)
    case BPF_JSLE: return is32 ? atMostS32(a, b, 0) : atMostS64(a, b, 0n)
    case BPF_JSLT: return is32 ? atMostS32(a, b, 1) : atMostS64(a, b, 1n)
    default: return refineOp(b, a, flipOpcode(op), is32)
  }
}

function equal64(a: Scalar, b: Scalar): void {
  a.umin = b.umin = a.umin > b.umin ? a.umin : b.umin
  a.umax = b.umax = a.umax < b.umax ? a.umax : b.umax
  a.smin = b.smin = a.smin > b.smin ? a.smin : b.smin
  a.smax = b.smax = a.smax < b.smax ? a.smax : b.smax
  a.t = b.t = tnumIntersect(a.t, b.t)
}

function equal32(a: Scalar, b: Scalar): void {
  a.u32min = b.u32min = Math.max(a.u32min, b.u32min)
  a.u32max = b.u32max = Math.min(a.u32max, b.u32max)
  a.s32min = b.s32min = Math.max(a.s32min, b.s32min)
  a.s32max = b.s32max = Math.min(a.s32max, b.s32max)
  const t = tnumIntersect(tnumSubreg(a.t), tnumSubreg(b.t))
  a.t = tnumWithSubreg(a.t, t)
  b.t = tnumWithSubreg(b.t, t)
}

type WithConst = (s: Scalar, value: bigint, is32: boolean) => void

function withConst(a: Scalar, b: Scalar, is32: boolean, learn: WithConst): void {
  const isConst = (s: Scalar): boolean => (is32 ? s.isConst32 : s.isConst)
  if (isConst(b)) learn(a, is32 ? b.t.value & U32 : b.t.value, is32)
  else if (isConst(a)) learn(b, is32 ? a.t.value & U32 : a.t.value, is32)
}

/** A constant that is the edge of a range moves that edge. */
function notEqual(s: Scalar, value: bigint, is32: boolean): void {
  if (is32) {
    const u = Number(value)
    if (s.u32min === u) s.u32min++
    if (s.u32max === u) s.u32max--
    if (s.s32min === (u | 0)) s.s32min++
    if (s.s32max === (u | 0)) s.s32max--
    return
  }
  if (s.umin === value) s.umin++
  if (s.umax === value) s.umax--
  if (s.smin === s64(value)) s.smin++
  if (s.smax === s64(value)) s.smax--
}

function someBit(s: Scalar, value: bigint, is32: boolean): void {
  if (value === 0n || (value & (value - 1n)) !== 0n) return
  s.t = is32 ? tnumWithSubreg(s.t, tnumOr(tnumSubreg(s.t), tnumConst(value))) : tnumOr(s.t, tnumConst(value))
}

function noBit(s: Scalar, value: bigint, is32: boolean): void {
  unbound(s)
  const clear = tnumConst(~value & U64)
  s.t = is32 ? tnumWithSubreg(s.t, tnumAnd(tnumSubreg(s.t), clear)) : tnumAnd(s.t, clear)
}

function atMostU64(a: Scalar, b: Scalar, less: bigint): void {
  const top = b.umax - less
  const bottom = a.umin + less
  if (top < a.umax) a.umax = top
  if (bottom > b.umin) b.umin = bottom
}

function atMostS64(a: Scalar, b: Scalar, less: bigint): void {
  const top = b.smax - less
  const bottom = a.smin + less
  if (top < a.smax) a.smax = top
  if (bottom > b.smin) b.smin = bottom
}

function atMostU32(a: Scalar, b: Scalar, less: number): void {
  const top = b.u32max - less
  const bottom = a.u32min + less
  if (top < a.u32max) a.u32max = top
  if (bottom > b.u32min) b.u32min = bottom
}

function atMostS32(a: Scalar, b: Scalar, less: number): void {
  const top = b.s32max - less
  const bottom = a.s32min + less
  if (top < a.s32max) a.s32max = top
  if (bottom > b.s32min) b.s32min = bottom
}
