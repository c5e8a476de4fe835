// What is known of a 64-bit number: its tnum and its ranges, signed and unsigned, of all 64 and of the lower 32 bits, kept in
// accord as reg_bounds_sync() does (kernel/bpf/verifier.c). Scalars never change: registers and saved states share them.
import {
  tnumConst, tnumClearSubreg, tnumIntersect, tnumOr, tnumRange, tnumStep, tnumSubreg, tnumUnknown, u64, s64, U32, U64, type Tnum,
} from './tnum.js'

export const S64_MIN = -(1n << 63n)
export const S64_MAX = (1n << 63n) - 1n
export const S32_MIN = -0x80000000
export const S32_MAX = 0x7fffffff
export const U32_MAX = 0xffffffff

/** Ranges and bits of a number. Fields are public and written only while a new one is being built. */
export class Scalar {
  t: Tnum
  smin: bigint
  smax: bigint
  umin: bigint
  umax: bigint
  s32min: number
  s32max: number
  u32min: number
  u32max: number

  constructor(
    t: Tnum, smin: bigint, smax: bigint, umin: bigint, umax: bigint, s32min: number, s32max: number, u32min: number, u32max: number,
  ) {
    this.t = t
    this.smin = smin
    this.smax = smax
    this.umin = umin
    this.umax = umax
    this.s32min = s32min
    this.s32max = s32max
    this.u32min = u32min
    this.u32max = u32max
  }

  /** A copy to be narrowed. */
  copy(): Scalar {
    return new Scalar(this.t, this.smin, this.smax, this.umin, this.umax, this.s32min, this.s32max, this.u32min, this.u32max)
  }

  get isConst(): boolean {
    return this.t.mask === 0n
  }

  /** The lower 32 bits are known. */
  get isConst32(): boolean {
    return (this.t.mask & U32) === 0n
  }

  /** The unsigned value of a constant. */
  get value(): bigint {
    return this.t.value
  }
}

export const UNKNOWN = new Scalar(tnumUnknown, S64_MIN, S64_MAX, 0n, U64, S32_MIN, S32_MAX, 0, U32_MAX)

const small: Scalar[] = []

/** Exactly this value (any integer; taken modulo 2^64). */
export function known(value: bigint): Scalar {
  const v = u64(value)
  if (v < 256n) return (small[Number(v)] ??= makeKnown(v))
  return makeKnown(v)
}

function makeKnown(v: bigint): Scalar {
  const s = s64(v)
  const w = Number(v & U32)
  return new Scalar(tnumConst(v), s, s, v, v, w | 0, w | 0, w, w)
}

export const ZERO = known(0n)

/** __mark_reg32_known(): the lower half is known, the upper stays as it was. */
export function known32(s: Scalar, value: bigint): void {
  const w = Number(value & U32)
  s.t = { value: (s.t.value & ~U32 & U64) | BigInt(w), mask: s.t.mask & ~U32 & U64 }
  s.s32min = s.s32max = w | 0
  s.u32min = s.u32max = w
}

export function unbound(s: Scalar): void {
  unbound64(s)
  unbound32(s)
}

export function unbound64(s: Scalar): void {
  s.smin = S64_MIN
  s.smax = S64_MAX
  s.umin = 0n
  s.umax = U64
}

export function unbound32(s: Scalar): void {
  s.s32min = S32_MIN
  s.s32max = S32_MAX
  s.u32min = 0
  s.u32max = U32_MAX
}

const maxB = (a: bigint, b: bigint): bigint => (a > b ? a : b)
const minB = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const lowU = (x: bigint): number => Number(x & U32)
const lowS = (x: bigint): number => Number(x & U32) | 0
const high = (x: bigint): number => Number((x >> 32n) & U32)

/** __update_reg32_bounds() */
export function update32(s: Scalar): void {
  const v = Number(s.t.value & U32)
  const m = Number(s.t.mask & U32)
  s.s32min = Math.max(s.s32min, (v | (m & S32_MIN)) | 0)
  s.s32max = Math.min(s.s32max, (v | (m & S32_MAX)) | 0)
  s.u32min = Math.max(s.u32min, v)
  s.u32max = Math.min(s.u32max, (v | m) >>> 0)
}

function update64(s: Scalar): void {
  const { value, mask } = s.t
  s.smin = maxB(s.smin, s64(value | (mask & (1n << 63n))))
  s.smax = minB(s.smax, s64(value | (mask & S64_MAX)))
  s.umin = maxB(s.umin, value)
  s.umax = minB(s.umax, value | mask)
  const only = mask === 0n ? undefined : onlyMember(s)
  if (only !== undefined) Object.assign(s, makeKnown(only))
}

