// Times as tc reads and prints them (lib/utils.c: get_time, get_time64, sprint_time, sprint_time64). tc's own unit is the microsecond;
// the 64-bit kind (netem, etf, fq) and everything of ours that speaks virtual time counts nanoseconds.
import { formatG, strtod } from './number.js'

const SUFFIX: Readonly<Record<string, number>> = {
  s: 1e9, sec: 1e9, secs: 1e9, ms: 1e6, msec: 1e6, msecs: 1e6, us: 1e3, usec: 1e3, usecs: 1e3, ns: 1, nsec: 1, nsecs: 1,
}

/** get_time: '10ms' -> 10000 microseconds. A bare number is microseconds; nanoseconds are refused. */
export function parseTime(text: string): number | undefined {
  const number = strtod(text)
  if (number === undefined || number.value < 0) return undefined
  if (number.rest === '') return Math.floor(number.value)
  const scale = SUFFIX[number.rest.toLowerCase()]
  return scale === undefined || scale < 1e3 ? undefined : Math.floor((number.value * scale) / 1e3)
}

/** get_time64: '10ms' -> 10000000n nanoseconds. A bare number is nanoseconds. */
export function parseTime64(text: string): bigint | undefined {
  const number = strtod(text)
  if (number === undefined || number.value < 0) return undefined
  const scale = number.rest === '' ? 1 : SUFFIX[number.rest.toLowerCase()]
  const ns = scale === undefined ? Infinity : number.value * scale
  return ns >= 2 ** 63 ? undefined : BigInt(Math.floor(ns))
}

/** sprint_time: 1500 -> '1.5ms', 10 -> '10us'. */
export function formatTime(us: number): string {
  if (us >= 1e6) return `${formatG(us / 1e6, 3)}s`
  return us >= 1e3 ? `${formatG(us / 1e3, 3)}ms` : `${us}us`
}

/** sprint_time64: 1500n -> '1.5us'. */
export function formatTime64(ns: bigint): string {
  const value = Number(ns)
  if (value >= 1e9) return `${formatG(value / 1e9, 3)}s`
  if (value >= 1e6) return `${formatG(value / 1e6, 3)}ms`
  return value >= 1e3 ? `${formatG(value / 1e3, 3)}us` : `${ns}ns`
}
