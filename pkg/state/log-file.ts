// The open meta.log of a writer: one more line, or a new log in place of the old one. See log.ts for what is in it.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { attempt, calls, closeQuietly, removeQuietly, sync, syncDir, writeAll } from './disk.js'
import { LOG } from './log.js'

export class LogFile {
  readonly #dir: string
  readonly #path: string
  #fd: number | undefined
  /** Where the next line goes; 0: there is no log yet. */
  #end: number
  /** The file may hold more than END bytes: a commit that was cut short. */
  #torn: boolean

  constructor(dir: string, end: number, torn: boolean) {
    this.#dir = dir
    this.#path = join(dir, LOG)
    this.#end = end
    this.#torn = torn
  }

  get end(): number {
    return this.#end
  }

  /** Appends a line: with its last byte the commit is made. */
  append(line: Uint8Array): void {
    attempt(`cannot write ${this.#path}`, () => {
      this.#fd ??= fs.openSync(this.#path, 'r+')
      this.#cut()
      this.#torn = true
      try {
        writeAll(this.#fd, line, this.#end)
        sync(this.#fd)
      } catch (error) {
        this.#cut()
        throw error
      }
      this.#torn = false
      this.#end += line.length
    })
  }

  /** Puts a new log into place: readers find either the old or the new one. */
  replace(bytes: Uint8Array): void {
    const temp = `${this.#path}.new`
    attempt(`cannot write ${this.#path}`, () => {
      try {
        writeWhole(temp, bytes)
        calls.rename(temp, this.#path)
      } catch (error) {
        removeQuietly(temp)
        throw error
      }
      this.close()
      this.#end = bytes.length
      this.#torn = false
      syncDir(this.#dir)
    })
  }

  close(): void {
    if (this.#fd !== undefined) closeQuietly(this.#fd)
    this.#fd = undefined
  }

  #cut(): void {
    if (!this.#torn || this.#fd === undefined) return
    fs.ftruncateSync(this.#fd, this.#end)
    this.#torn = false
  }
}

function writeWhole(path: string, bytes: Uint8Array): void {
  const fd = fs.openSync(path, 'w', 0o644)
  try {
    writeAll(fd, bytes, 0)
    sync(fd)
  } finally {
    fs.closeSync(fd)
  }
}
