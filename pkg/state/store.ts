// The store: the emulated machine's memory between two commands. Values by key, pages by area and index, blobs by name; one transaction at a
// time, all of it or none. In a directory (openStore) or in this process only (memoryStore).
import { assert } from '../bytes/errors.js'
import { BLOBS, MemoryBacking, PAGES, placeOf, type Backing } from './backing.js'
import { SortedCells, textOf, withPrefix, type Layer } from './cells.js'
import { crc32 } from './crc.js'
import { DirectoryBacking, LIMITS, type Limits } from './directory.js'
import type { Place } from './segments.js'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Bytes of a page, everywhere in the store. */
export const PAGE = 16384

export interface Store {
  /** The value (a fresh copy), with this transaction's own changes. */
  get(key: string): Json | undefined
  has(key: string): boolean
  /** Keeps the value as it is now; later changes to the object are not seen. The value that is there already costs no commit. */
  set(key: string, value: Json): void
  delete(key: string): void
  /** Keys that begin with PREFIX, ascending by code unit; the cost follows their number. */
  keys(prefix: string): string[]
  /** A fresh copy of a page, undefined when it is all zero. */
  readPage(area: string, index: number): Uint8Array | undefined
  /** Takes PAGE bytes (copied). A page of zeros is dropped, one that is stored as it is costs nothing. */
  writePage(area: string, index: number, bytes: Uint8Array): void
  /** Indexes of the stored pages, ascending. */
  pages(area: string): number[]
  /** CRC-32 of the stored page without reading it. */
  pageCrc(area: string, index: number): number | undefined
  dropArea(area: string): void
  readBlob(name: string): Uint8Array | undefined
  writeBlob(name: string, bytes: Uint8Array): void
  deleteBlob(name: string): void
  /** Names of the blobs that begin with PREFIX, ascending. */
  blobs(prefix: string): string[]
  /** Areas that have pages, ascending. */
  areas(): string[]
  /** Number of commits ever made to this state. */
  readonly generation: number
  readonly dirty: boolean
  /** All of it or none, also after kill -9 or a full disk at any point. After an error the transaction is still open: commit again or roll back. */
  commit(): void
  rollback(): void
  /** Reader to writer: takes the lock. What was read before still holds exactly when `generation` has not moved. */
  promote(): void
  /** Releases the lock; uncommitted changes are dropped. */
  close(): void
}

const VALUES = 'k'
const INDEX_DIGITS = 8

/** Opens the state of a directory. 'write' takes the lock (waits for a living holder, breaks a dead one's); 'read' takes none. */
export function openStore(dir: string, mode: 'read' | 'write', limits: Partial<Limits> = {}): Store {
  return new TableStore(new DirectoryBacking(dir, mode, { ...LIMITS, ...limits }))
}

/** A state of its own that ends with the process. */
export function memoryStore(): Store {
  return new TableStore(new MemoryBacking())
}

class TableStore implements Store {
  readonly #backing: Backing
  readonly #changes = new SortedCells()

  constructor(backing: Backing) {
    this.#backing = backing
  }

  get generation(): number {
    return this.#backing.generation
  }

  get dirty(): boolean {
    return this.#changes.size > 0
  }

  get(key: string): Json | undefined {
    const text = this.#find(VALUES + key)
    return text === null || text === undefined ? undefined : JSON.parse(text) as Json
  }

  has(key: string): boolean {
    return typeof this.#find(VALUES + key) === 'string'
  }

