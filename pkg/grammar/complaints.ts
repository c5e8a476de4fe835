// The sentences about a wrong command line, word for word iproute2's lib/utils.c (invarg, duparg, incomplete_command …) and
// bpftool's main.c, each with its exit status. The one place for them.
import { InputError } from '../bytes/errors.js'

/** iproute2's parsers leave by exit(-1). */
export const EXIT_USAGE = 255

export const incomplete = (): InputError => new InputError('Command line is not complete. Try option "help"', EXIT_USAGE)

export const invarg = (why: string, word: string): InputError =>
  new InputError(`Error: argument "${word}" is wrong: ${why}`, EXIT_USAGE)

export const missarg = (key: string): InputError => new InputError(`Error: argument "${key}" is required`, EXIT_USAGE)

export const duparg = (key: string, word: string): InputError =>
  new InputError(`Error: duplicate "${key}": "${word}" is the second value.`, EXIT_USAGE)

export const duparg2 = (key: string, word: string): InputError =>
  new InputError(`Error: either "${key}" is duplicate, or "${word}" is a garbage.`, EXIT_USAGE)

export const notOnOff = (key: string, word: string): InputError =>
  new InputError(`Error: argument of "${key}" must be "on" or "off", not "${word}"`, 1)

export const notOneOf = (key: string, word: string, choices: readonly string[]): InputError =>
  new InputError(`Error: argument of "${key}" must be one of ${choices.map((c) => `"${c}"`).join(', ')}, not "${word}"`, EXIT_USAGE)

/** What a qdisc, filter or action says to a word that isn't its own, then its usage. */
export const whatIs = (word: string, usage?: string): InputError =>
  new InputError(`What is "${word}"?${usage === undefined ? '' : `\n${usage.trimEnd()}`}`, 1)

/** A thing Linux has and hookpoint has not: never silence. */
export const notSupported = (what: string): InputError => new InputError(`not supported yet: ${what}`, 2)

export const noDevice = (name: string): InputError => new InputError(`Cannot find device "${name}"`, 1)

/** bpftool's REQ_ARGS. */
export const needsArguments = (what: string, wanted: number, found: number): InputError =>
  new InputError(`'${what}' needs at least ${wanted} arguments, ${found} found`)
