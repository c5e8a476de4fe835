// Tristate numbers: which bits of a value are known (kernel/bpf/tnum.c). A bit that is 1 in mask is unknown and 0 in value.

/** 64-bit tristate number; both halves unsigned. */
export interface Tnum {
  readonly value: bigint
  readonly mask: bigint
}

export const U64 = (1n << 64n) - 1n
export const U32 = 0xffffffffn
export const u64 = (x: bigint): bigint => BigInt.asUintN(64, x)
export const s64 = (x: bigint): bigint => BigInt.asIntN(64, x)

export const tnumUnknown: Tnum = { value: 0n, mask: U64 }
export const tnumConst = (value: bigint): Tnum => ({ value, mask: 0n })
export const tnumIsConst = (t: Tnum): boolean => t.mask === 0n

/** fls64() */
export function bitLength(x: bigint): number {
  const high = Number(x >> 32n)
  return high !== 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(Number(x))
}

/** The smallest tnum that holds every value of [min, max]. */
export function tnumRange(min: bigint, max: bigint): Tnum {
  const bits = bitLength(min ^ max)
  if (bits > 63) return tnumUnknown
  const delta = (1n << BigInt(bits)) - 1n
  return { value: min & ~delta, mask: delta }
}

export const tnumLshift = (a: Tnum, shift: bigint): Tnum => ({ value: u64(a.value << shift), mask: u64(a.mask << shift) })
export const tnumRshift = (a: Tnum, shift: bigint): Tnum => ({ value: a.value >> shift, mask: a.mask >> shift })

export function tnumArshift(a: Tnum, shift: bigint, bits: 32 | 64): Tnum {
  const back = (x: bigint): bigint => BigInt.asUintN(bits, BigInt.asIntN(bits, x) >> shift)
  return { value: back(a.value), mask: back(a.mask) }
}

export function tnumAdd(a: Tnum, b: Tnum): Tnum {
  const sm = u64(a.mask + b.mask)
  const sv = u64(a.value + b.value)
  const chi = u64(sm + sv) ^ sv
  const mu = chi | a.mask | b.mask
  return { value: sv & ~mu, mask: mu }
}

export function tnumSub(a: Tnum, b: Tnum): Tnum {
  const dv = u64(a.value - b.value)
  const chi = u64(dv + a.mask) ^ u64(dv - b.mask)
  const mu = chi | a.mask | b.mask
  return { value: dv & ~mu, mask: mu }
}

export const tnumNeg = (a: Tnum): Tnum => tnumSub(tnumConst(0n), a)

export function tnumAnd(a: Tnum, b: Tnum): Tnum {
  const alpha = a.value | a.mask
  const beta = b.value | b.mask
  const v = a.value & b.value
  return { value: v, mask: alpha & beta & ~v }
}

export function tnumOr(a: Tnum, b: Tnum): Tnum {
  const v = a.value | b.value
  const mu = a.mask | b.mask
  return { value: v, mask: mu & ~v }
}

export function tnumXor(a: Tnum, b: Tnum): Tnum {
  const mu = a.mask | b.mask
  return { value: (a.value ^ b.value) & ~mu, mask: mu }
}

/** Holds what either holds. */
export function tnumUnion(a: Tnum, b: Tnum): Tnum {
  const mu = (a.value ^ b.value) | a.mask | b.mask
  return { value: a.value & b.value & ~mu, mask: mu }
}

/** Long multiplication over tristate digits, as 6.18 does it: an unknown digit joins both outcomes. */
export function tnumMul(a: Tnum, b: Tnum): Tnum {
  let acc: Tnum = tnumConst(0n)
  let { value, mask } = a
  while (value !== 0n || mask !== 0n) {
    if (value & 1n) acc = tnumAdd(acc, b)
    else if (mask & 1n) acc = tnumUnion(acc, tnumAdd(acc, b))
    value >>= 1n
    mask >>= 1n
    b = tnumLshift(b, 1n)
  }
  return acc
}

/** Some value is in both. */
export const tnumOverlap = (a: Tnum, b: Tnum): boolean => {
  const mu = ~a.mask & ~b.mask & U64
  return (a.value & mu) === (b.value & mu)
}

/** tnum_step(): the smallest member above z; the largest or smallest member if z is beyond them. */
export function tnumStep({ value, mask }: Tnum, z: bigint): bigint {
  const top = value | mask
  if (z >= top) return top
  if (z < value) return value
  const next = z + 1n
  const wrong = (next ^ value) & ~mask & U64
  if (wrong === 0n) return next
  const at = BigInt(bitLength(wrong) - 1)
  const below = (bit: bigint): bigint => value & ((1n << bit) - 1n)
  const above = (bit: bigint): bigint => (next >> (bit + 1n)) << (bit + 1n)
  if ((value >> at) & 1n) return above(at) | (1n << at) | below(at)
  const free = mask & ~next & ~((1n << (at + 1n)) - 1n)
  const lowest = BigInt(bitLength(free & -free) - 1)
  return above(lowest) | (1n << lowest) | below(lowest)
}

/** What both say; they must not contradict each other (then the result is arbitrary). */
export function tnumIntersect(a: Tnum, b: Tnum): Tnum {
  const v = a.value | b.value
  const mu = a.mask & b.mask
  return { value: v & ~mu, mask: mu }
}

/** Every value of b is one of a. */
export const tnumIn = (a: Tnum, b: Tnum): boolean => (b.mask & ~a.mask) === 0n && a.value === (b.value & ~a.mask)

export const tnumSubreg = (a: Tnum): Tnum => ({ value: a.value & U32, mask: a.mask & U32 })
export const tnumClearSubreg = (a: Tnum): Tnum => ({ value: a.value & ~U32 & U64, mask: a.mask & ~U32 & U64 })
export const tnumWithSubreg = (a: Tnum, sub: Tnum): Tnum => tnumOr(tnumClearSubreg(a), tnumSubreg(sub))
export const tnumSubregIsConst = (a: Tnum): boolean => (a.mask & U32) === 0n

/** tnum_cast(): the lower `size` bytes. */
export function tnumCast(a: Tnum, size: number): Tnum {
  return { value: BigInt.asUintN(size * 8, a.value), mask: BigInt.asUintN(size * 8, a.mask) }
}

/** tnum_is_aligned() */
export const tnumIsAligned = (a: Tnum, size: bigint): boolean => size === 0n || ((a.value | a.mask) & (size - 1n)) === 0n
