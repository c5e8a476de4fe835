// struct bpf_map at the start of every map's region: our own layout, the attributes first, then words that kinds use as they say here.
import type { Memory } from '../mem/memory.js'
import type { MapAttr } from './types.js'

/** Offsets of the header's u32 words. */
export const MAP = {
  type: 0, key_size: 4, value_size: 8, max_entries: 12, map_flags: 16, id: 20,
  /** Elements in the map: hash, trie, queue. */
  count: 24,
  /** First free element (linked through a word of the element), 0: none; and how many elements were ever taken from the array. */
  free: 28, fresh: 32,
  /** Seed of the hash. */
  seed: 36,
  /** Type of the programs of a prog_array, 0: none yet. */
  owner_type: 40,
  /** LRU list: most and least recently used element; queue: head and tail; trie: root. */
  first: 44, last: 48,
  /** Ring buffer positions. */
  consumer: 52, producer: 56, lost: 60,
  /** type, key_size, value_size, max_entries, map_flags of the inner map template. */
  inner: 64,
  size: 128,
} as const

/** Writes the attributes into a zeroed region. */
export function writeHeader(mem: Memory, addr: number, attr: MapAttr): void {
  const words = [attr.type, attr.keySize, attr.valueSize, attr.maxEntries, attr.flags, attr.id]
  words.forEach((word, i) => { mem.u32[(addr >> 2) + i] = word })
}

/** Rounded up to a multiple of 8: strides of elements, keys and per-CPU values. */
export function round8(size: number): number {
  return Math.ceil(size / 8) * 8
}
