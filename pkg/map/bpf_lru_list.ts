// Which element an LRU hash gives up: one list in order of insertion, second chance by a reference mark. kernel/bpf/bpf_lru_list.c
import type { Memory } from '../mem/memory.js'
import { MAP } from './header.js'

/** Words of an element, relative to its extra bytes. */
export const LRU = { ref: 0, prev: 4, next: 8, size: 16 } as const

/** A doubly linked list over elements, newest first; its ends are in the map's header. */
export class LruList {
  readonly #u32: Uint32Array
  readonly #addr: number
  readonly #offset: number

  constructor(mem: Memory, addr: number, offset: number) {
    this.#u32 = mem.u32
    this.#addr = addr
    this.#offset = offset
  }

  mark(elem: number): void {
    this.#set(elem, LRU.ref, 1)
  }

  /** Puts an element in front, without a mark. */
  add(elem: number): void {
    const first = this.#end(MAP.first)
    this.#set(elem, LRU.ref, 0)
    this.#set(elem, LRU.prev, 0)
    this.#set(elem, LRU.next, first)
    if (first !== 0) this.#set(first, LRU.prev, elem)
    else this.#setEnd(MAP.last, elem)
    this.#setEnd(MAP.first, elem)
  }

  remove(elem: number): void {
    const prev = this.#get(elem, LRU.prev)
    const next = this.#get(elem, LRU.next)
    if (prev !== 0) this.#set(prev, LRU.next, next)
    else this.#setEnd(MAP.first, next)
    if (next !== 0) this.#set(next, LRU.prev, prev)
    else this.#setEnd(MAP.last, prev)
  }

  /** The oldest element that nothing used since it was last looked at. Marked ones on the way go to the front, unmarked. */
  victim(): number {
    let elem = this.#end(MAP.last)
    while (this.#get(elem, LRU.ref) !== 0) {
      this.remove(elem)
      this.add(elem)
      elem = this.#end(MAP.last)
    }
    return elem
  }

  #get(elem: number, word: number): number {
    return this.#u32[(elem + this.#offset + word) >> 2]!
  }

  #set(elem: number, word: number, value: number): void {
    this.#u32[(elem + this.#offset + word) >> 2] = value
  }

  #end(word: number): number {
    return this.#u32[(this.#addr + word) >> 2]!
  }

  #setEnd(word: number, value: number): void {
    this.#u32[(this.#addr + word) >> 2] = value
  }
}
