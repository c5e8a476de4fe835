// CRC-32 (IEEE 802.3, as zlib.crc32): the checksum of every line, block, page and blob of the store.
// Loading node:zlib costs 1.5 ms of a 22 ms start, and so does V8's optimising of a hot loop here, at some 8 KB. So a command that
// touches little sums it here, unoptimised, and zlib comes in when there is more.

const POLYNOMIAL = 0xedb88320
/** Bytes that a process may sum in JavaScript before zlib is worth its load time. */
const PATIENCE = 10 * 1024

type Sum = (bytes: Uint8Array) => number
let tables: Uint32Array | undefined
let zlib: Sum | undefined
let summed = 0

/** Four tables of 256: row k of table t is the sum of byte k followed by t zeros. Sums are linear, so all rows come from eight. */
function makeTables(): Uint32Array {
  const made = new Uint32Array(1024)
  for (let bit = 128, value = 1; bit > 0; bit >>= 1) {
    value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
    made[bit] = value
  }
  for (let bit = 2; bit < 256; bit <<= 1) for (let low = 1; low < bit; low++) made[bit + low] = made[bit]! ^ made[low]!
  for (let n = 256; n < 1024; n++) made[n] = (made[n - 256]! >>> 8) ^ made[made[n - 256]! & 255]!
  return made
}

/** The plain sum, four bytes at a time; exported so that a test can hold it against zlib's. */
export function slowCrc32(bytes: Uint8Array): number {
  const rows = (tables ??= makeTables())
  const length = bytes.length
  let crc = -1
  let i = 0
  for (; i + 4 <= length; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    crc = rows[768 + (crc & 255)]! ^ rows[512 + ((crc >>> 8) & 255)]! ^ rows[256 + ((crc >>> 16) & 255)]! ^ rows[crc >>> 24]!
  }
  for (; i < length; i++) crc = (crc >>> 8) ^ rows[(crc ^ bytes[i]!) & 255]!
  return ~crc >>> 0
}

/** CRC-32 of the bytes, unsigned. */
export function crc32(bytes: Uint8Array): number {
  if (zlib !== undefined) return zlib(bytes)
  summed += bytes.length
  if (summed <= PATIENCE) return slowCrc32(bytes)
  zlib = process.getBuiltinModule('node:zlib').crc32
  return zlib(bytes)
}
