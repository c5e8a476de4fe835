// A run: a sorted table in a file that never changes (seg/keys.N), read block by block. Leaves of some 2 KB hold the keys as a JSON array on
// their first line and one value per further line (an empty one: deleted); above them nodes of [first key, offset, length, crc] up to one root.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { lowerBound, textOf, type Entry, type Layer } from './cells.js'
import { crc32 } from './crc.js'
import { closeQuietly, damaged, readChecked, removeQuietly, sync, writeAll } from './disk.js'

/** Where the root of a run is; what the log's header keeps of it. Depth 0: the root is a leaf. */
export interface RunRef {
  readonly n: number
  readonly bytes: number
  readonly depth: number
  readonly root: { readonly at: number; readonly length: number; readonly crc: number }
}

type Child = readonly [first: string, at: number, length: number, crc: number]
interface Leaf { readonly keys: readonly string[]; readonly texts: readonly string[] }

const LEAF = 2048
const NODE = 4096
const CHUNK = 1 << 20
/** Blocks kept parsed; a command touches a handful, only a whole walk gets here. */
const KEPT = 2048

/** The file of run N, relative to the state directory. */
export function runName(n: number): string {
  return `seg/keys.${n}`
}

/** Writes the entries (ascending) as run N; undefined when there were none. WHOLE: nothing lies below, so deletions needn't be kept. */
export function writeRun(dir: string, n: number, entries: Iterable<Entry>, whole: boolean): RunRef | undefined {
  const path = join(dir, runName(n))
  const fd = fs.openSync(path, 'w', 0o644)
  try {
    const writer = new RunWriter(fd)
    for (const [key, cell] of entries) {
      const text = textOf(cell)
      if (text !== null || !whole) writer.add(key, text ?? '')
    }
    const ref = writer.finish(n)
    sync(fd)
    if (ref === undefined) removeQuietly(path)
    return ref
  } catch (error) {
    removeQuietly(path)
    throw error
  } finally {
    fs.closeSync(fd)
  }
}

class RunWriter {
  readonly #fd: number
  #keys: string[] = []
  #texts: string[] = []
  #leafSize = 0
  readonly #levels: { children: Child[]; size: number }[] = []
  #chunks: Uint8Array[] = []
  #chunkBytes = 0
  #written = 0

  constructor(fd: number) {
    this.#fd = fd
  }

