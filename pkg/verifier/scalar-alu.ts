// Arithmetic on what is known of two numbers: scalar_min_max_add() … and their 32-bit twins (kernel/bpf/verifier.c).
import { BPF_ADD, BPF_AND, BPF_ARSH, BPF_LSH, BPF_MUL, BPF_NEG, BPF_OR, BPF_RSH, BPF_SUB, BPF_XOR } from '../insn/opcode.js'
import {
  known, known32, sync, unbound32, unbound64, update, update32, zext32, S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, UNKNOWN, ZERO, type Scalar,
} from './scalar.js'
import {
  tnumAdd, tnumAnd, tnumArshift, tnumLshift, tnumMul, tnumNeg, tnumOr, tnumRshift, tnumSub, tnumSubreg, tnumXor, s64, u64, U32, U64,
} from './tnum.js'

/** dst op= src. A new scalar; DIV, MOD and shifts by what is not constant and in range give no knowledge. */
export function aluScalar(op: number, dst: Scalar, src: Scalar, is32: boolean): Scalar {
  if (!computable(op, src, is32)) return is32 ? zeroExtended : UNKNOWN
  if (!is32 && dst.isConst && src.isConst) return known(constant(op, dst.t.value, src.t.value))
  const out = op === BPF_NEG ? ZERO.copy() : dst.copy()
  operations[op]!(out, op === BPF_NEG ? dst : src, is32)
  if (is32) zext32(out)
  return sync(out)
}

const zeroExtended = UNKNOWN

/** is_safe_to_compute_dst_reg_range() */
function computable(op: number, src: Scalar, is32: boolean): boolean {
  if (op === BPF_LSH || op === BPF_RSH || op === BPF_ARSH) {
    return is32 ? src.isConst32 && src.u32max < 32 : src.isConst && src.umax < 64n
  }
  return operations[op] !== undefined
}

function constant(op: number, a: bigint, b: bigint): bigint {
  switch (op) {
    case BPF_ADD: return a + b
    case BPF_SUB: return a - b
    case BPF_MUL: return a * b
    case BPF_AND: return a & b
    case BPF_OR: return a | b
    case BPF_XOR: return a ^ b
    case BPF_LSH: return a << b
    case BPF_RSH: return a >> b
    case BPF_NEG: return -a
    default: return s64(a) >> b
  }
}

type Operation = (d: Scalar, s: Scalar, is32: boolean) => void

/** What is true of the upper half after a 32-bit operation, aluScalar() finds from the lower: nothing is worked out for it here. */
const operations: Readonly<Record<number, Operation>> = {
  [BPF_ADD]: (d, s, is32) => {
    const t = tnumAdd(d.t, s.t)
    add32(d, s)
    if (!is32) add64(d, s)
    d.t = t
  },
  [BPF_SUB]: (d, s, is32) => {
    const t = tnumSub(d.t, s.t)
    sub32(d, s)
    if (!is32) sub64(d, s)
    d.t = t
  },
  [BPF_NEG]: (d, s, is32) => {
    sub32(d, s)
    if (!is32) sub64(d, s)
    d.t = tnumNeg(s.t)
  },
  [BPF_MUL]: (d, s, is32) => {
    d.t = tnumMul(d.t, s.t)
    mul32(d, s)
    if (!is32) mul64(d, s)
  },
  [BPF_AND]: (d, s, is32) => {
    const both = d.isConst && s.isConst
    const both32 = d.isConst32 && s.isConst32
    d.t = tnumAnd(d.t, s.t)
    if (both32) known32(d, d.t.value)
    else setU32(d, Number(d.t.value & U32), Math.min(d.u32max, s.u32max))
    if (is32) return update32(d)
    if (both) Object.assign(d, known(d.t.value))
    else setU64(d, d.t.value, d.umax < s.umax ? d.umax : s.umax)
    update(d)
  },
  [BPF_OR]: (d, s, is32) => {
    const both = d.isConst && s.isConst
    const both32 = d.isConst32 && s.isConst32
    d.t = tnumOr(d.t, s.t)
    if (both32) known32(d, d.t.value)
    else setU32(d, Math.max(d.u32min, s.u32min), Number((d.t.value | d.t.mask) & U32))
    if (is32) return update32(d)
    if (both) Object.assign(d, known(d.t.value))
    else setU64(d, d.umin > s.umin ? d.umin : s.umin, d.t.value | d.t.mask)
    update(d)
  },
  [BPF_XOR]: (d, s, is32) => {
    const both = d.isConst && s.isConst
    const both32 = d.isConst32 && s.isConst32
    d.t = tnumXor(d.t, s.t)
    if (both32) known32(d, d.t.value)
    else setU32(d, Number(d.t.value & U32), Number((d.t.value | d.t.mask) & U32))
    if (is32) return update32(d)
    if (both) Object.assign(d, known(d.t.value))
    else setU64(d, d.t.value, d.t.value | d.t.mask)
    update(d)
  },
  [BPF_LSH]: (d, s, is32) => {
    if (is32) {
      lsh32(d, s.u32min)
      d.t = tnumSubreg(tnumLshift(tnumSubreg(d.t), BigInt(s.u32min)))
      unbound64(d)
      update32(d)
      return
    }
    lsh64(d, s.umin)
    lsh32(d, Number(s.umin))
    d.t = tnumLshift(d.t, s.umin)
    update(d)
  },
  [BPF_RSH]: (d, s, is32) => {
    if (is32) {
      const n = s.u32min
      d.s32min = S32_MIN
      d.s32max = S32_MAX
      d.t = tnumRshift(tnumSubreg(d.t), BigInt(n))
      d.u32min >>>= n
      d.u32max >>>= n
      unbound64(d)
      update32(d)
      return
    }
    d.smin = S64_MIN
    d.smax = S64_MAX
    d.t = tnumRshift(d.t, s.umin)
    d.umin >>= s.umin
    d.umax >>= s.umin
    unbound32(d)
    update(d)
  },
  [BPF_ARSH]: (d, s, is32) => {
    if (is32) {
      const n = s.u32min
      d.s32min >>= n
      d.s32max >>= n
      d.t = tnumArshift(tnumSubreg(d.t), BigInt(n), 32)
      d.u32min = 0
      d.u32max = U32_MAX
      unbound64(d)
      update32(d)
      return
    }
    d.smin >>= s.umin
    d.smax >>= s.umin
    d.t = tnumArshift(d.t, s.umin, 64)
    d.umin = 0n
    d.umax = U64
    unbound32(d)
    update(d)
  },
}

