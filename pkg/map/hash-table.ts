// The chained hash table under every hash-like kind, as the JIT knows it (types.ts, HashJit). kernel/bpf/hashtab.c
import type { Memory } from '../mem/memory.js'
import { sameBytes } from './copy.js'
import { MAP, round8 } from './header.js'
import { hashKey } from './hash-function.js'
import type { HashJit } from './types.js'

/** Words of an element; the key follows, then the value(s), then `extra` bytes of the kind's own. */
export const ELEM = { next: 0, hash: 4, key: 8 } as const

export interface TableShape {
  readonly keySize: number
  /** All bytes of value of an element, a multiple of 8. */
  readonly valueBytes: number
  readonly extra: number
  readonly maxEntries: number
  /** The first word of the key is its own hash: devmap_hash, whose order users see. */
  readonly identity?: boolean
}

/** Region bytes of a table, header included. */
export function tableBytes(shape: TableShape): number {
  return MAP.size + round8(4 * bucketCount(shape.maxEntries)) + elementBytes(shape) * shape.maxEntries
}

function elementBytes(shape: TableShape): number {
  return ELEM.key + round8(shape.keySize) + shape.valueBytes + shape.extra
}

/** roundup_pow_of_two(max_entries) */
function bucketCount(maxEntries: number): number {
  let count = 1
  while (count < maxEntries) count *= 2
  return count
}

/**
 * Elements live in an array behind the buckets. A removed one keeps its `next`, so that a walk that stands on it still ends; the list of
 * free ones runs through the word of its hash.
 */
export class HashTable {
  readonly jit: HashJit
  readonly extraOffset: number
  readonly #mem: Memory
  readonly #addr: number
  readonly #elements: number
  readonly #stride: number
  readonly #shape: TableShape

  constructor(mem: Memory, addr: number, shape: TableShape) {
    const buckets = addr + MAP.size
    const count = bucketCount(shape.maxEntries)
    const valueOffset = ELEM.key + round8(shape.keySize)
    this.#mem = mem
    this.#addr = addr
    this.#shape = shape
    this.#elements = buckets + round8(4 * count)
    this.#stride = elementBytes(shape)
    this.extraOffset = valueOffset + shape.valueBytes
    this.jit = {
      kind: 'hash', buckets, mask: count - 1, seed: mem.u32[(addr + MAP.seed) >> 2]!, keySize: shape.keySize, valueOffset,
    }
  }

  get count(): number {
    return this.#mem.u32[(this.#addr + MAP.count) >> 2]!
  }

  hash(key: number): number {
    if (this.#shape.identity) return this.#mem.view.getUint32(key, true)
    return hashKey(this.#mem.u8, key, this.#shape.keySize, this.jit.seed)
  }

  /** The element of a key, 0: none. */
  find(key: number): number {
    const { u8, u32 } = this.#mem
    const { keySize, buckets, mask } = this.jit
    const hash = this.hash(key)
    let elem = u32[(buckets >> 2) + (hash & mask)]!
    while (elem !== 0) {
      if (u32[(elem + ELEM.hash) >> 2] === hash && sameBytes(u8, elem + ELEM.key, key, keySize)) return elem
      elem = u32[elem >> 2]!
    }
    return 0
  }

  /** A new element at the head of its bucket, its value zeroed; 0: the table is full. The key must not be in it. */
  insert(key: number): number {
    const { u8, u32 } = this.#mem
    const elem = this.#take()
    if (elem === 0) return 0
    const hash = this.hash(key)
    const bucket = (this.jit.buckets >> 2) + (hash & this.jit.mask)
    u8.copyWithin(elem + ELEM.key, key, key + this.jit.keySize)
    u8.fill(0, elem + this.jit.valueOffset, elem + this.#stride)
    u32[(elem + ELEM.hash) >> 2] = hash
    u32[elem >> 2] = u32[bucket]!
    u32[bucket] = elem
    return elem
  }

  #take(): number {
    const { u32 } = this.#mem
    const header = this.#addr >> 2
    let elem = u32[header + (MAP.free >> 2)]!
    if (elem !== 0) {
      u32[header + (MAP.free >> 2)] = u32[(elem + ELEM.hash) >> 2]!
    } else {
      const fresh = u32[header + (MAP.fresh >> 2)]!
      if (fresh >= this.#shape.maxEntries) return 0
      u32[header + (MAP.fresh >> 2)] = fresh + 1
      elem = this.#elements + fresh * this.#stride
    }
    u32[header + (MAP.count >> 2)]! += 1
    return elem
  }

  /** Unlinks an element and gives it back. */
  remove(elem: number): void {
    const { u32 } = this.#mem
    const header = this.#addr >> 2
    let link = (this.jit.buckets >> 2) + (u32[(elem + ELEM.hash) >> 2]! & this.jit.mask)
    while (u32[link] !== elem) link = u32[link]! >> 2
    u32[link] = u32[elem >> 2]!
    u32[(elem + ELEM.hash) >> 2] = u32[header + (MAP.free >> 2)]!
    u32[header + (MAP.free >> 2)] = elem
    u32[header + (MAP.count >> 2)]! -= 1
  }

  /** The element after `elem` in bucket order; 0: the first one, or no more. */
  after(elem: number): number {
    const { u32 } = this.#mem
    const { buckets, mask } = this.jit
    if (elem !== 0 && u32[elem >> 2] !== 0) return u32[elem >> 2]!
    const start = elem === 0 ? 0 : (u32[(elem + ELEM.hash) >> 2]! & mask) + 1
    for (let at = start; at <= mask; at += 1) {
      const head = u32[(buckets >> 2) + at]!
      if (head !== 0) return head
    }
    return 0
  }

  /** Pointer to the key that follows a key in bucket order: the first when it is not there (or 0), 0 at the end. */
  nextKey(key: number): number {
    const elem = this.after(key === 0 ? 0 : this.find(key))
    return elem === 0 ? 0 : elem + ELEM.key
  }

  /** Visits all elements until the visitor says stop; the count of visits. An element may be removed while it is visited. */
  each(visit: (elem: number) => boolean): number {
    const { u32 } = this.#mem
    const { buckets, mask } = this.jit
    let visits = 0
    for (let at = 0; at <= mask; at += 1) {
      for (let elem = u32[(buckets >> 2) + at]!; elem !== 0;) {
        const next = u32[elem >> 2]!
        visits += 1
        if (visit(elem)) return visits
        elem = next
      }
    }
    return visits
  }
}