/** The one value that the bits and the unsigned range have in common, where that is plain to see. */
function onlyMember({ t, umin, umax }: Scalar): bigint | undefined {
  const next = tnumStep(t, umin)
  if ((umin & ~t.mask) === t.value) return next > umax ? umin : undefined
  if (next === (t.value | t.mask)) return next
  return next <= umax && tnumStep(t, next) > umax ? next : undefined
}

/** __update_reg_bounds() */
export function update(s: Scalar): void {
  update32(s)
  update64(s)
}

/** __reg32_deduce_bounds(): the lower half, from the 64-bit ranges and from its own two. */
function deduce32(s: Scalar): void {
  from64(s, s.umin, s.umax)
  from64(s, s.smin, s.smax)
  if ((s.u32min | 0) <= (s.u32max | 0)) meetS32(s, s.u32min | 0, s.u32max | 0)
  if (s.s32min >>> 0 <= s.s32max >>> 0) {
    meetU32(s, s.s32min >>> 0, s.s32max >>> 0)
  } else if (s.u32max < s.s32min >>> 0) {
    s.s32min = s.u32min | 0
    s.u32max = Math.min(s.u32max, s.s32max >>> 0)
  } else if (s.s32max >>> 0 < s.u32min) {
    s.s32max = s.u32max | 0
    s.u32min = Math.max(s.u32min, s.s32min >>> 0)
  }
}

/** A 64-bit range whose upper halves are equal, or follow each other while the lower half runs through zero. */
function from64(s: Scalar, min: bigint, max: bigint): void {
  if (min >> 32n === max >> 32n) {
    if (lowU(min) <= lowU(max)) meetU32(s, lowU(min), lowU(max))
    if (lowS(min) <= lowS(max)) meetS32(s, lowS(min), lowS(max))
  } else if (((high(min) + 1) >>> 0) === high(max) && lowS(min) < 0 && lowS(max) >= 0) {
    meetS32(s, lowS(min), lowS(max))
  }
}

function meetU32(s: Scalar, min: number, max: number): void {
  if (min > s.u32min) s.u32min = min
  if (max < s.u32max) s.u32max = max
}

function meetS32(s: Scalar, min: number, max: number): void {
  if (min > s.s32min) s.s32min = min
  if (max < s.s32max) s.s32max = max
}

/** __reg64_deduce_bounds() */
function deduce64(s: Scalar): void {
  if (s64(s.umin) <= s64(s.umax)) {
    s.smin = maxB(s.smin, s64(s.umin))
    s.smax = minB(s.smax, s64(s.umax))
  }
  if (u64(s.smin) <= u64(s.smax)) {
    s.umin = maxB(u64(s.smin), s.umin)
    s.umax = minB(u64(s.smax), s.umax)
  } else if (s.umax < u64(s.smin)) {
    s.smin = s64(s.umin)
    s.umax = minB(s.umax, u64(s.smax))
  } else if (u64(s.smax) < s.umin) {
    s.smax = s64(s.umax)
    s.umin = maxB(s.umin, u64(s.smin))
  }
}

/** __reg_deduce_mixed_bounds(): the whole from its lower half. */
function deduceMixed(s: Scalar): void {
  const umin32 = BigInt(s.u32min)
  const umax32 = BigInt(s.u32max)
  s.umin = maxB(s.umin, (s.umin & ~U32) | umin32)
  s.umax = minB(s.umax, (s.umax & ~U32) | umax32)
  s.smin = maxB(s.smin, (s.smin & ~U32) | umin32)
  s.smax = minB(s.smax, (s.smax & ~U32) | umax32)
  if (s.s32min >= 0 && s.smin >= BigInt(S32_MIN) && s.smax <= BigInt(S32_MAX)) {
    s.smin = s.umin = BigInt(s.s32min)
    s.smax = s.umax = BigInt(s.s32max)
    s.t = tnumIntersect(s.t, tnumRange(u64(s.smin), u64(s.smax)))
  }
}

function deduce(s: Scalar): void {
  deduce32(s)
  deduce64(s)
  deduceMixed(s)
}

/** __reg_bound_offset() */
function boundBits(s: Scalar): void {
  const whole = tnumIntersect(s.t, tnumRange(s.umin, s.umax))
  const low = tnumIntersect(tnumSubreg(whole), tnumRange(BigInt(s.u32min), BigInt(s.u32max)))
  s.t = tnumOr(tnumClearSubreg(whole), low)
}

