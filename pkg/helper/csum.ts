// One's complement arithmetic as the kernel has it: 32-bit sums of little-endian words (include/net/checksum.h, lib/checksum.c).

/** csum_add: end-around carry. Unsigned in and out. */
export function csumAdd(a: number, b: number): number {
  const sum = (a >>> 0) + (b >>> 0)
  return sum > 0xffffffff ? sum - 0xffffffff : sum
}

export function csumSub(a: number, b: number): number {
  return csumAdd(a, ~b >>> 0)
}

/** csum_from32to16: folds to 16 bits, not complemented. */
export function fold16(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16)
  return (once & 0xffff) + (once >>> 16)
}

/** csum_fold */
export function csumFold(sum: number): number {
  return ~fold16(sum) & 0xffff
}

/** csum_partial over bytes; an odd last byte is the low half of a word. */
export function csumPartial(u8: Uint8Array, from: number, length: number, seed: number): number {
  const even = from + (length & ~1)
  let sum = seed >>> 0
  for (let at = from; at < even; at += 2) sum += u8[at]! | (u8[at + 1]! << 8)
  if (length & 1) sum += u8[even]!
  while (sum > 0xffffffff) sum = (sum % 2 ** 32) + Math.floor(sum / 2 ** 32)
  return sum
}

/** csum_replace4: the checksum field after a 32-bit word changed. */
export function replace4(field: number, from: number, to: number): number {
  return csumFold(csumAdd(csumSub(~field & 0xffff, from), to))
}

/** csum_replace_by_diff */
export function replaceByDiff(field: number, diff: number): number {
  return csumFold(csumAdd(diff, ~field & 0xffff))
}

/** csum_replace2: 16-bit words, folded as they come. */
export function replace2(field: number, from: number, to: number): number {
  return ~add16(sub16(~field & 0xffff, from & 0xffff), to & 0xffff) & 0xffff
}

function add16(a: number, b: number): number {
  const sum = a + b
  return (sum + (sum > 0xffff ? 1 : 0)) & 0xffff
}

function sub16(a: number, b: number): number {
  return add16(a, ~b & 0xffff)
}
