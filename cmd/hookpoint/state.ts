// `hookpoint init` and `hookpoint state`: machines as a whole.
import { InputError } from '../../pkg/bytes/errors.js'
import type { Io } from '../../pkg/cli/index.js'
import { EXIT_USAGE } from '../../pkg/grammar/index.js'
import { strerrorOf } from '../../pkg/uapi/errno.js'
import { parseUnsigned } from '../../pkg/units/index.js'
import type { FlagArguments } from './flag-program.js'
import type { House } from './house.js'

const MAX_CPUS = 256

/** A new machine; one that is there already is left alone. */
export function init(house: House, { bare, cpus }: FlagArguments): void {
  const count = cpus === undefined ? undefined : cpuCount(String(cpus))
  if (house.hasMachine()) throw new InputError(`"${house.dir}" holds a machine already; "hookpoint state reset" removes it`, 1)
  house.make({ ...(bare === true ? { bare } : {}), ...(count === undefined ? {} : { cpus: count }) })
}

function cpuCount(text: string): number {
  const count = parseUnsigned(text) ?? 0
  if (count < 1 || count > MAX_CPUS) throw new InputError(`--cpus takes a number from 1 to ${MAX_CPUS}, not "${text}"`, EXIT_USAGE)
  return count
}

/** To a file, or to standard output. */
export function exportTo(house: House, io: Io, file: string | undefined): void {
  const text = `${JSON.stringify(house.exportState(), null, 2)}\n`
  if (file === undefined || file === '-') io.stdout(text)
  else reported(file, 'write', () => io.writeFile(file, new TextEncoder().encode(text)))
}

/** From a file, '-' being standard input; the machine that was there is replaced. */
export function importFrom(house: House, io: Io, file: string): void {
  const text = file === '-' ? io.stdin() : reported(file, 'read', () => new TextDecoder().decode(io.readFile(file)))
  house.importState(parseJson(file, text))
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InputError(`${file}: no JSON: ${(error as Error).message.replaceAll(/\s+/g, ' ')}`, 1)
  }
}

function reported<R>(file: string, what: string, work: () => R): R {
  try {
    return work()
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw new InputError(`cannot ${what} ${file}: ${strerrorOf(code) ?? message}`, 1)
  }
}
