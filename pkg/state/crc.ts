// CRC-32 (IEEE 802.3, as zlib.crc32): the checksum of every line, block, page and blob of the store.
// Loading node:zlib costs 1.6 ms of a 22 ms start, so the first few KB are summed here and zlib comes in only when there is more to do.

const POLYNOMIAL = 0xedb88320
/** Bytes that a process may sum in JavaScript before zlib is worth its load time. */
const PATIENCE = 48 * 1024

type Sum = (bytes: Uint8Array) => number
let table: Uint32Array | undefined
let zlib: Sum | undefined
let summed = 0

function makeTable(): Uint32Array {
  const made = new Uint32Array(256)
  for (let n = 0; n < 256; n++) {
    let value = n
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
    made[n] = value
  }
  return made
}

/** The plain sum; exported so that a test can hold it against zlib's. */
export function slowCrc32(bytes: Uint8Array): number {
  const rows = (table ??= makeTable())
  let crc = -1
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ rows[(crc ^ bytes[i]!) & 0xff]!
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