  add(key: string, text: string): void {
    this.#keys.push(key)
    this.#texts.push(text)
    this.#leafSize += key.length + text.length + 4
    if (this.#leafSize >= LEAF) this.#endLeaf()
  }

  finish(n: number): RunRef | undefined {
    if (this.#keys.length > 0) this.#endLeaf()
    if (this.#levels.length === 0) return undefined
    let depth = 0
    while (depth + 1 < this.#levels.length || this.#levels[depth]!.children.length > 1) this.#endNode(depth++)
    const [, at, length, crc] = this.#levels[depth]!.children[0]!
    this.#flush()
    return { n, bytes: this.#written, depth, root: { at, length, crc } }
  }

  #endLeaf(): void {
    const first = this.#keys[0]!
    const block = Buffer.from(`${JSON.stringify(this.#keys)}\n${this.#texts.join('\n')}`)
    this.#keys = []
    this.#texts = []
    this.#leafSize = 0
    this.#put(0, first, block)
  }

  #endNode(depth: number): void {
    const level = this.#levels[depth]!
    if (level.children.length === 0) return
    const block = Buffer.from(JSON.stringify(level.children))
    const first = level.children[0]![0]
    level.children = []
    level.size = 0
    this.#put(depth + 1, first, block)
  }

  #put(depth: number, first: string, block: Uint8Array): void {
    const level = (this.#levels[depth] ??= { children: [], size: 0 })
    level.children.push([first, this.#written + this.#chunkBytes, block.length, crc32(block)])
    level.size += first.length + 32
    this.#chunks.push(block)
    this.#chunkBytes += block.length
    if (this.#chunkBytes >= CHUNK) this.#flush()
    if (level.size >= NODE) this.#endNode(depth)
  }

  #flush(): void {
    writeAll(this.#fd, Buffer.concat(this.#chunks), this.#written)
    this.#written += this.#chunkBytes
    this.#chunks = []
    this.#chunkBytes = 0
  }
}

/** An open run. */
export class Run implements Layer {
  readonly ref: RunRef
  readonly #dir: string
  readonly #fd: number
  readonly #nodes = new Map<number, readonly Child[]>()
  readonly #leaves = new Map<number, Leaf>()

  constructor(dir: string, ref: RunRef) {
    this.ref = ref
    this.#dir = dir
    this.#fd = fs.openSync(join(dir, runName(ref.n)), 'r')
  }

  close(): void {
    closeQuietly(this.#fd)
  }

  /** The value's text, null when deleted here, undefined when this run says nothing about the key. */
  get(key: string): string | null | undefined {
    let child = this.#root()
    for (let depth = this.ref.depth; depth > 0; depth--) {
      const children = this.#node(child)
      const i = childFor(children, key)
      if (i < 0) return undefined
      child = children[i]!
    }
    const leaf = this.#leaf(child)
    const i = lowerBound(leaf.keys, key)
    return leaf.keys[i] === key ? valueOf(leaf, i) : undefined
  }

  from(start: string): IterableIterator<Entry> {
    return this.#walk(this.#root(), this.ref.depth, start)
  }

  *#walk(at: Child, depth: number, start: string): IterableIterator<Entry> {
    if (depth === 0) {
      const leaf = this.#leaf(at)
      for (let i = lowerBound(leaf.keys, start); i < leaf.keys.length; i++) yield [leaf.keys[i]!, valueOf(leaf, i)]
      return
    }
    const children = this.#node(at)
    for (let i = Math.max(childFor(children, start), 0); i < children.length; i++) yield* this.#walk(children[i]!, depth - 1, start)
  }

  #root(): Child {
    const { at, length, crc } = this.ref.root
    return ['', at, length, crc]
  }

  #node(child: Child): readonly Child[] {
    const kept = this.#nodes.get(child[1])
    if (kept !== undefined) return kept
    const node = this.#parse<readonly Child[]>(this.#read(child), child)
    return keep(this.#nodes, child[1], node)
  }

  #leaf(child: Child): Leaf {
    const kept = this.#leaves.get(child[1])
    if (kept !== undefined) return kept
    const [keys, ...texts] = this.#read(child).split('\n')
    const leaf = { keys: this.#parse<readonly string[]>(keys!, child), texts }
    if (leaf.keys.length !== texts.length) throw this.#damage(child)
    return keep(this.#leaves, child[1], leaf)
  }

  #read([, at, length, crc]: Child): string {
    const bytes = readChecked(this.#fd, this.#dir, runName(this.ref.n), at, length, crc)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
  }

  #parse<T>(text: string, child: Child): T {
    try {
      const value: unknown = JSON.parse(text)
      if (Array.isArray(value)) return value as T
    } catch {
      // Said below.
    }
    throw this.#damage(child)
  }

  #damage(child: Child): Error {
    return damaged(this.#dir, runName(this.ref.n), child[1], 'not a block')
  }
}

function valueOf(leaf: Leaf, i: number): string | null {
  const text = leaf.texts[i]!
  return text === '' ? null : text
}

/** The last child that begins at or below the key, -1 when all are above it. */
function childFor(children: readonly Child[], key: string): number {
  let low = 0
  let high = children.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (children[middle]![0] <= key) low = middle + 1
    else high = middle
  }
  return low - 1
}

function keep<T>(kept: Map<number, T>, at: number, value: T): T {
  if (kept.size >= KEPT) kept.clear()
  kept.set(at, value)
  return value
}