/** reg_bounds_sync(): everything that one view knows, the others learn. Returns its argument. */
export function sync(s: Scalar): Scalar {
  if (s.t.mask === 0n && agrees(s)) return s
  if (syncLow(s)) return s
  return syncWide(s)
}

/** reg_bounds_sync() as it is written. Exported for the test that compares the two. */
export function syncWide(s: Scalar): Scalar {
  update(s)
  deduce(s)
  deduce(s)
  deduce(s)
  boundBits(s)
  update(s)
  return s
}

/**
 * The same for a number below 2^32, in plain numbers: all views are one range then (the signed lower half only as long as it does not
 * cross its sign), so three rounds of deduction end in the intersection. False, nothing changed: too large, bits with gaps, or a contradiction.
 */
export function syncLow(s: Scalar): boolean {
  const { value, mask } = s.t
  if (value > U32 || (mask > U32 ? mask !== U64 : (mask & (mask + 1n)) !== 0n)) return false
  if (mask > U32) {
    const [u, i] = [s.umax <= U32, s.smin >= 0n && s.smax <= U32]
    if (!(u && (i || (s.smin <= s.umin && s.smax >= s.umax))) && !(i && s.umin <= s.smin && s.umax >= s.smax)) return false
  }
  const v = Number(value)
  const m = mask <= U32 ? Number(mask) : Number(mask & U32)
  let s32min = Math.max(s.s32min, (v | (m & S32_MIN)) | 0)
  let s32max = Math.min(s.s32max, (v | (m & S32_MAX)) | 0)
  let lo = Math.max(Number(s.umin), Number(s.smin), s.u32min, v)
  let hi = Math.min(Number(s.umax), Number(s.smax), s.u32max, (v | m) >>> 0)
  const crosses = s32min < 0 && s32max >= 0
  const positive = hi <= S32_MAX || s32min >= 0 || (crosses && hi < s32min >>> 0)
  const negative = !positive && (lo > S32_MAX || s32max < 0 || (crosses && lo > s32max))
  if (positive) {
    lo = Math.max(lo, s32min)
    hi = Math.min(hi, s32max)
  } else if (negative) {
    lo = Math.max(lo, s32min >>> 0)
    hi = Math.min(hi, s32max < 0 ? s32max >>> 0 : U32_MAX)
  }
  if (lo > hi || s32min > s32max || (negative && lo <= S32_MAX)) return false
  const unknown = lo === hi ? 0 : 0xffffffff >>> Math.clz32(lo ^ hi)
  const newMask = (m & unknown) >>> 0
  const newValue = ((v | (lo & ~unknown)) & ~newMask) >>> 0
  lo = Math.max(lo, newValue)
  hi = Math.min(hi, (newValue | newMask) >>> 0)
  if (lo > hi) return false
  if (positive || negative) {
    s32min = lo | 0
    s32max = hi | 0
  }
  if (newValue !== v || newMask !== m || mask > U32) s.t = { value: newValue === v ? value : BigInt(newValue), mask: BigInt(newMask) }
  s.umin = s.smin = s.umin <= U32 && Number(s.umin) === lo ? s.umin : BigInt(lo)
  s.umax = s.smax = s.umax <= U32 && Number(s.umax) === hi ? s.umax : BigInt(hi)
  s.u32min = lo
  s.u32max = hi
  s.s32min = s32min
  s.s32max = s32max
  return true
}

const agrees = (s: Scalar): boolean =>
  s.umin === s.t.value && s.umax === s.t.value && s.u32min === s.u32max && s.smin === s.smax && s.s32min === s.s32max

/** __reg_assign_32_into_64() after tnum_subreg(): what an ALU32 instruction leaves. */
export function zext32(s: Scalar): void {
  s.t = tnumSubreg(s.t)
  s.umin = BigInt(s.u32min)
  s.umax = BigInt(s.u32max)
  const signed = s.s32min >= 0 && s.s32max >= 0
  s.smin = signed ? BigInt(s.s32min) : 0n
  s.smax = signed ? BigInt(s.s32max) : U32
}

/** range_bounds_violation() */
const empty = (s: Scalar): boolean => s.umin > s.umax || s.smin > s.smax || s.u32min > s.u32max || s.s32min > s.s32max

/** reg_bounds_sanity_check(): no range is empty, a constant is one in every view. */
export function sane(s: Scalar): boolean {
  if (empty(s)) return false
  if (s.isConst && (s.umin !== s.t.value || s.umax !== s.t.value || u64(s.smin) !== s.t.value || u64(s.smax) !== s.t.value)) return false
  const low = Number(s.t.value & U32)
  return !s.isConst32 || (s.u32min === low && s.u32max === low && s.s32min === (low | 0) && s.s32max === (low | 0))
}

