// Internet addresses and prefixes as iproute2 reads them (lib/utils.c: get_addr_1, get_prefix_1) and inet_ntop(3) prints them.
// An IPv4 address may be short and its parts may be hex or octal: '10.1' is 10.1.0.0, '0x7f.1' is 127.1.0.0, '010.1.1.1' is 8.1.1.1.
import { parseUnsigned } from './number.js'

export const AF_UNSPEC = 0
export const AF_INET = 2
export const AF_INET6 = 10

/** An address with its family and, in a prefix, the number of leading bits that count. */
export type Prefix = {
  readonly family: typeof AF_INET | typeof AF_INET6
  readonly bytes: Uint8Array
  readonly bits: number
}

/** '10.1' -> 10.1.0.0 as four bytes. */
export function parseIPv4(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  if (parts.length > 4) return undefined
  const bytes = new Uint8Array(4)
  for (const [i, part] of parts.entries()) {
    const value = parseUnsigned(part, 8)
    if (value === undefined) return undefined
    bytes[i] = value
  }
  return bytes
}

/** inet_pton(AF_INET6): sixteen bytes. */
export function parseIPv6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2 || !text.includes(':')) return undefined
  const [head, tail] = halves.map((half, i) => (half === '' ? [] : groups(half, i === halves.length - 1)))
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined
  const known = head.length + (tail?.length ?? 0)
  if (halves.length === 1 ? known !== 8 : known > 7) return undefined
  const words = [...head, ...new Array<number>(8 - known).fill(0), ...(tail ?? [])]
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 255]))
}

/** The 16-bit groups of one side of '::'; the last may be a dotted quad. */
function groups(text: string, last: boolean): number[] | undefined {
  const words: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    if (last && i === parts.length - 1 && /^\d{1,3}(\.\d{1,3}){3}$/.test(part)) {
      const quad = part.split('.').map(Number)
      if (quad.some((byte) => byte > 255)) return undefined
      words.push((quad[0]! << 8) | quad[1]!, (quad[2]! << 8) | quad[3]!)
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) words.push(parseInt(part, 16))
    else return undefined
  }
  return words
}

/** An address of the wished family (AF_UNSPEC: a colon means IPv6); 'any', 'all' and 'default' are the zero address with 0 bits. */
export function parseAddress(text: string, family = AF_UNSPEC): Prefix | undefined {
  if (text === 'any' || text === 'all' || text === 'default') {
    const chosen = family === AF_INET6 ? AF_INET6 : AF_INET
    return { family: chosen, bytes: new Uint8Array(chosen === AF_INET ? 4 : 16), bits: 0 }
  }
  const six = text.includes(':')
  if ((six && family === AF_INET) || (!six && family === AF_INET6)) return undefined
  const bytes = six ? parseIPv6(text) : parseIPv4(text)
  return bytes && { family: six ? AF_INET6 : AF_INET, bytes, bits: bytes.length * 8 }
}

/** ADDR, ADDR/LEN or ADDR/MASK. */
export function parsePrefix(text: string, family = AF_UNSPEC): Prefix | undefined {
  const slash = text.indexOf('/')
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash), family)
  if (address === undefined || slash < 0) return address
  const length = text.slice(slash + 1)
  const bits = parseUnsigned(length, 8) ?? maskBits(length, address.family)
  return bits === undefined || bits > address.bytes.length * 8 ? undefined : { ...address, bits }
}

/** 255.255.0.0 -> 16; undefined for a mask with holes. */
function maskBits(text: string, family: number): number | undefined {
  const mask = family === AF_INET ? parseIPv4(text) : undefined
  if (mask === undefined) return undefined
  const word = new DataView(mask.buffer).getUint32(0)
  const bits = Math.clz32(~word)
  return word === (bits === 0 ? 0 : (-1 << (32 - bits)) >>> 0) ? bits : undefined
}

/** inet_ntop(3): four or sixteen bytes to text, the longest run of two or more zero groups as '::'. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const words = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!)
  const gap = longestZeroRun(words)
  const hex = (from: number, to: number): string => words.slice(from, to).map((word) => word.toString(16)).join(':')
  if (isMapped(words, gap)) return `::${words[5] === 0xffff ? 'ffff:' : ''}${bytes.slice(12).join('.')}`
  return gap.length < 2 ? hex(0, 8) : `${hex(0, gap.start)}::${hex(gap.start + gap.length, 8)}`
}

function isMapped(words: readonly number[], gap: { start: number; length: number }): boolean {
  return gap.start === 0 && (gap.length === 6 || (gap.length === 5 && words[5] === 0xffff))
}

function longestZeroRun(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < words.length; start++) {
    let length = 0
    while (words[start + length] === 0) length += 1
    if (length > best.length) best = { start, length }
  }
  return best
}