/** An unsigned range; the signed one equals it where it does not cross the sign boundary. */
function setU32(d: Scalar, min: number, max: number): void {
  d.u32min = min
  d.u32max = max
  const same = (min | 0) <= (max | 0)
  d.s32min = same ? min | 0 : S32_MIN
  d.s32max = same ? max | 0 : S32_MAX
}

function setU64(d: Scalar, min: bigint, max: bigint): void {
  d.umin = min
  d.umax = max
  const same = s64(min) <= s64(max)
  d.smin = same ? s64(min) : S64_MIN
  d.smax = same ? s64(max) : S64_MAX
}

const fits32 = (x: number): boolean => x >= S32_MIN && x <= S32_MAX
const fits64 = (x: bigint): boolean => x >= S64_MIN && x <= S64_MAX

function signed32(d: Scalar, min: number, max: number): void {
  const fits = fits32(min) && fits32(max)
  d.s32min = fits ? min : S32_MIN
  d.s32max = fits ? max : S32_MAX
}

function signed64(d: Scalar, min: bigint, max: bigint): void {
  const fits = fits64(min) && fits64(max)
  d.smin = fits ? min : S64_MIN
  d.smax = fits ? max : S64_MAX
}

/** All additions overflow, or none does: then the wrapped bounds hold. */
function add32(d: Scalar, s: Scalar): void {
  signed32(d, d.s32min + s.s32min, d.s32max + s.s32max)
  const [min, max] = [d.u32min + s.u32min, d.u32max + s.u32max]
  const some = min <= U32_MAX && max > U32_MAX
  d.u32min = some ? 0 : min >>> 0
  d.u32max = some ? U32_MAX : max >>> 0
}

function add64(d: Scalar, s: Scalar): void {
  signed64(d, d.smin + s.smin, d.smax + s.smax)
  const [min, max] = [d.umin + s.umin, d.umax + s.umax]
  const some = min <= U64 && max > U64
  d.umin = some ? 0n : u64(min)
  d.umax = some ? U64 : u64(max)
}

function sub32(d: Scalar, s: Scalar): void {
  signed32(d, d.s32min - s.s32max, d.s32max - s.s32min)
  const [min, max] = [d.u32min - s.u32max, d.u32max - s.u32min]
  const some = min < 0 && max >= 0
  d.u32min = some ? 0 : min >>> 0
  d.u32max = some ? U32_MAX : max >>> 0
}

function sub64(d: Scalar, s: Scalar): void {
  signed64(d, d.smin - s.smax, d.smax - s.smin)
  const [min, max] = [d.umin - s.umax, d.umax - s.umin]
  const some = min < 0n && max >= 0n
  d.umin = some ? 0n : u64(min)
  d.umax = some ? U64 : u64(max)
}

function mul32(d: Scalar, s: Scalar): void {
  const max = BigInt(d.u32max) * BigInt(s.u32max)
  const min = BigInt(d.u32min) * BigInt(s.u32min)
  d.u32min = max > U32 ? 0 : Number(min)
  d.u32max = max > U32 ? U32_MAX : Number(max)
  const products = [d.s32min * s.s32min, d.s32min * s.s32max, d.s32max * s.s32min, d.s32max * s.s32max]
  signed32(d, Math.min(...products) + 0, Math.max(...products) + 0)
}

function mul64(d: Scalar, s: Scalar): void {
  const max = d.umax * s.umax
  d.umin = max > U64 ? 0n : d.umin * s.umin
  d.umax = max > U64 ? U64 : max
  let low = d.smin * s.smin
  let high = low
  for (const p of [d.smin * s.smax, d.smax * s.smin, d.smax * s.smax]) {
    if (p < low) low = p
    if (p > high) high = p
  }
  signed64(d, low, high)
}

function lsh32(d: Scalar, n: number): void {
  d.s32min = S32_MIN
  d.s32max = S32_MAX
  if (n > 31 || d.u32max > 2 ** (31 - n)) {
    d.u32min = 0
    d.u32max = U32_MAX
  } else {
    d.u32min = (d.u32min << n) >>> 0
    d.u32max = (d.u32max << n) >>> 0
  }
}

/** `<<= 32` keeps the signed range of the lower half: compilers sign-extend by `<<= 32; s>>= 32`. */
function lsh64(d: Scalar, n: bigint): void {
  d.smin = n === 32n ? BigInt(d.s32min) << 32n : S64_MIN
  d.smax = n === 32n ? BigInt(d.s32max) << 32n : S64_MAX
  if (d.umax > 1n << (63n - n)) {
    d.umin = 0n
    d.umax = U64
  } else {
    d.umin <<= n
    d.umax <<= n
  }
}

/** Adds a constant without bringing the views into accord, as sync_linked_regs() does. */
export function addRaw(dst: Scalar, delta: Scalar): Scalar {
  const out = dst.copy()
  add32(out, delta)
  add64(out, delta)
  out.t = tnumAdd(dst.t, delta.t)
  return out
}
