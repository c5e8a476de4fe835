// How bpftool's functions fail: p_err and a return value that main() leaves with, -1 or a negative errno seen as a byte.
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import { needsArguments, type Words } from '../../pkg/grammar/index.js'
import { EINVAL, strerror } from '../../pkg/uapi/errno.js'

export const FAILED = 255

/** exit(-errno). */
export const exitOf = (errno: number): number => -errno & 255

/** Says nothing and fails: no object fits the handle. */
export class Silent {
  readonly status = FAILED
}

/** strerror(), or the sentence of a kernel that can't do it yet. */
export function reason(error: KernelError): string {
  return error.extack?.startsWith('not supported yet') ? error.extack : strerror(error.errno)
}

/** Runs a request; its refusal becomes `WORDS: reason`, with -1 or (status 'errno') the errno as exit status. */
export function attempt<T>(words: string, request: () => T, status: 'errno' | 'failed' = 'failed'): T {
  try {
    return request()
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    throw new InputError(`${words}: ${reason(error)}`, status === 'errno' ? exitOf(error.errno) : FAILED)
  }
}

/** REQ_ARGS: named by the word before. */
export function needs(words: Words, wanted: number, status = FAILED): void {
  if (words.left >= wanted) return
  throw new InputError(needsArguments(words.peek(-1) ?? '', wanted, words.left).message, status)
}

/** BAD_ARG */
export const badArgument = (word: string): InputError => new InputError(`what is '${word}'?`, FAILED)

export const invalid = (message: string): InputError => new InputError(message, exitOf(EINVAL))

/** Not there, and known not to be: status 255 as everything that fails. */
export const unsupported = (what: string): InputError => new InputError(`not supported yet: ${what}`, FAILED)
