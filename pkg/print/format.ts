// The printf conversions that iproute2's and bpftool's formats use: %s %d %i %u %x %X %c %f %g %%, flags - 0 + # and space, width, precision.
import { Bug } from '../bytes/errors.js'
import { formatG } from '../units/number.js'

export type Printable = string | number | bigint | boolean

const CONVERSION = /%([-0+# ]*)(\d+)?(?:\.(\d+))?([sdiuxXcfg%])/g

/** printf(3) with values that know their own size: no h, l, ll. */
export function format(text: string, ...values: Printable[]): string {
  let next = 0
  return text.replace(CONVERSION, (whole, flags: string, width: string | undefined, precision: string | undefined, kind: string) => {
    if (kind === '%') return '%'
    const value = values[next++]
    if (value === undefined) throw new Bug(`format '${text}' wants more values (at ${whole})`)
    return pad(convert(value, kind, flags, precision), flags, width)
  })
}

function convert(value: Printable, kind: string, flags: string, precision: string | undefined): string {
  switch (kind) {
    case 's': return precision === undefined ? String(value) : String(value).slice(0, Number(precision))
    case 'c': return typeof value === 'number' ? String.fromCharCode(value) : String(value)
    case 'f': return Number(value).toFixed(precision === undefined ? 6 : Number(precision))
    case 'g': return formatG(Number(value), precision === undefined ? 6 : Number(precision))
    case 'x': return `${flags.includes('#') && Number(value) !== 0 ? '0x' : ''}${hex(value)}`
    case 'X': return `${flags.includes('#') && Number(value) !== 0 ? '0X' : ''}${hex(value).toUpperCase()}`
    default: return `${flags.includes('+') && Number(value) >= 0 ? '+' : ''}${String(value)}`
  }
}

/** Negative numbers print as their 32-bit (bigints: 64-bit) two's complement, as C's unsigned conversions do. */
function hex(value: Printable): string {
  if (typeof value === 'bigint') return BigInt.asUintN(64, value).toString(16)
  const number = Number(value)
  return (number < 0 ? number >>> 0 : number).toString(16)
}

function pad(text: string, flags: string, width: string | undefined): string {
  if (width === undefined) return text
  if (flags.includes('-')) return text.padEnd(Number(width))
  if (!flags.includes('0')) return text.padStart(Number(width))
  const sign = /^(?:[+-]|0[xX])/.exec(text)?.[0] ?? ''
  return sign + text.slice(sign.length).padStart(Number(width) - sign.length, '0')
}
