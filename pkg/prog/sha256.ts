// SHA-256 (FIPS 180-4) of the few hundred bytes that a program is. Loading node:crypto for it takes 5 ms, half of what a whole load may.

/** First 32 bits of the fractional parts of the cube roots of the first 64 primes, and of the square roots of the first 8. */
const [K, H] = constants()

function constants(): [Int32Array, Int32Array] {
  const [cubes, squares] = [new Int32Array(64), new Int32Array(8)]
  for (let n = 2, found = 0; found < 64; n += 1) {
    if (!isPrime(n)) continue
    if (found < 8) squares[found] = fraction(Math.sqrt(n))
    cubes[found] = fraction(Math.cbrt(n))
    found += 1
  }
  return [cubes, squares]
}

function isPrime(n: number): boolean {
  for (let d = 2; d * d <= n; d += 1) if (n % d === 0) return false
  return true
}

function fraction(x: number): number {
  return ((x - Math.floor(x)) * 0x1_0000_0000) | 0
}

const rotr = (x: number, n: number): number => (x >>> n) | (x << (32 - n))

/** 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const blocks = padded(bytes)
  const view = new DataView(blocks.buffer)
  const h = Int32Array.from(H)
  const w = new Int32Array(64)
  for (let at = 0; at < blocks.length; at += 64) compress(h, w, view, at)
  const out = new DataView(new ArrayBuffer(32))
  h.forEach((word, n) => out.setInt32(n * 4, word))
  return new Uint8Array(out.buffer)
}

/** Section 5.1.1: a one bit, zeros, the length in bits as a big-endian u64. */
function padded(bytes: Uint8Array): Uint8Array {
  const blocks = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64)
  blocks.set(bytes)
  blocks[bytes.length] = 0x80
  const view = new DataView(blocks.buffer)
  view.setUint32(blocks.length - 8, Math.floor(bytes.length / 0x2000_0000))
  view.setUint32(blocks.length - 4, bytes.length << 3)
  return blocks
}

/** Section 6.2.2. */
function compress(hash: Int32Array, w: Int32Array, view: DataView, at: number): void {
  for (let t = 0; t < 16; t += 1) w[t] = view.getInt32(at + t * 4)
  for (let t = 16; t < 64; t += 1) w[t] = (small(w[t - 2]!, 17, 19, 10) + w[t - 7]! + small(w[t - 15]!, 7, 18, 3) + w[t - 16]!) | 0
  let [a, b, c, d, e, f, g, h] = hash as unknown as [number, number, number, number, number, number, number, number]
  for (let t = 0; t < 64; t += 1) {
    const t1 = (h + big(e, 6, 11, 25) + ((e & f) ^ (~e & g)) + K[t]! + w[t]!) | 0
    const t2 = (big(a, 2, 13, 22) + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  for (const [n, word] of [a, b, c, d, e, f, g, h].entries()) hash[n] = (hash[n]! + word) | 0
}

const big = (x: number, i: number, j: number, k: number): number => rotr(x, i) ^ rotr(x, j) ^ rotr(x, k)
const small = (x: number, i: number, j: number, k: number): number => rotr(x, i) ^ rotr(x, j) ^ (x >>> k)
