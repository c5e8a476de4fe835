// What several of wire's commands have in common: the device, the direction, the CPU.
import { InputError } from '../../pkg/bytes/errors.js'
import { DEVICE, duparg, EXIT_USAGE, integer, invarg, u32, type Row, type Type } from '../../pkg/grammar/index.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import type { Link } from '../../pkg/request/rtnl.js'
import { parseUnsigned } from '../../pkg/units/index.js'
import { device } from '../lib/devices.js'

/** rx: arrives from the wire; tx: a local socket sends it. */
export type Direction = 'rx' | 'tx'

export type PlaceWords = { dev?: string; direction?: Direction; cpu?: number }
export type Place = { dev: string; direction: Direction; cpu?: number }

/** Every table's complaint about a value. */
export const wrongValue = (text: string, key: string): InputError => invarg(`Invalid "${key}" value`, text)

/** A number of at least 1. */
export const positive = (name: string): Type<number> => ({ ...integer(name), parse: (text) => parseUnsigned(text) || undefined })

export const DEV_ROW = { word: 'dev', type: DEVICE, into: 'dev', once: true } as const

/** The complaint about a second direction. */
export const twoDirections = (text: string): InputError => duparg('direction', text)

export const placeRows: readonly Row<PlaceWords>[] = [
  DEV_ROW,
  { word: 'rx', into: 'direction', value: 'rx', once: true, excludes: ['tx'], twice: twoDirections },
  { word: 'tx', into: 'direction', value: 'tx', once: true, excludes: ['rx'], twice: twoDirections },
  { word: 'cpu', type: u32('N'), into: 'cpu', once: true },
]

/** iproute2's sentence about a device that was not named. */
export const needsDev = (): InputError => new InputError('Not enough information: "dev" argument is required.', EXIT_USAGE)

/** The device and direction that were named, checked against the machine. */
export function placeOf(kernel: Kernel, { dev, direction, cpu }: PlaceWords): Place & { link: Link } {
  if (dev === undefined) throw needsDev()
  if (direction === undefined) throw new InputError('Not enough information: "rx" or "tx" is required.', EXIT_USAGE)
  const link = device(kernel, dev)
  if (cpu === undefined) return { dev, direction, link }
  const { cpus } = kernel.request('sys.info', {})
  if (cpu >= cpus) throw invarg(`this machine has the CPUs 0 to ${cpus - 1}`, String(cpu))
  return { dev, direction, cpu, link }
}

/** Virtual time as every line of wire shows it: seconds to the nanosecond. */
export function seconds(ns: number): string {
  return `${Math.floor(ns / 1e9)}.${String(ns % 1e9).padStart(9, '0')}`
}
