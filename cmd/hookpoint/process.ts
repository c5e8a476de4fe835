// Other programs, on this terminal.
import { spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { InputError } from '../../pkg/bytes/errors.js'

/** What a shell answers for a command that a signal ended. */
const SIGNALLED = 128

/** Runs a program to its end: its exit status. */
export function runProcess(program: string, argv: readonly string[], env: Readonly<Record<string, string>>): number {
  // Ctrl-C is for the program that runs; this one goes on when that one is done.
  const ignore = (): void => {}
  process.on('SIGINT', ignore)
  const { status, signal, error } = spawnSync(program, argv, { stdio: 'inherit', env: { ...process.env, ...env } })
  process.off('SIGINT', ignore)
  if (error !== undefined) throw new InputError(`cannot run ${program}: ${error.message}`, 127)
  return status ?? SIGNALLED + (signal === null ? 0 : constants.signals[signal])
}
