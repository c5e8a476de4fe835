// Objects that programs allocate (bpf_obj_new): memory that persists at fixed addresses, since pointers to objects lie in maps and in
// other objects. kernel/bpf/memalloc.c, kernel/bpf/helpers.c (bpf_obj_free_fields).
import type { Memory } from '../mem/memory.js'
import type { Region } from '../mem/space.js'
import type { ValueField } from './types.js'

/** In front of every object. */
const HEADER = { btf: 0, type: 4, refs: 8, kind: 12, size: 16 } as const
/** In the first region: how much of memory is cut up, and a list of free pieces a size. */
const HEAP = { chunks: 0, top: 4, end: 8, live: 12, free: 16 } as const
const CHUNK = 256 * 1024
/** Sizes are powers of two from 32 bytes. */
const FIRST_SHIFT = 5
const KINDS = 13

/** struct bpf_list_node_kern: list_head, owner; the owner's high half holds where the node lies in its object. */
export const NODE = { next: 0, prev: 8, owner: 16, offset: 20 } as const

export interface HeapHost {
  readonly mem: Memory
  exists(name: string): boolean
  /** The region of that name, made when it is not there. */
  region(name: string, size: number): Region
  /** Parts of a type that the kernel owns. */
  fields(btfId: number, typeId: number): readonly ValueField[]
  /** The end of a frame that an object or value held. */
  freeSkb(skb: number): void
  isSkb(address: number): boolean
}

export class ObjectHeap {
  readonly #host: HeapHost
  readonly #regions: Region[] = []
  readonly #u32: Uint32Array
  #root = 0
  #lastBtf = 0
  #lastType = 0
  #lastFields: readonly ValueField[] = []

  constructor(host: HeapHost) {
    this.#host = host
    this.#u32 = host.mem.u32
  }

  /** Brings the objects of earlier processes into memory. */
  open(): void {
    if (this.#root !== 0 || !this.#host.exists('obj')) return
    this.#start()
    for (let n = 0; n < this.#word(this.#root + HEAP.chunks); n += 1) this.#regions.push(this.#host.region(`obj.${n}`, CHUNK))
  }

  /** Programs have run. */
  touch(): void {
    for (const region of this.#regions) region.touched = true
  }

  #start(): void {
    const region = this.#host.region('obj', HEAP.free + 4 * KINDS)
    this.#regions.push(region)
    this.#root = region.addr
  }

  #word(at: number): number {
    return this.#u32[at >> 2]!
  }

  #set(at: number, value: number): void {
    this.#u32[at >> 2] = value
  }

  /** A zeroed object with one reference; 0: no memory. */
  alloc(size: number, btfId: number, typeId: number): number {
    this.open()
    if (this.#root === 0) this.#start()
    const kind = Math.max(0, 32 - Math.clz32(size + HEADER.size - 1) - FIRST_SHIFT)
    if (kind >= KINDS) return 0
    const at = this.#take(kind)
    const u32 = this.#u32
    // Word by word: fill() on shared memory takes five times as long for so few bytes.
    for (let word = at >> 2, end = (at + (1 << (kind + FIRST_SHIFT))) >> 2; word < end; word += 1) u32[word] = 0
    this.#set(at + HEADER.btf, btfId)
    this.#set(at + HEADER.type, typeId)
    this.#set(at + HEADER.refs, 1)
    this.#set(at + HEADER.kind, kind)
    this.#set(this.#root + HEAP.live, this.live + 1)
    return at + HEADER.size
  }

  #take(kind: number): number {
    const list = this.#root + HEAP.free + 4 * kind
    const free = this.#word(list)
    if (free !== 0) {
      this.#set(list, this.#word(free))
      return free
    }
    const size = 1 << (kind + FIRST_SHIFT)
    if (this.#word(this.#root + HEAP.top) + size > this.#word(this.#root + HEAP.end)) this.#grow()
    const at = this.#word(this.#root + HEAP.top)
    this.#set(this.#root + HEAP.top, at + size)
    return at
  }

  #grow(): void {
    const n = this.#word(this.#root + HEAP.chunks)
    const region = this.#host.region(`obj.${n}`, CHUNK)
    this.#regions.push(region)
    this.#set(this.#root + HEAP.chunks, n + 1)
    this.#set(this.#root + HEAP.top, region.addr)
    this.#set(this.#root + HEAP.end, region.addr + CHUNK)
  }

