// C number syntax as iproute2 reads it (lib/utils.c: get_unsigned, get_u8 … get_be64 on strtoul/strtod): decimal, 0x hex, 0 octal.
// A parser gives undefined for a word that isn't one; the caller knows the keyword and words the complaint.

const DOUBLE = /^[ \t]*[+-]?(?:0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)/i

/** strtod(3): the leading number and what is left behind it; undefined when no number leads. */
export function strtod(text: string): { value: number; rest: string } | undefined {
  const found = DOUBLE.exec(text)?.[0]
  if (found === undefined) return undefined
  const negative = found.trimStart().startsWith('-')
  const magnitude = Number(found.trimStart().replace(/^[+-]/, ''))
  return { value: negative ? -magnitude : magnitude, rest: text.slice(found.length) }
}

const DIGITS: Readonly<Record<number, RegExp>> = { 8: /^[0-7]+$/, 10: /^[0-9]+$/, 16: /^(?:0x)?[0-9a-f]+$/i }

/** A whole word as an unsigned integer of any size; base 0 decides by prefix as strtoul(3) does. */
export function parseInteger(text: string, base: 0 | 8 | 10 | 16 = 0): bigint | undefined {
  const chosen = base === 0 ? guessBase(text) : base
  if (!DIGITS[chosen]?.test(text)) return undefined
  if (chosen === 16) return BigInt(/^0x/i.test(text) ? text : `0x${text}`)
  return BigInt(chosen === 8 ? `0o${text}` : text)
}

function guessBase(text: string): 8 | 10 | 16 {
  if (/^0x/i.test(text)) return 16
  return text.length > 1 && text.startsWith('0') ? 8 : 10
}

/** An unsigned integer of at most `bits` (8 to 32) bits. */
export function parseUnsigned(text: string, bits = 32, base: 0 | 8 | 10 | 16 = 0): number | undefined {
  const value = parseInteger(text, base)
  return value === undefined || value >= 1n << BigInt(bits) ? undefined : Number(value)
}

/** An unsigned 64-bit integer. */
export function parseU64(text: string, base: 0 | 8 | 10 | 16 = 0): bigint | undefined {
  const value = parseInteger(text, base)
  return value === undefined || value >= 1n << 64n ? undefined : value
}

/** A signed 32-bit integer (get_integer). */
export function parseSigned(text: string): number | undefined {
  const negative = text.startsWith('-')
  const value = parseInteger(negative ? text.slice(1) : text)
  if (value === undefined || value > (negative ? 1n << 31n : (1n << 31n) - 1n)) return undefined
  return negative && value !== 0n ? -Number(value) : Number(value)
}

/** printf's %.{digits}g, which JavaScript has no word for. */
export function formatG(value: number, digits = 6): string {
  if (value === 0) return '0'
  const exponent = Number(value.toExponential(digits - 1).split('e')[1])
  const plain = exponent >= -4 && exponent < digits
  const text = plain ? value.toFixed(Math.max(0, digits - 1 - exponent)) : value.toExponential(digits - 1)
  const [mantissa = '', power] = text.split('e')
  const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa
  return power === undefined ? short : `${short}e${power.replace(/^([+-])(\d)$/, '$10$2')}`
}
