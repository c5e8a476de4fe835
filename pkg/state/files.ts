// The few views that are real files below the state directory (sys/class/net/DEV/queues/tx-N/xps_cpus and its like), so that echo and cat work
// on them. They are no part of the transaction: the kernel reads what a user wrote and writes back what it made of it.
import * as fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { InputError } from '../bytes/errors.js'
import { attempt, calls, codeOf, makeFolders, removeQuietly, writeAll } from './disk.js'

let serial = 0

/** The text of a file, undefined when there is none. */
export function readFile(dir: string, path: string): string | undefined {
  const file = below(dir, path)
  return attempt(`cannot read ${file}`, () => orAbsent(() => fs.readFileSync(file, 'utf8')))
}

/** Puts a text into a file, making its folders; a reader sees the old text or the new one. A text that is there already is not written. */
export function writeFileAtomic(dir: string, path: string, text: string): void {
  const file = below(dir, path)
  attempt(`cannot write ${file}`, () => {
    if (orAbsent(() => fs.readFileSync(file, 'utf8')) === text) return
    makeFolders(dirname(file))
    const temp = join(dirname(file), `.${basename(file)}.${process.pid}.${serial++}`)
    try {
      writeNew(temp, text)
      calls.rename(temp, file)
    } catch (error) {
      removeQuietly(temp)
      throw error
    }
  })
}

/** Removes a file or a folder with all that is in it; one that is not there is fine. */
export function removeTree(dir: string, path: string): void {
  const file = below(dir, path)
  attempt(`cannot remove ${file}`, () => fs.rmSync(file, { recursive: true, force: true }))
}

/** Names in a folder, ascending; none when it isn't there. */
export function list(dir: string, path: string): string[] {
  const folder = below(dir, path)
  const names = attempt(`cannot list ${folder}`, () => orAbsent(() => fs.readdirSync(folder))) ?? []
  return names.filter((name) => !name.startsWith('.')).sort()
}

/** The file's full path; a path may only lead downwards, and never to the store's own files. */
function below(dir: string, path: string): string {
  const parts = path.split('/')
  const own = /^(?:seg|meta\.log.*|lock.*)$/.test(parts[0]!)
  if (own || parts.some((part) => part === '' || part === '.' || part === '..') || path.includes('\0')) {
    throw new InputError(`"${path}" is not a path below the state directory`)
  }
  return join(dir, path)
}

function orAbsent<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

function writeNew(path: string, text: string): void {
  const fd = fs.openSync(path, 'wx', 0o644)
  try {
    writeAll(fd, Buffer.from(text), 0)
  } finally {
    fs.closeSync(fd)
  }
}
