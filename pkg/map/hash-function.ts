// The hash of every hash-like map, in the two forms that must agree: this one, and the one the JIT emits.

/**
 * Over 32-bit little-endian words of the key, a short last word zero-extended:
 *   h = seed; for each word w: h = (h ^ w) * 0x9e3779b1; h ^= h >>> 15
 * and at the end  h = (h ^ (h >>> 16)) * 0x85ebca6b; h ^= h >>> 13.
 * All in 32 bits. Returns an unsigned number.
 */
export function hashKey(u8: Uint8Array, key: number, keySize: number, seed: number): number {
  let h = seed
  const whole = key + (keySize & ~3)
  for (let at = key; at < whole; at += 4) h = round(h, word(u8, at))
  const rest = keySize & 3
  if (rest > 0) h = round(h, tail(u8, whole, rest))
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  return (h ^ (h >>> 13)) >>> 0
}

function round(h: number, w: number): number {
  h = Math.imul(h ^ w, 0x9e3779b1)
  return h ^ (h >>> 15)
}

function word(u8: Uint8Array, at: number): number {
  return u8[at]! | (u8[at + 1]! << 8) | (u8[at + 2]! << 16) | (u8[at + 3]! << 24)
}

function tail(u8: Uint8Array, at: number, rest: number): number {
  let w = u8[at]!
  if (rest > 1) w |= u8[at + 1]! << 8
  if (rest > 2) w |= u8[at + 2]! << 16
  return w
}
