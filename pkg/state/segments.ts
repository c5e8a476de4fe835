// Big data (pages, blobs) in append-only files seg/data.N. A file is trusted only up to the length the log commits; what a crash left beyond
// it is written over. The index (the `p` and `b` keys of the table) alone says what is where, so the files hold nothing but payload.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { crc32 } from './crc.js'
import { attempt, closeQuietly, codeOf, makeFolders, readChecked, sync, writeAll } from './disk.js'

/** Committed length of a segment, and how much of it something still refers to. */
export interface Usage { readonly bytes: number; readonly live: number }
/** Where a payload is; kept as JSON text in the table. */
export type Place = readonly [segment: number, at: number, length: number, crc: number]

export interface SegmentLimits {
  /** A segment that has grown to this size is followed by a new one. */
  readonly segment: number
  /** Garbage below this is let be. */
  readonly garbage: number
}

const BUFFER = 1 << 20
/** Most bytes one compaction carries over, so that none takes long. */
const CARRY = 64 << 20

/** The file of segment N, relative to the state directory. */
export function segmentName(n: number): string {
  return `seg/data.${n}`
}

export class Segments {
  readonly #dir: string
  readonly #limits: SegmentLimits
  readonly #takeNumber: () => number
  #usage: Map<number, Usage>
  readonly #fds = new Map<number, { fd: number; writable: boolean }>()
  /** Ends of the segments this transaction appended to; the last one is where the next bytes go. */
  readonly #ends = new Map<number, number>()
  #current: number | undefined
  /** Appended but not yet written, by offset in the current segment. */
  readonly #pending = new Map<number, Uint8Array>()
  #pendingBytes = 0

  constructor(dir: string, usage: Map<number, Usage>, limits: SegmentLimits, takeNumber: () => number) {
    this.#dir = dir
    this.#limits = limits
    this.#takeNumber = takeNumber
    this.#usage = usage
    this.#current = latest(usage)
  }

  get usage(): ReadonlyMap<number, Usage> {
    return this.#usage
  }

