// The few file operations the store rests on: writes that finish or fail, reads that are whole and checked, errors of one line.
import * as fs from 'node:fs'
import { dirname } from 'node:path'
import { InputError } from '../bytes/errors.js'
import { crc32 } from './crc.js'

/** The system calls that may fail half-way on a full disk; tests put their own in place of them. */
export const calls = { write: fs.writeSync, rename: fs.renameSync }

/** The code of a file system error ('ENOSPC'), undefined for anything else that was thrown. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** A file system error as one line about WHAT; anything else passes through as it is. */
export function failure(error: unknown, what: string): unknown {
  const code = codeOf(error)
  if (code === undefined) return error
  // Node says "ENOSPC: no space left on device, write"; the middle is what strerror(3) would say.
  const reason = /^\w+: (.*?)(?:, \w+.*)?$/s.exec((error as Error).message)?.[1] ?? code
  return new InputError(`${what}: ${reason}`, undefined, { cause: error })
}

/** Runs an operation on files; its errors become InputErrors that begin with WHAT. */
export function attempt<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw failure(error, what)
  }
}

/** The work's result, or undefined when the file it names isn't there. */
export function ifThere<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** What every damage message looks like. The state is never repaired behind its owner's back. */
export function damaged(dir: string, file: string, at: number, why: string): InputError {
  return new InputError(`state directory ${dir} is damaged: ${file} at byte ${at}: ${why} (left as it is)`)
}

/** mkdir -p. Node's own never returns where a folder that exists can't hold another (/proc). */
export function makeFolders(path: string): void {
  try {
    makeFolder(path)
  } catch (error) {
    const parent = dirname(path)
    if (codeOf(error) !== 'ENOENT' || fs.existsSync(parent)) throw error
    makeFolders(parent)
    makeFolder(path)
  }
}

/** One folder, which another process may just have made. */
function makeFolder(path: string): void {
  try {
    fs.mkdirSync(path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' || !fs.statSync(path).isDirectory()) throw error
  }
}

/** Writes all bytes at an offset: write(2) is short without an error when the disk fills up. */
export function writeAll(fd: number, bytes: Uint8Array, at: number): void {
  let done = 0
  while (done < bytes.length) done += calls.write(fd, bytes, done, bytes.length - done, at + done)
}

/** Reads up to LENGTH bytes at an offset; the result is shorter only at the end of the file. */
export function readAt(fd: number, length: number, at: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const n = fs.readSync(fd, bytes, done, length - done, at + done)
    if (n === 0) return bytes.subarray(0, done)
    done += n
  }
  return bytes
}

/** Reads LENGTH bytes and proves them with their checksum; NAME is the file as messages call it. */
export function readChecked(fd: number, dir: string, name: string, at: number, length: number, crc: number): Uint8Array {
  const bytes = readAt(fd, length, at)
  if (bytes.length < length) throw damaged(dir, name, at, `ends ${length - bytes.length} bytes early`)
  if (crc32(bytes) !== crc) throw damaged(dir, name, at, 'wrong checksum')
  return bytes
}

/** Whether commits wait for the disk. A killed process needs no fsync, only a power cut does. */
export function durable(): boolean {
  return process.env['HOOKPOINT_SYNC'] === '1'
}

/** fsync of an open file, when asked for. */
export function sync(fd: number): void {
  if (durable()) fs.fsyncSync(fd)
}

/** fsync of a directory, when asked for: makes a rename in it last. */
export function syncDir(dir: string): void {
  if (!durable()) return
  const fd = fs.openSync(dir, 'r')
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

/** Closes without complaint: nothing is lost by a failing close of what was written through write(2). */
export function closeQuietly(fd: number): void {
  try {
    fs.closeSync(fd)
  } catch {
    // Already closed.
  }
}

/** Removes a file that may be gone already or may not be removable; whoever comes next sweeps again. */
export function removeQuietly(path: string): void {
  try {
    fs.unlinkSync(path)
  } catch {
    // Gone, or not ours to remove.
  }
}
