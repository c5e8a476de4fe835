// Sizes in bytes as tc reads and prints them (lib/utils.c: get_size, print_size): k, m and g are powers of 1024.
import { strtod } from './number.js'

const SUFFIX: Readonly<Record<string, number>> = {
  '': 1, b: 1,
  k: 2 ** 10, kb: 2 ** 10, m: 2 ** 20, mb: 2 ** 20, g: 2 ** 30, gb: 2 ** 30,
  kbit: 2 ** 7, mbit: 2 ** 17, gbit: 2 ** 27,
}

/** '10k' -> 10240; undefined for what is no size or does not fit 32 bits. */
export function parseSize(text: string): number | undefined {
  const number = strtod(text)
  const scale = number === undefined ? undefined : SUFFIX[number.rest.toLowerCase()]
  if (number === undefined || scale === undefined) return undefined
  const bytes = Math.floor(number.value * scale)
  return bytes < 0 || bytes > 0xffffffff ? undefined : bytes
}

/** 10240 -> '10Kb': mega or kilo when the rounded figure is less than 1024 (16) bytes off. */
export function formatSize(bytes: number): string {
  for (const [unit, name] of [[2 ** 20, 'Mb'], [2 ** 10, 'Kb']] as const) {
    const rounded = Math.round(bytes / unit)
    const slack = unit === 2 ** 20 ? 1024 : 16
    if (bytes >= unit && Math.abs(rounded * unit - bytes) < slack) return `${rounded}${name}`
  }
  return `${bytes}b`
}
