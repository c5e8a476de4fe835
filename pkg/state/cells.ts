// Sorted tables of texts: what a transaction changed, what the log's tail holds, and the merge of several such layers into one.
import type { Json } from './store.js'

/** A value: its JSON text; null for "deleted here"; or a parsed value whose text nobody has asked for yet. */
export type Cell = string | null | { readonly json: Json }
export type Entry = readonly [key: string, cell: Cell]

/** So many keys are moved one by one; more are cheaper all at once. */
const FEW = 16

/** One layer: its entries from the first key >= START on, ascending by code unit. */
export interface Layer { from(start: string): IterableIterator<Entry> }

/** A cell's text, null when deleted. */
export function textOf(cell: Cell): string | null {
  return cell === null || typeof cell === 'string' ? cell : JSON.stringify(cell.json)
}

/** A map whose keys are put in order only when somebody walks them. */
export class SortedCells implements Layer {
  readonly #cells = new Map<string, Cell>()
  #sorted: string[] = []
  #fresh: string[] = []
  #gone: string[] = []

  get size(): number {
    return this.#cells.size
  }

  get(key: string): Cell | undefined {
    return this.#cells.get(key)
  }

  set(key: string, cell: Cell): void {
    if (!this.#cells.has(key)) this.#fresh.push(key)
    this.#cells.set(key, cell)
  }

  /** Takes the key out of this layer; what lies below shows again. */
  remove(key: string): void {
    if (this.#cells.delete(key)) this.#gone.push(key)
  }

  clear(): void {
    this.#cells.clear()
    this.#sorted = []
    this.#fresh = []
    this.#gone = []
  }

  entries(): IterableIterator<[string, Cell]> {
    return this.#cells.entries()
  }

  *from(start: string): IterableIterator<Entry> {
    this.#order()
    const keys = this.#sorted
    for (let i = lowerBound(keys, start); i < keys.length; i++) yield [keys[i]!, this.#cells.get(keys[i]!)!]
  }

  #order(): void {
    if (this.#gone.length > 0) this.#takeOut()
    if (this.#fresh.length > 0) this.#putIn()
  }

  /** A few new keys are put into place; many are sorted together with the old ones, which are already in order. */
  #putIn(): void {
    const fresh = this.#fresh
    this.#fresh = []
    if (fresh.length <= FEW) for (const key of fresh) this.#sorted.splice(lowerBound(this.#sorted, key), 0, key)
    else this.#sorted = this.#sorted.concat(fresh.sort(byCodeUnit)).sort(byCodeUnit)
  }

  /** A key may have come and gone several times: the ordered ones lose it, and it is new once if it is there now. */
  #takeOut(): void {
    const gone = new Set(this.#gone)
    this.#gone = []
    if (gone.size > FEW) this.#sorted = this.#sorted.filter((key) => !gone.has(key))
    else for (const key of gone) this.#drop(key)
    this.#fresh = [...new Set(this.#fresh)].filter((key) => this.#cells.has(key))
  }

  #drop(key: string): void {
    const i = lowerBound(this.#sorted, key)
    if (this.#sorted[i] === key) this.#sorted.splice(i, 1)
  }
}

/** The layers as one, newest first: where several have a key, the newest one's cell counts. */
export function* merged(layers: readonly Layer[], start: string): IterableIterator<Entry> {
  const walks = layers.map((layer) => layer.from(start))
  const heads = walks.map((walk) => head(walk))
  for (;;) {
    let first = -1
    for (let i = 0; i < heads.length; i++) {
      const entry = heads[i]
      if (entry !== undefined && (first < 0 || entry[0] < heads[first]![0])) first = i
    }
    if (first < 0) return
    const entry = heads[first]!
    yield entry
    for (let i = first; i < heads.length; i++) if (heads[i]?.[0] === entry[0]) heads[i] = head(walks[i]!)
  }
}

/** The merged entries that begin with a prefix and are not deleted. */
export function* withPrefix(layers: readonly Layer[], prefix: string): IterableIterator<[string, Exclude<Cell, null>]> {
  for (const [key, cell] of merged(layers, prefix)) {
    if (!key.startsWith(prefix)) return
    if (cell !== null) yield [key, cell]
  }
}

/** Index of the first key that is not below KEY. */
export function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function head(walk: IterableIterator<Entry>): Entry | undefined {
  const next = walk.next()
  return next.done === true ? undefined : next.value
}
