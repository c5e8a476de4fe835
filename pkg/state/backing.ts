// What a store rests on: committed cells and payload bytes, in files or in memory.
import { SortedCells, textOf, type Layer } from './cells.js'
import { crc32 } from './crc.js'
import type { Place } from './segments.js'

export interface Backing {
  readonly generation: number
  /** Whether changes are taken now; a reader must be promoted first. */
  readonly writable: boolean
  /** The committed text of a key, null or undefined when there is none. */
  find(key: string): string | null | undefined
  /** The committed layers, newest first. */
  layers(): readonly Layer[]
  append(bytes: Uint8Array, crc?: number): Place
  read(place: Place): Uint8Array
  /** Makes the changes lasting, all or none. */
  commit(changes: SortedCells): void
  /** Forgets what was appended since the last commit. */
  discard(): void
  promote(): void
  close(): void
}

/** How payload (as against plain values) is filed: its keys begin with one of these and their values are Places. */
export const PAGES = 'p'
export const BLOBS = 'b'

/** The place a payload key's text names, undefined for other keys and deleted ones. */
export function placeOf(key: string, text: string | null | undefined): Place | undefined {
  if (text === null || text === undefined || (key[0] !== PAGES && key[0] !== BLOBS)) return undefined
  return JSON.parse(text) as Place
}

/** A machine that lives in this process only. */
export class MemoryBacking implements Backing {
  generation = 0
  readonly writable = true
  readonly #cells = new SortedCells()
  readonly #payloads = new Map<number, Uint8Array>()
  readonly #appended = new Set<number>()
  #next = 0

  find(key: string): string | null | undefined {
    const cell = this.#cells.get(key)
    return cell === undefined ? undefined : textOf(cell)
  }

  layers(): readonly Layer[] {
    return [this.#cells]
  }

  append(bytes: Uint8Array, crc = crc32(bytes)): Place {
    const n = this.#next++
    this.#payloads.set(n, bytes.slice())
    this.#appended.add(n)
    return [0, n, bytes.length, crc]
  }

  read([, n]: Place): Uint8Array {
    return this.#payloads.get(n)!.slice()
  }

  commit(changes: SortedCells): void {
    for (const [key, cell] of changes.entries()) {
      const text = textOf(cell)
      const kept = placeOf(key, text)
      if (kept !== undefined) this.#appended.delete(kept[1])
      const old = placeOf(key, this.find(key))
      if (old !== undefined && old[1] !== kept?.[1]) this.#payloads.delete(old[1])
      if (text === null) this.#cells.remove(key)
      else this.#cells.set(key, text)
    }
    this.discard()
    this.generation += 1
  }

  discard(): void {
    for (const n of this.#appended) this.#payloads.delete(n)
    this.#appended.clear()
  }

  promote(): void {}

  close(): void {
    this.discard()
  }
}
