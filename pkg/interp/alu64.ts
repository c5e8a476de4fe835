// 64-bit arithmetic on registers kept as two Int32Arrays: what needs more than a line. Results go to lo[d], hi[d].
// Division follows Documentation/bpf/standardization/instruction-set.rst: x / 0 = 0, x % 0 = x, MIN s/ -1 = MIN, MIN s% -1 = 0.

type Half = Int32Array

export function mul64(lo: Half, hi: Half, d: number, al: number, ah: number, bl: number, bh: number): void {
  const a0 = al & 0xffff
  const a1 = al >>> 16
  const b0 = bl & 0xffff
  const b1 = bl >>> 16
  const mid = a0 * b1 + a1 * b0 + ((Math.imul(a0, b0) >>> 16))
  const top = a1 * b1 + Math.floor(mid / 0x10000)
  lo[d] = Math.imul(al, bl)
  hi[d] = top + Math.imul(ah, bl) + Math.imul(al, bh)
}

export function lsh64(lo: Half, hi: Half, d: number, count: number): void {
  const n = count & 63
  if (n >= 32) {
    hi[d] = lo[d]! << (n - 32)
    lo[d] = 0
  } else if (n > 0) {
    hi[d] = (hi[d]! << n) | (lo[d]! >>> (32 - n))
    lo[d] = lo[d]! << n
  }
}

export function rsh64(lo: Half, hi: Half, d: number, count: number): void {
  const n = count & 63
  if (n >= 32) {
    lo[d] = hi[d]! >>> (n - 32)
    hi[d] = 0
  } else if (n > 0) {
    lo[d] = (lo[d]! >>> n) | (hi[d]! << (32 - n))
    hi[d] = hi[d]! >>> n
  }
}

export function arsh64(lo: Half, hi: Half, d: number, count: number): void {
  const n = count & 63
  if (n >= 32) {
    lo[d] = hi[d]! >> (n - 32)
    hi[d] = hi[d]! >> 31
  } else if (n > 0) {
    lo[d] = (lo[d]! >>> n) | (hi[d]! << (32 - n))
    hi[d] = hi[d]! >> n
  }
}

export function neg64(lo: Half, hi: Half, d: number): void {
  const l = lo[d]!
  lo[d] = -l
  hi[d] = ~hi[d]! + (l === 0 ? 1 : 0)
}

/** Unsigned quotient, or remainder, of lo[d]:hi[d] by bl:bh. */
export function divmod64(lo: Half, hi: Half, d: number, bl: number, bh: number, remainder: boolean): void {
  if (bl === 0 && bh === 0) {
    if (!remainder) lo[d] = hi[d] = 0
    return
  }
  const ah = hi[d]! >>> 0
  if (ah < 0x200000 && bh >>> 0 < 0x200000) {
    const a = ah * 0x100000000 + (lo[d]! >>> 0)
    const b = (bh >>> 0) * 0x100000000 + (bl >>> 0)
    const result = remainder ? a % b : Math.floor(a / b)
    lo[d] = result
    hi[d] = result / 0x100000000
  } else {
    longDivision(lo, hi, d, bl, bh, remainder)
  }
}

/** Bit by bit: numbers beyond 2^53 are rare as divisors and dividends. */
function longDivision(lo: Half, hi: Half, d: number, bl: number, bh: number, remainder: boolean): void {
  let ql = lo[d]!
  let qh = hi[d]!
  let rl = 0
  let rh = 0
  for (let bit = 0; bit < 64; bit++) {
    const carry = rh >>> 31
    rh = (rh << 1) | (rl >>> 31)
    rl = (rl << 1) | (qh >>> 31)
    qh = (qh << 1) | (ql >>> 31)
    ql <<= 1
    const fits = carry === 1 || rh >>> 0 > bh >>> 0 || (rh === bh && rl >>> 0 >= bl >>> 0)
    if (fits) {
      const borrow = rl >>> 0 < bl >>> 0 ? 1 : 0
      rl = (rl - bl) | 0
      rh = (rh - bh - borrow) | 0
      ql |= 1
    }
  }
  lo[d] = remainder ? rl : ql
  hi[d] = remainder ? rh : qh
}

/** Signed: of the absolute values, then the sign of the quotient, or of the dividend for a remainder. */
export function sdivmod64(lo: Half, hi: Half, d: number, bl: number, bh: number, remainder: boolean): void {
  const negative = hi[d]! < 0
  if (bl === 0 && bh === 0) {
    if (!remainder) lo[d] = hi[d] = 0
    return
  }
  if (negative) neg64(lo, hi, d)
  const flip = bh < 0
  divmod64(lo, hi, d, flip ? -bl | 0 : bl, flip ? (~bh + (bl === 0 ? 1 : 0)) | 0 : bh, remainder)
  if (negative !== (flip && !remainder)) neg64(lo, hi, d)
}

export function div32(a: number, b: number): number {
  return b === 0 ? 0 : ((a >>> 0) / (b >>> 0)) | 0
}

export function mod32(a: number, b: number): number {
  return b === 0 ? a : ((a >>> 0) % (b >>> 0)) | 0
}

export function sdiv32(a: number, b: number): number {
  return b === 0 ? 0 : (a / b) | 0
}

export function smod32(a: number, b: number): number {
  return b === 0 ? a : (a % b) | 0
}

export function bswap32(x: number): number {
  return (x >>> 24) | ((x >>> 8) & 0xff00) | ((x << 8) & 0xff0000) | (x << 24)
}

export function bswap16(x: number): number {
  return ((x >>> 8) & 0xff) | ((x & 0xff) << 8)
}

/** a < b, unsigned. */
export function below(al: number, ah: number, bl: number, bh: number): boolean {
  return ah === bh ? al >>> 0 < bl >>> 0 : ah >>> 0 < bh >>> 0
}

/** a < b, signed. */
export function less(al: number, ah: number, bl: number, bh: number): boolean {
  return ah === bh ? al >>> 0 < bl >>> 0 : ah < bh
}
