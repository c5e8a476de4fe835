// `hookpoint state reset`: removes the state of a directory, and nothing that isn't ours.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../bytes/errors.js'
import { attempt, codeOf, ifThere } from './disk.js'
import { takeLock } from './lock.js'
import { LOG } from './log.js'

/** How long to wait for a command that is at work, in ms. */
const WAIT = 60_000
/** The first line of every log, damaged or not behind it. */
const HEADER = /^[0-9a-f]{8} \{"format":/
/** Everything that a machine keeps; the log, by which a half-removed one is still known, goes last. */
const PARTS = ['sys', 'proc', 'seg', 'var/log/kern.log', LOG]
/** Folders that others may have put something into as well. */
const SHARED = ['var/log', 'var']

/** Whether the directory holds a state of ours, readable or not. */
export function isState(dir: string): boolean {
  const log = attempt(`cannot read state directory ${dir}`, () => ifThere(() => fs.readFileSync(join(dir, LOG), 'latin1')))
  return log !== undefined && HEADER.test(log)
}

/** Removes the state; the directory too when nothing else is in it. */
export function removeState(dir: string): void {
  if (!isState(dir)) throw new InputError(`"${dir}" holds no machine of hookpoint's, and is left as it is`, 1)
  const lock = takeLock(dir, WAIT)
  try {
    attempt(`cannot remove the state in ${dir}`, () => {
      for (const part of PARTS) fs.rmSync(join(dir, part), { recursive: true, force: true })
    })
  } finally {
    lock.release()
  }
  for (const folder of SHARED) removeIfEmpty(join(dir, folder))
  removeIfEmpty(dir)
}

function removeIfEmpty(dir: string): void {
  try {
    fs.rmdirSync(dir)
  } catch (error) {
    if (codeOf(error) === undefined) throw error
  }
}
