// The order of a PIFO map (RFC of July 2022, kernel/bpf/pifomap.c): two arrays of FIFO lists, one list a rank, found through a 64-ary tree of
// bitmaps. The primary array has the ranks [min, min + range), the secondary the next `range`; when the primary is empty at a dequeue the two
// change places. Everything lies in linear memory; an element is an address whose first u32 is the list's link.
import type { Memory } from '../mem/memory.js'

/** Offsets of the head: min as u64, which array is primary, then counters. */
export const PIFO = { minLow: 0, minHigh: 4, primary: 8, enqueued: 16, overflow: 20, range: 24, clamped: 28, rotations: 32, dequeued: 36, size: 64 } as const
/** The rank has passed; it lies beyond both arrays. */
export const BELOW = -1
export const BEYOND = -2

const words = (bits: number): number => Math.ceil(bits / 64)

/** Bits of each level, the lowest first; the top level has one word. */
function levelsOf(range: number): number[] {
  const levels = [range]
  while (levels.at(-1)! > 64) levels.push(words(levels.at(-1)!))
  return levels
}

const bitmapBytes = (range: number): number => levelsOf(range).reduce((sum, bits) => sum + words(bits) * 8, 0)

/** Bytes that the head, both trees and both arrays take. */
export const bucketBytes = (range: number): number => PIFO.size + 2 * (bitmapBytes(range) + range * 8)

/** Number of the lowest bit that is set, at or above `from`, in two words; -1: none. */
function lowest(low: number, high: number, from: number): number {
  if (from < 32) {
    const rest = low & (-1 << from)
    if (rest !== 0) return 31 - Math.clz32(rest & -rest)
  }
  const rest = from <= 32 ? high : high & (-1 << (from - 32))
  return rest === 0 ? -1 : 63 - Math.clz32(rest & -rest)
}

export class PifoBuckets {
  readonly #u32: Uint32Array
  readonly #head: number
  readonly range: number
  readonly #bits: Int32Array
  readonly #levels: number
  /** Word index of each level in each half's tree, one half behind the other. */
  readonly #maps: Int32Array
  /** Word index of each half's array of {first, last}. */
  readonly #lists: Int32Array

