// Rates as tc reads and prints them (lib/utils.c: get_rate64, print_rate; `tc(8)`, PARAMETERS). In memory a rate is bytes per second.
import { strtod } from './number.js'

// Suffix, bits (or, for bps, 8 bits each) per second. No suffix: bits.
const SUFFIX: Readonly<Record<string, number>> = {
  '': 1, bit: 1, bps: 8,
  kbit: 1e3, mbit: 1e6, gbit: 1e9, tbit: 1e12,
  kibit: 2 ** 10, mibit: 2 ** 20, gibit: 2 ** 30, tibit: 2 ** 40,
  kbps: 8e3, mbps: 8e6, gbps: 8e9, tbps: 8e12,
  kibps: 8 * 2 ** 10, mibps: 8 * 2 ** 20, gibps: 8 * 2 ** 30, tibps: 8 * 2 ** 40,
}

/** '10mbit' -> 1250000n bytes per second; undefined for what is no rate (negative rates included). */
export function parseRate(text: string): bigint | undefined {
  const number = strtod(text)
  if (number === undefined || number.value < 0) return undefined
  const scale = SUFFIX[number.rest.toLowerCase()]
  const bytes = scale === undefined ? undefined : Math.floor((number.value * scale) / 8)
  return bytes === undefined || bytes >= 2 ** 64 ? undefined : BigInt(bytes)
}

/** '50%' of a link's rate in bytes per second; undefined for what is no percentage between 0 and 100. */
export function parsePercentRate(text: string, linkRate: bigint): bigint | undefined {
  const percent = parsePercent(text)
  return percent === undefined ? undefined : BigInt(Math.floor(percent * Number(linkRate)))
}

/** '50%' -> 0.5; also for loss, duplicate and friends. */
export function parsePercent(text: string): number | undefined {
  const number = strtod(text)
  if (number === undefined || number.rest !== '%' || number.value < 0 || number.value > 100) return undefined
  return number.value / 100
}

const UNITS = ['', 'K', 'M', 'G', 'T'] as const

/** 1250000n -> '10Mbit'; with iec '9765Kibit'. Divides while nothing is lost, or at most 1/1000 is. */
export function formatRate(bytes: bigint | number, iec = false): string {
  const kilo = iec ? 1024n : 1000n
  let rate = (BigInt(bytes) * 8n) & 0xffffffffffffffffn
  let unit = 0
  while (unit < UNITS.length - 1 && rate >= kilo && (rate % kilo === 0n || rate >= 1000n * kilo)) {
    rate /= kilo
    unit += 1
  }
  return `${rate}${UNITS[unit]}${iec && unit > 0 ? 'i' : ''}bit`
}