  /** Objects that are alive. */
  get live(): number {
    return this.#root === 0 ? 0 : this.#word(this.#root + HEAP.live)
  }

  acquire(object: number): number {
    this.#set(object - HEADER.size + HEADER.refs, this.#word(object - HEADER.size + HEADER.refs) + 1)
    return object
  }

  /** __bpf_obj_drop_impl: with the last reference goes what the object owns, and the object. */
  drop(object: number): void {
    const at = object - HEADER.size
    const refs = this.#word(at + HEADER.refs) - 1
    this.#set(at + HEADER.refs, refs)
    if (refs > 0) return
    this.freeFields(object, this.#fieldsOf(this.#word(at + HEADER.btf), this.#word(at + HEADER.type)))
    const list = this.#root + HEAP.free + 4 * this.#word(at + HEADER.kind)
    this.#set(at, this.#word(list))
    this.#set(list, at)
    this.#set(this.#root + HEAP.live, this.live - 1)
  }

  /** Mostly the fields of the type that was asked for last. */
  #fieldsOf(btfId: number, typeId: number): readonly ValueField[] {
    if (btfId !== this.#lastBtf || typeId !== this.#lastType) {
      this.#lastFields = this.#host.fields(btfId, typeId)
      this.#lastBtf = btfId
      this.#lastType = typeId
    }
    return this.#lastFields
  }

  /** bpf_obj_free_fields: what a value or object owns. */
  freeFields(value: number, fields: readonly ValueField[]): void {
    this.open()
    for (let i = 0; i < fields.length; i += 1) {
      const { kind, offset } = fields[i]!
      if (kind === 'kptr') this.#freePointer(value + offset)
      else if (kind === 'list_head') this.#freeList(value + offset)
    }
  }

  #freeList(head: number): void {
    for (let node = this.pop(head, false); node !== 0; node = this.pop(head, false)) this.dropNode(node)
  }

  #freePointer(at: number): void {
    const pointer = this.#word(at)
    this.#set(at, 0)
    if (pointer === 0) return
    if (this.#host.isSkb(pointer)) this.#host.freeSkb(pointer)
    else this.drop(pointer)
  }

  dropNode(node: number): void {
    this.drop(node - this.#word(node + NODE.offset))
  }

  /** __bpf_list_add: a node that is in a list already belongs there; its object is dropped. */
  push(head: number, node: number, offset: number, back: boolean): number {
    this.#begin(head)
    if (this.#word(node + NODE.owner) !== 0) {
      this.drop(node - offset)
      return -EINVAL
    }
    const before = back ? this.#word(head + NODE.prev) : head
    const after = this.#word(before + NODE.next)
    this.#set(node + NODE.next, after)
    this.#set(node + NODE.prev, before)
    this.#set(before + NODE.next, node)
    this.#set(after + NODE.prev, node)
    this.#set(node + NODE.owner, head)
    this.#set(node + NODE.offset, offset)
    return 0
  }

  /** A zeroed head is an empty list. */
  #begin(head: number): void {
    if (this.#word(head + NODE.next) !== 0) return
    this.#set(head + NODE.next, head)
    this.#set(head + NODE.prev, head)
  }

  /** __bpf_list_del: the node at one end, 0: there is none. */
  pop(head: number, back: boolean): number {
    this.#begin(head)
    const node = this.#word(head + (back ? NODE.prev : NODE.next))
    if (node === head) return 0
    const [prev, next] = [this.#word(node + NODE.prev), this.#word(node + NODE.next)]
    this.#set(prev + NODE.next, next)
    this.#set(next + NODE.prev, prev)
    this.#set(node + NODE.next, node)
    this.#set(node + NODE.prev, node)
    this.#set(node + NODE.owner, 0)
    return node
  }

  /** The node at one end, which stays. */
  peek(head: number, back: boolean): number {
    this.#begin(head)
    const node = this.#word(head + (back ? NODE.prev : NODE.next))
    return node === head ? 0 : node
  }
}

const EINVAL = 22