  constructor(mem: Memory, base: number, range: number) {
    this.#u32 = mem.u32
    this.#head = base >> 2
    this.range = range
    this.#bits = Int32Array.from(levelsOf(range))
    this.#levels = this.#bits.length
    const tree = bitmapBytes(range)
    this.#maps = Int32Array.from([base + PIFO.size, base + PIFO.size + tree].flatMap((start) => {
      let at = start >> 2
      return levelsOf(range).map((bits) => {
        const here = at
        at += words(bits) * 2
        return here
      })
    }))
    const lists = (base + PIFO.size + 2 * tree) >> 2
    this.#lists = Int32Array.of(lists, lists + range * 2)
  }

  get(word: number): number {
    return this.#u32[this.#head + (word >> 2)]!
  }

  count(counter: number): void {
    this.#u32[this.#head + (counter >> 2)]! += 1
  }

  #set(word: number, value: number): void {
    this.#u32[this.#head + (word >> 2)] = value
  }

  /** Place of a rank, counted from the first of the primary half; BELOW or BEYOND: it is in neither half. */
  find(low: number, high: number): number {
    const minLow = this.get(PIFO.minLow)
    const above = high - this.get(PIFO.minHigh) - (low < minLow ? 1 : 0)
    if (above < 0) return BELOW
    const distance = (low - minLow) >>> 0
    return above === 0 && distance < 2 * this.range ? distance : BEYOND
  }

  /** Place of what a user knows of a rank, its lower half. */
  findLow(low: number): number {
    const high = this.get(PIFO.minHigh)
    const here = this.find(low, high)
    const there = here < 0 ? this.find(low, high + 1) : here
    return there < 0 ? here : there
  }

  /** Where an element of that rank goes: what lies beyond is accepted into the last bucket. */
  place(low: number, high: number): number {
    const place = this.find(low, high)
    if (place === BELOW) this.count(PIFO.range)
    if (place !== BEYOND) return place
    this.count(PIFO.clamped)
    return 2 * this.range - 1
  }

  /** Appends to the list of a place. */
  push(place: number, element: number): void {
    const u32 = this.#u32
    const far = place >= this.range ? 1 : 0
    const half = this.get(PIFO.primary) ^ far
    const bucket = far === 1 ? place - this.range : place
    const list = this.#lists[half]! + bucket * 2
    u32[element >> 2] = 0
    if (this.#mark(half, bucket)) u32[list] = element
    else u32[u32[list + 1]! >> 2] = element
    u32[list + 1] = element
  }

  /** Sets the bit on all levels; true: the list was empty. */
  #mark(half: number, bucket: number): boolean {
    const u32 = this.#u32
    const first = half * this.#levels
    let at = bucket
    for (let level = 0; level < this.#levels; level += 1) {
      const word = this.#maps[first + level]! + (at >> 5)
      const bit = 1 << (at & 31)
      const old = u32[word]!
      if ((old & bit) !== 0) return false
      u32[word] = old | bit
      // Words above know already that something is below.
      if ((old | u32[this.#maps[first + level]! + ((at >> 5) ^ 1)]!) !== 0) return true
      at >>= 6
    }
    return true
  }

  #clear(half: number, bucket: number): void {
    const u32 = this.#u32
    const first = half * this.#levels
    let at = bucket
    for (let level = 0; level < this.#levels; level += 1) {
      const word = this.#maps[first + level]! + (at >> 5)
      const rest = u32[word]! & ~(1 << (at & 31))
      u32[word] = rest
      if ((rest | u32[this.#maps[first + level]! + ((at >> 5) ^ 1)]!) !== 0) return
      at >>= 6
    }
  }

  /** The first bucket at or above `from` that is not empty; -1: none. */
  #next(half: number, from: number): number {
    let at = from
    for (let level = 0; level < this.#levels; level += 1) {
      if (at >= this.#bits[level]!) return -1
      const found = this.#inWord(this.#maps[half * this.#levels + level]!, at)
      if (found >= 0) return this.#down(half, level, found)
      at = (at >> 6) + 1
    }
    return -1
  }

  #inWord(map: number, at: number): number {
    const word = map + (at >> 6) * 2
    const bit = lowest(this.#u32[word]!, this.#u32[word + 1]!, at & 63)
    return bit < 0 ? -1 : (at & ~63) + bit
  }

  #down(half: number, level: number, found: number): number {
    let at = found
    for (let l = level - 1; l >= 0; l -= 1) at = at * 64 + this.#lowestOf(this.#maps[half * this.#levels + l]! + at * 2)
    return at
  }

  /** Number of the lowest bit of a pair of words that is not zero. */
  #lowestOf(word: number): number {
    const low = this.#u32[word]!
    if (low !== 0) return 31 - Math.clz32(low & -low)
    const high = this.#u32[word + 1]!
    return 63 - Math.clz32(high & -high)
  }

  /** The first bucket that is not empty, from the top of the tree. */
  #first(half: number): number {
    const top = this.#maps[half * this.#levels + this.#levels - 1]!
    if ((this.#u32[top]! | this.#u32[top + 1]!) === 0) return -1
    return this.#down(half, this.#levels - 1, this.#lowestOf(top))
  }

  /** Brings the window to where the first element is: only a dequeue that finds the primary half empty moves it, by one range. */
  advance(): number {
    const bucket = this.#first(this.get(PIFO.primary))
    if (bucket >= 0) return bucket
    this.#set(PIFO.primary, this.get(PIFO.primary) ^ 1)
    const low = this.get(PIFO.minLow) + this.range
    this.#set(PIFO.minLow, low)
    if (low > 0xffffffff) this.#set(PIFO.minHigh, this.get(PIFO.minHigh) + 1)
    this.count(PIFO.rotations)
    return this.#first(this.get(PIFO.primary))
  }

  /** Takes the oldest element of a bucket of the primary half. */
  shift(bucket: number): number {
    const half = this.get(PIFO.primary)
    const list = this.#lists[half]! + bucket * 2
    const element = this.#u32[list]!
    const next = this.#u32[element >> 2]!
    this.#u32[list] = next
    if (next === 0) this.#clear(half, bucket)
    return element
  }

  /** The place at or behind `from` with something in it; -1: none. */
  nextPlace(from: number): number {
    const primary = this.get(PIFO.primary)
    if (from < this.range) {
      const near = this.#next(primary, from)
      if (near >= 0) return near
    }
    const far = this.#next(primary ^ 1, Math.max(0, from - this.range))
    return far < 0 ? -1 : far + this.range
  }

  /** The elements of a place, oldest first. */
  *elements(place: number): Generator<number> {
    const far = place >= this.range ? 1 : 0
    const half = this.get(PIFO.primary) ^ far
    const bucket = far === 1 ? place - this.range : place
    if (this.#next(half, bucket) !== bucket) return
    const list = this.#lists[half]! + bucket * 2
    for (let element = this.#u32[list]!; element !== 0; element = this.#u32[element >> 2]!) yield element
  }

  /** Forgets all elements; window and counters stay. */
  empty(): void {
    for (const half of [0, 1]) {
      for (let bucket = this.#first(half); bucket >= 0; bucket = this.#next(half, bucket + 1)) this.#clear(half, bucket)
    }
  }

  /** The halves of a place's rank. */
  rankLow(place: number): number {
    return (this.get(PIFO.minLow) + place) >>> 0
  }

  rankHigh(place: number): number {
    return this.get(PIFO.minHigh) + (this.get(PIFO.minLow) + place > 0xffffffff ? 1 : 0)
  }
}
