// The Internet checksum (RFC 1071; lib/checksum.c): one's complement sum of 16-bit words in network order.

/** Adds bytes to a running sum: not folded, safe for 2^32 words. An odd last byte counts as the upper half of a word. */
export function checksumAdd(bytes: Uint8Array, at: number, length: number, sum = 0): number {
  const even = at + (length & ~1)
  let total = sum
  for (let i = at; i < even; i += 2) total += (bytes[i]! << 8) | bytes[i + 1]!
  return length & 1 ? total + (bytes[even]! << 8) : total
}

/** Folds a running sum to 16 bits, not complemented. */
export function checksumFold(sum: number): number {
  let folded = sum
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000)
  return folded
}

/** The checksum of bytes: 0 over bytes that hold their own right checksum. */
export function internetChecksum(bytes: Uint8Array, at = 0, length = bytes.length - at, sum = 0): number {
  return ~checksumFold(checksumAdd(bytes, at, length, sum)) & 0xffff
}

/** What TCP, UDP and ICMPv6 add for the addresses below them (RFC 9293 section 3.1, RFC 8200 section 8.1). */
export function pseudoHeaderSum(src: Uint8Array, dst: Uint8Array, protocol: number, length: number): number {
  return checksumAdd(dst, 0, dst.length, checksumAdd(src, 0, src.length)) + protocol + length
}