  set(key: string, value: Json): void {
    const text = JSON.stringify(value) as string | undefined
    assert(text !== undefined, `no JSON value for ${key}`)
    if (this.#find(VALUES + key) !== text) this.#change(VALUES + key, text)
  }

  delete(key: string): void {
    this.#remove(VALUES + key)
  }

  keys(prefix: string): string[] {
    return this.#names(VALUES + prefix)
  }

  readPage(area: string, index: number): Uint8Array | undefined {
    return this.#read(pageKey(area, index))
  }

  writePage(area: string, index: number, bytes: Uint8Array): void {
    assert(bytes.length === PAGE, `a page of ${bytes.length} bytes`)
    const key = pageKey(area, index)
    if (isZero(bytes)) this.#remove(key)
    else this.#write(key, bytes)
  }

  pages(area: string): number[] {
    return this.#pageKeys(area).map((key) => Number.parseInt(key.slice(-INDEX_DIGITS), 16))
  }

  pageCrc(area: string, index: number): number | undefined {
    return this.#place(pageKey(area, index))?.[3]
  }

  dropArea(area: string): void {
    for (const key of this.#pageKeys(area)) this.#remove(key)
  }

  readBlob(name: string): Uint8Array | undefined {
    return this.#read(BLOBS + name)
  }

  writeBlob(name: string, bytes: Uint8Array): void {
    this.#write(BLOBS + name, bytes)
  }

  deleteBlob(name: string): void {
    this.#remove(BLOBS + name)
  }

  blobs(prefix: string): string[] {
    return this.#names(BLOBS + prefix)
  }

  areas(): string[] {
    return [...new Set(this.#names(PAGES).map((name) => name.slice(0, -INDEX_DIGITS - 1)))].sort()
  }

  commit(): void {
    if (!this.dirty) return
    this.#backing.commit(this.#changes)
    this.#changes.clear()
  }

  rollback(): void {
    this.#changes.clear()
    this.#backing.discard()
  }

  promote(): void {
    this.#backing.promote()
  }

  close(): void {
    this.rollback()
    this.#backing.close()
  }

  #find(key: string): string | null | undefined {
    const cell = this.#changes.get(key)
    return cell === undefined ? this.#backing.find(key) : textOf(cell)
  }

  #layers(): readonly Layer[] {
    return this.dirty ? [this.#changes, ...this.#backing.layers()] : this.#backing.layers()
  }

  #change(key: string, text: string | null): void {
    assert(this.#backing.writable, 'a change to a store opened for reading')
    this.#changes.set(key, text)
  }

  /** A key that no commit has simply leaves the transaction again. */
  #remove(key: string): void {
    if (typeof this.#find(key) !== 'string') return
    if (typeof this.#backing.find(key) === 'string') this.#change(key, null)
    else this.#changes.remove(key)
  }

  #names(prefix: string): string[] {
    const names: string[] = []
    for (const [key] of withPrefix(this.#layers(), prefix)) names.push(key.slice(1))
    return names
  }

  /** Another area's name may begin with this one's and a #; then its keys are longer. */
  #pageKeys(area: string): string[] {
    const prefix = `${PAGES}${area}#`
    const keys: string[] = []
    for (const [key] of withPrefix(this.#layers(), prefix)) if (key.length === prefix.length + INDEX_DIGITS) keys.push(key)
    return keys
  }

  #place(key: string): Place | undefined {
    return placeOf(key, this.#find(key))
  }

  #read(key: string): Uint8Array | undefined {
    const place = this.#place(key)
    return place === undefined ? undefined : this.#backing.read(place)
  }

  #write(key: string, bytes: Uint8Array): void {
    assert(this.#backing.writable, 'a change to a store opened for reading')
    const crc = crc32(bytes)
    const old = this.#place(key)
    if (old !== undefined && old[3] === crc && old[2] === bytes.length && Buffer.compare(this.#backing.read(old), bytes) === 0) return
    this.#change(key, JSON.stringify(this.#backing.append(bytes, crc)))
  }
}

/** Pages sort by index because it is written with a fixed number of digits. */
function pageKey(area: string, index: number): string {
  assert(Number.isInteger(index) && index >= 0 && index < 2 ** 32, `page ${index}`)
  return `${PAGES}${area}#${index.toString(16).padStart(INDEX_DIGITS, '0')}`
}

let zeros: Uint8Array | undefined

function isZero(page: Uint8Array): boolean {
  return Buffer.compare(page, (zeros ??= new Uint8Array(PAGE))) === 0
}
