// The nodes of an LPM trie in memory: what they hold, and where free ones come from.
import type { Memory } from '../mem/memory.js'
import { copyBytes } from './copy.js'
import { MAP, round8 } from './header.js'
import type { MapAttr } from './types.js'

/** Words of a node; key and value follow. A free node is linked through `left`. */
export const NODE = { left: 0, right: 4, branch: 8, parent: 12, key: 16 } as const

/** Bytes of one node, a multiple of 8. */
export function nodeBytes(attr: MapAttr): number {
  return NODE.key + round8(attr.keySize) + round8(attr.valueSize)
}

/** n values need at most n - 1 branches. */
export function trieBytes(attr: MapAttr): number {
  return nodeBytes(attr) * (2 * attr.maxEntries - 1)
}

/** Access to nodes and keys by address. */
export class Nodes {
  /** Longest prefix. */
  readonly bits: number
  readonly valueOffset: number
  protected readonly mem: Memory
  protected readonly addr: number
  protected readonly attr: MapAttr

  constructor(mem: Memory, addr: number, attr: MapAttr) {
    this.bits = (attr.keySize - 4) * 8
    this.valueOffset = NODE.key + round8(attr.keySize)
    this.mem = mem
    this.addr = addr
    this.attr = attr
  }

  get count(): number {
    return this.get(this.addr + MAP.count)
  }

  get root(): number {
    return this.get(this.addr + MAP.first)
  }

  isBranch(node: number): boolean {
    return this.get(node + NODE.branch) !== 0
  }

  child(node: number, bit: number): number {
    return this.get(node + 4 * bit)
  }

  /** Prefix length of a key. */
  length(key: number): number {
    return this.mem.view.getUint32(key, true)
  }

  bit(key: number, at: number): number {
    return (this.mem.u8[key + 4 + (at >> 3)]! >> (7 - (at & 7))) & 1
  }

  /** Count of leading bits that two keys share, at most the shorter one's length. `known`: so many are known to be the same. */
  common(a: number, b: number, known: number): number {
    const { u8 } = this.mem
    const limit = Math.min(this.length(a), this.length(b))
    for (let at = known & ~7; at < limit; at += 8) {
      const differ = u8[a + 4 + (at >> 3)]! ^ u8[b + 4 + (at >> 3)]!
      if (differ !== 0) return Math.min(limit, at + Math.clz32(differ) - 24)
    }
    return limit
  }

  protected take(key: number): number {
    const free = this.get(this.addr + MAP.free)
    const size = nodeBytes(this.attr)
    let node = free
    if (free !== 0) {
      this.set(this.addr + MAP.free, this.child(free, 0))
    } else {
      const fresh = this.get(this.addr + MAP.fresh)
      this.set(this.addr + MAP.fresh, fresh + 1)
      node = this.addr + MAP.size + fresh * size
    }
    this.mem.u8.fill(0, node, node + size)
    copyBytes(this.mem, node + NODE.key, key, this.attr.keySize)
    return node
  }

  protected release(node: number): void {
    this.set(node, this.get(this.addr + MAP.free))
    this.set(this.addr + MAP.free, node)
  }

  protected get(at: number): number {
    return this.mem.u32[at >> 2]!
  }

  protected set(at: number, value: number): void {
    this.mem.u32[at >> 2] = value
  }
}