  /** Opens every file, so that a compaction by somebody else can't take one away from this reader. */
  openAll(): void {
    for (const n of this.#usage.keys()) this.#fd(n, false)
  }

  /** Takes bytes (copied) to the end of the current segment. */
  append(bytes: Uint8Array, crc = crc32(bytes)): Place {
    const segment = this.#writable()
    const at = this.#end(segment)
    this.#pending.set(at, bytes.slice())
    this.#pendingBytes += bytes.length
    this.#ends.set(segment, at + bytes.length)
    if (this.#pendingBytes >= BUFFER) this.flush()
    return [segment, at, bytes.length, crc]
  }

  /** A fresh copy of a payload, proved by its checksum. */
  read([segment, at, length, crc]: Place): Uint8Array {
    const pending = segment === this.#current && length > 0 ? this.#pending.get(at) : undefined
    if (pending !== undefined) return pending.slice()
    if (length === 0) return new Uint8Array(0)
    return readChecked(this.#fd(segment, false), this.#dir, segmentName(segment), at, length, crc)
  }

  /** Writes what is pending; a failure leaves it pending. */
  flush(): void {
    const segment = this.#current
    if (segment === undefined || this.#pendingBytes === 0) return
    attempt(`cannot write ${join(this.#dir, segmentName(segment))}`, () => {
      const fd = this.#fd(segment, true)
      writeAll(fd, Buffer.concat([...this.#pending.values()]), this.#end(segment) - this.#pendingBytes)
    })
    this.#pending.clear()
    this.#pendingBytes = 0
  }

  /** fsync of everything this transaction appended to, when asked for. */
  syncAppended(): void {
    for (const n of this.#ends.keys()) {
      const fd = this.#fds.get(n)
      if (fd !== undefined) attempt(`cannot write ${join(this.#dir, segmentName(n))}`, () => sync(fd.fd))
    }
  }

  /** Usage of the segments that this transaction changes, given by how much it moves the live bytes of each. */
  changed(liveBy: ReadonlyMap<number, number>): Map<number, Usage> {
    const changed = new Map<number, Usage>()
    for (const n of new Set([...this.#ends.keys(), ...liveBy.keys()])) {
      const live = (this.#usage.get(n)?.live ?? 0) + (liveBy.get(n) ?? 0)
      changed.set(n, { bytes: this.#end(n), live })
    }
    return changed
  }

  /** What was appended is committed now. */
  accept(changed: ReadonlyMap<number, Usage>): void {
    for (const [n, usage] of changed) this.#usage.set(n, usage)
    this.#ends.clear()
  }

  /** Forgets what was appended since the last commit. */
  discard(): void {
    this.#pending.clear()
    this.#pendingBytes = 0
    for (const n of this.#ends.keys()) if (!this.#usage.has(n)) this.#drop(n)
    this.#ends.clear()
    this.#current = latest(this.#usage)
  }

  /** The segments whose live parts are worth carrying over: only when garbage has piled up, and never more than CARRY bytes. */
  victims(): Set<number> {
    let bytes = 0
    let live = 0
    for (const usage of this.#usage.values()) [bytes, live] = [bytes + usage.bytes, live + usage.live]
    const chosen = new Set<number>()
    if (bytes - live <= Math.max(this.#limits.garbage, live / 2)) return chosen
    const byLive = [...this.#usage].filter(([, u]) => u.live <= u.bytes * 0.7).sort(([, a], [, b]) => a.live / a.bytes - b.live / b.bytes)
    let carried = 0
    for (const [n, usage] of byLive) {
      if (chosen.size > 0 && carried + usage.live > CARRY) break
      carried += usage.live
      chosen.add(n)
    }
    return chosen
  }

  /** The next bytes go to a new segment when the current one is about to be emptied. */
  leave(victims: ReadonlySet<number>): void {
    if (this.#current !== undefined && victims.has(this.#current)) this.#current = undefined
  }

  /** Forgets segments for good; their files are removed by the caller. */
  forget(numbers: Iterable<number>): void {
    for (const n of numbers) {
      this.#drop(n)
      this.#usage.delete(n)
    }
    if (this.#current !== undefined && !this.#usage.has(this.#current)) this.#current = undefined
  }

  close(): void {
    for (const n of [...this.#fds.keys()]) this.#drop(n)
  }

  #writable(): number {
    const current = this.#current
    if (current !== undefined && this.#end(current) < this.#target()) return current
    this.flush()
    this.#current = this.#takeNumber()
    return this.#current
  }

  /** A big state has bigger segments, so that there are never many files to open. */
  #target(): number {
    let bytes = 0
    for (const n of new Set([...this.#usage.keys(), ...this.#ends.keys()])) bytes += this.#end(n)
    return Math.max(this.#limits.segment, bytes / 8)
  }

  #end(n: number): number {
    return this.#ends.get(n) ?? this.#usage.get(n)?.bytes ?? 0
  }

  #fd(n: number, writable: boolean): number {
    const open = this.#fds.get(n)
    if (open !== undefined && (open.writable || !writable)) return open.fd
    if (open !== undefined) this.#drop(n)
    const fd = writable ? this.#openForWriting(n) : fs.openSync(join(this.#dir, segmentName(n)), 'r')
    this.#fds.set(n, { fd, writable })
    return fd
  }

  /** What no commit mentions is left from a crash and begins anew. */
  #openForWriting(n: number): number {
    const path = join(this.#dir, segmentName(n))
    const flags = this.#usage.has(n) ? 'r+' : 'w+'
    try {
      return fs.openSync(path, flags, 0o644)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || flags === 'r+') throw error
      makeFolders(join(this.#dir, 'seg'))
      return fs.openSync(path, flags, 0o644)
    }
  }

  #drop(n: number): void {
    const open = this.#fds.get(n)
    if (open !== undefined) closeQuietly(open.fd)
    this.#fds.delete(n)
  }
}

function latest(usage: ReadonlyMap<number, Usage>): number | undefined {
  return usage.size === 0 ? undefined : Math.max(...usage.keys())
}
