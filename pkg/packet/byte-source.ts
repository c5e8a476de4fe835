// Where capture files come from: a regular file read at positions, or bytes already in memory (pipes are read whole).
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { InputError } from '../bytes/errors.js'
import { strerrorOf } from '../uapi/errno.js'

export interface ByteSource {
  readonly name: string
  readonly size: number
  /** Reads up to `length` bytes from `position` to into[at]: how many there were, less only at the end. */
  read(into: Uint8Array, at: number, length: number, position: number): number
  close(): void
}

export function memorySource(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    size: bytes.length,
    read(into, at, length, position) {
      const part = bytes.subarray(position, position + length)
      into.set(part, at)
      return part.length
    },
    close() {},
  }
}

/** A file by its path; '-' is standard input, as for libpcap's tools. */
export function fileSource(path: string): ByteSource {
  return reported(path, () => {
    if (path === '-') return memorySource(readFileSync(0), path)
    const fd = openSync(path, 'r')
    const stat = fstatSync(fd)
    if (stat.isFile()) return regularFile(path, fd, stat.size)
    try {
      return memorySource(readFileSync(fd), path)
    } finally {
      closeSync(fd)
    }
  })
}

function regularFile(path: string, fd: number, size: number): ByteSource {
  return {
    name: path,
    size,
    read: (into, at, length, position) => reported(path, () => readFully(fd, into, at, Math.min(length, size - position), position)),
    close: () => closeSync(fd),
  }
}

function readFully(fd: number, into: Uint8Array, at: number, length: number, position: number): number {
  let done = 0
  while (done < length) {
    const got = readSync(fd, into, at + done, length - done, position + done)
    if (got === 0) break
    done += got
  }
  return done
}

/** Runs file operations; what the system refuses becomes `PATH: reason`. */
export function reported<T>(path: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (typeof code !== 'string' || error instanceof InputError) throw error
    throw new InputError(`${path}: ${strerrorOf(code) ?? code}`, undefined, { cause: error })
  }
}