/** range_within(): every value of b is one of a, going by ranges alone. */
export const within = (a: Scalar, b: Scalar): boolean =>
  a.umin <= b.umin && a.umax >= b.umax && a.smin <= b.smin && a.smax >= b.smax &&
  a.u32min <= b.u32min && a.u32max >= b.u32max && a.s32min <= b.s32min && a.s32max >= b.s32max

export const sameScalar = (a: Scalar, b: Scalar): boolean =>
  a === b || (a.t.value === b.t.value && a.t.mask === b.t.mask && a.umin === b.umin && a.umax === b.umax && a.smin === b.smin &&
    a.smax === b.smax && a.u32min === b.u32min && a.u32max === b.u32max && a.s32min === b.s32min && a.s32max === b.s32max)

/** coerce_reg_to_size(): only the lower `size` bytes remain. */
export function coerce(s: Scalar, size: number): Scalar {
  if (size === 8) return s
  const bits = size * 8
  const mask = (1n << BigInt(bits)) - 1n
  const out = s.copy()
  out.t = { value: s.t.value & mask, mask: s.t.mask & mask }
  if ((s.umin & ~mask) === (s.umax & ~mask)) {
    out.umin = s.umin & mask
    out.umax = s.umax & mask
  } else {
    out.umin = 0n
    out.umax = mask
  }
  out.smin = out.umin
  out.smax = out.umax
  if (size < 4) {
    out.u32min = out.s32min = Number(out.umin)
    out.u32max = out.s32max = Number(out.umax)
  }
  return sync(out)
}

/** coerce_reg_to_size_sx(), coerce_subreg_to_size_sx(): the lower `size` bytes, sign-extended to 64 or 32 bits. */
export function coerceSigned(s: Scalar, size: number, to: 32 | 64): Scalar {
  return to === 64 ? signed64(s, size) : signed32(s, size)
}

function signed64(s: Scalar, size: number): Scalar {
  const bits = size * 8
  if (s.isConst) return known(BigInt.asIntN(bits, s.t.value))
  const top = (x: bigint): bigint => x >> BigInt(bits)
  const out = s.copy()
  const max = BigInt.asIntN(bits, s.smax)
  const min = BigInt.asIntN(bits, s.smin)
  if (top(u64(s.smax)) === top(u64(s.smin)) && max >= 0n === min >= 0n) {
    const [lo, hi] = min < max ? [min, max] : [max, min]
    out.smin = lo
    out.smax = hi
    out.umin = u64(lo)
    out.umax = u64(hi)
    out.s32min = Number(BigInt.asIntN(32, lo))
    out.s32max = Number(BigInt.asIntN(32, hi))
    out.u32min = Number(BigInt.asUintN(32, lo))
    out.u32max = Number(BigInt.asUintN(32, hi))
    out.t = tnumRange(out.umin, out.umax)
    return out
  }
  return plainSigned64(size)
}

/** set_sext64_default_val() */
function plainSigned64(size: number): Scalar {
  const out = UNKNOWN.copy()
  const half = 1n << BigInt(size * 8 - 1)
  out.smin = -half
  out.smax = half - 1n
  out.s32min = Number(-half)
  out.s32max = Number(half - 1n)
  return out
}

function signed32(s: Scalar, size: number): Scalar {
  const bits = size * 8
  const shift = 32 - bits
  const sext = (x: number): number => (x << shift) >> shift
  const out = s.copy()
  if (s.isConst32) {
    const v = sext(Number(s.t.value & U32))
    known32(out, BigInt(v >>> 0))
  } else {
    const [max, min] = [sext(s.s32max), sext(s.s32min)]
    const sameTop = s.s32max >> bits === s.s32min >> bits || (s.u32max >>> bits === s.u32min >>> bits && s.s32max >>> bits === s.s32min >>> bits)
    if (sameTop && max >= 0 === min >= 0) {
      const [lo, hi] = min < max ? [min, max] : [max, min]
      out.s32min = lo
      out.s32max = hi
      out.u32min = lo >>> 0
      out.u32max = hi >>> 0
      out.t = tnumOr(tnumClearSubreg(s.t), tnumSubreg(tnumRange(BigInt(out.u32min), BigInt(out.u32max))))
    } else {
      out.s32min = -(2 ** (bits - 1))
      out.s32max = 2 ** (bits - 1) - 1
      out.u32min = 0
      out.u32max = U32_MAX
      out.t = { value: s.t.value & ~U32 & U64, mask: s.t.mask | U32 }
    }
  }
  zext32(out)
  return sync(out)
}
