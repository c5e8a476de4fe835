// The three error classes. Everything that is thrown on purpose is one of them.
import { errnoName, type Errno } from '../uapi/errno.js'

/** What the emulated kernel answers: a positive errno, perhaps an extended ack, perhaps a verifier log. */
export class KernelError extends Error {
  override readonly name = 'KernelError'
  readonly errno: Errno
  readonly extack: string | undefined
  readonly log: string | undefined
  /** After a verifier's refusal: what to change, for a C programmer. */
  readonly explain: string | undefined

  constructor(errno: Errno, extack?: string, log?: string, explain?: string) {
    super(extack ?? errnoName(errno))
    this.errno = errno
    this.extack = extack
    this.log = log
    this.explain = explain
  }
}

/** Something a user gave (words, a file, a state directory) can't be used. The message is one whole line. */
export class InputError extends Error {
  override readonly name = 'InputError'
  /** Exit status of the command; undefined: the command's own default. */
  readonly status: number | undefined

  constructor(message: string, status?: number, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** hookpoint itself is wrong. Shown as one line that asks for a report. */
export class Bug extends Error {
  override readonly name = 'Bug'
}

/** Asserts what a lower floor relies on; a failure is a Bug, never a user's fault. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Bug(what)
}

/** The value, or a Bug when it is undefined: for indexes that the caller has proved. */
export function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Bug(what)
  return value
}
