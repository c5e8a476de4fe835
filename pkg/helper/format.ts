// Format strings of bpf_trace_printk and bpf_snprintf: what bpf_bprintf_prepare admits (kernel/bpf/helpers.c) and what bstr_printf makes of it.
import type { Memory } from '../mem/memory.js'
import { EINVAL } from '../uapi/errno.js'

/** MAX_BPRINTF_BUF, and the most arguments of the varargs forms. */
export const MAX_TEXT = 1024
export const MAX_ARGS = 12

/** What a conversion takes: an integer of 1, 4 or 8 bytes, a string, a pointer, an IP address. */
interface Conversion {
  readonly flags: string
  readonly width: number
  readonly kind: 'c' | 'd' | 'i' | 'u' | 'x' | 'X' | 's' | 'p' | 'ks' | 'us' | 'I4' | 'i4' | 'I6' | 'i6'
  readonly wide: boolean
}

export type Piece = string | Conversion

const isDigit = (c: string | undefined): boolean => c !== undefined && c >= '0' && c <= '9'
const isSpace = (c: string | undefined): boolean => c !== undefined && /[\t-\r ]/.test(c)
/** ispunct: printable, and neither space nor alphanumeric. */
const isPunct = (c: string | undefined): boolean => c !== undefined && /[!-/:-@[-`{-~]/.test(c)
const ends = (c: string | undefined): boolean => c === undefined || isSpace(c) || isPunct(c)

/** The pieces of a format, or -errno. `args`: how many arguments there are. */
export function parseFormat(format: string, args: number): Piece[] | number {
  const pieces: Piece[] = []
  let used = 0
  for (let at = 0; at < format.length;) {
    const c = format[at]!
    if (!/[\t-\r -~\xa0-\xff]/.test(c)) return -EINVAL
    if (c !== '%' || format[at + 1] === '%') {
      pieces.push(c)
      at += c === '%' ? 2 : 1
      continue
    }
    if (used >= args) return -EINVAL
    const parsed = conversion(format, at + 1)
    if (parsed === undefined) return -EINVAL
    pieces.push(parsed.conversion)
    used += 1
    at = parsed.next
  }
  return pieces
}

function conversion(format: string, from: number): { conversion: Conversion; next: number } | undefined {
  let at = from
  while ('0+- '.includes(format[at] ?? '?')) at += 1
  const flags = format.slice(from, at)
  const digits = at
  if (isDigit(format[at]) && format[at] !== '0') while (isDigit(format[at])) at += 1
  const width = Number(format.slice(digits, at))
  const found = kind(format, at)
  return found && { conversion: { flags, width, kind: found.kind, wide: found.wide }, next: found.next }
}

function kind(format: string, at: number): { kind: Conversion['kind']; wide: boolean; next: number } | undefined {
  const c = format[at]
  if (c === 'p') return pointer(format, at + 1)
  if (c === 's') return ends(format[at + 1]) ? { kind: 's', wide: true, next: at + 1 } : undefined
  if (c === 'c') return { kind: 'c', wide: false, next: at + 1 }
  let next = at
  while (next < at + 2 && format[next] === 'l') next += 1
  const last = format[next]
  if (last === undefined || !'iduxX'.includes(last)) return undefined
  return { kind: last as Conversion['kind'], wide: next > at, next: next + 1 }
}

/** %p and what may follow it. */
function pointer(format: string, at: number): { kind: Conversion['kind']; wide: boolean; next: number } | undefined {
  const c = format[at]
  if ((c === 'k' || c === 'u') && format[at + 1] === 's') return ends(format[at + 2]) ? { kind: `${c}s`, wide: true, next: at + 2 } : undefined
  if (ends(c)) return { kind: 'p', wide: true, next: at }
  if ('KxsSB'.includes(c!)) return { kind: 'p', wide: true, next: at + 1 }
  if ((c !== 'i' && c !== 'I') || (format[at + 1] !== '4' && format[at + 1] !== '6')) return undefined
  return { kind: `${c}${format[at + 1] as '4' | '6'}`, wide: true, next: at + 2 }
}

/** The text of a parsed format; arguments are u64s as [low, high]. */
export function formatText(mem: Memory, pieces: readonly Piece[], args: readonly (readonly [number, number])[]): string {
  let n = 0
  return pieces.map((piece) => (typeof piece === 'string' ? piece : pad(piece, convert(mem, piece, args[n++]!)))).join('')
}

function convert(mem: Memory, { kind, wide, flags, width }: Conversion, [low, high]: readonly [number, number]): string {
  switch (kind) {
    case 'c': return String.fromCharCode(low & 0xff)
    case 's':
    case 'ks': return cString(mem, low, high)
    case 'us': return ''
    case 'd':
    case 'i': return signed(wide ? BigInt.asIntN(64, join(low, high)) : BigInt(low | 0), flags)
    case 'u': return (wide ? join(low, high) : BigInt(low >>> 0)).toString()
    case 'x': return (wide ? join(low, high) : BigInt(low >>> 0)).toString(16)
    case 'X': return (wide ? join(low, high) : BigInt(low >>> 0)).toString(16).toUpperCase()
    case 'p': return join(low, high).toString(16).padStart(width > 0 ? 0 : 16, '0')
    case 'I4':
    case 'i4': return ip4(mem, low, kind === 'i4')
    case 'I6':
    case 'i6': return kind === 'I6' ? compressed(groups(mem, low)) : groups(mem, low).map((g) => g.toString(16).padStart(4, '0')).join('')
  }
}

const join = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)

function signed(value: bigint, flags: string): string {
  if (value < 0n) return value.toString()
  return `${flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''}${value}`
}

/** Zeros go between a sign and the digits; strings and characters know no zeros, and what the kernel formats early no width. */
function pad({ flags, width, kind }: Conversion, text: string): string {
  if (kind.length === 2) return text
  if (flags.includes('-')) return text.padEnd(width)
  if (!flags.includes('0') || kind === 's' || kind === 'c') return text.padStart(width)
  const sign = /^[-+ ]/.test(text) ? text[0]! : ''
  return sign + text.slice(sign.length).padStart(width - sign.length, '0')
}

/** A string in memory; one that can't be read is empty, as bpf_trace_copy_string leaves it. */
export function cString(mem: Memory, low: number, high: number): string {
  const at = low >>> 0
  if (high !== 0 || at < 0x10000 || at >= mem.size) return ''
  let end = at
  while (end < mem.size && end < at + MAX_TEXT && mem.u8[end] !== 0) end += 1
  return latin1(mem, at, end)
}

export function latin1(mem: Memory, from: number, to: number): string {
  return String.fromCharCode(...mem.u8.subarray(from, to))
}

/** %pI4 is dotted, %pi4 has three digits each. */
function ip4(mem: Memory, at: number, leading: boolean): string {
  return [...mem.u8.subarray(at, at + 4)].map((byte) => String(byte).padStart(leading ? 3 : 0, '0')).join('.')
}

function groups(mem: Memory, at: number): number[] {
  return Array.from({ length: 8 }, (_, i) => (mem.u8[at + 2 * i]! << 8) | mem.u8[at + 2 * i + 1]!)
}

/** %pI6: eight groups of four digits. */
function compressed(parts: readonly number[]): string {
  return parts.map((part) => part.toString(16).padStart(4, '0')).join(':')
}
