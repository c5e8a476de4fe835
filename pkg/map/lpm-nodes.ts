// The nodes of an LPM trie in memory: a binary trie with compressed paths, where a node without a value only branches.
import type { Memory } from '../mem/memory.js'
import { copyBytes } from './copy.js'
import { MAP, round8 } from './header.js'
import type { MapAttr } from './types.js'

/** Words of a node; key and value follow. A free node is linked through `left`. */
export const NODE = { left: 0, right: 4, branch: 8, parent: 12, key: 16 } as const

function nodeBytes(attr: MapAttr): number {
  return NODE.key + round8(attr.keySize) + round8(attr.valueSize)
}

/** n values need at most n - 1 branches. */
export function trieBytes(attr: MapAttr): number {
  return nodeBytes(attr) * (2 * attr.maxEntries - 1)
}

export class Trie {
  /** Longest prefix. */
  readonly bits: number
  readonly valueOffset: number
  readonly #mem: Memory
  readonly #addr: number
  readonly #attr: MapAttr

  constructor(mem: Memory, addr: number, attr: MapAttr) {
    this.bits = (attr.keySize - 4) * 8
    this.valueOffset = NODE.key + round8(attr.keySize)
    this.#mem = mem
    this.#addr = addr
    this.#attr = attr
  }

  get count(): number {
    return this.#get(this.#addr + MAP.count)
  }

  get root(): number {
    return this.#get(this.#addr + MAP.first)
  }

  isBranch(node: number): boolean {
    return this.#get(node + NODE.branch) !== 0
  }

  child(node: number, bit: number): number {
    return this.#get(node + 4 * bit)
  }

  /** Prefix length of a key. */
  length(key: number): number {
    return this.#mem.view.getUint32(key, true)
  }

  bit(key: number, at: number): number {
    return (this.#mem.u8[key + 4 + (at >> 3)]! >> (7 - (at & 7))) & 1
  }

  /** Count of leading bits that two keys share, at most the shorter one's length. `known`: so many are known to be the same. */
  common(a: number, b: number, known: number): number {
    const { u8 } = this.#mem
    const limit = Math.min(this.length(a), this.length(b))
    for (let at = known & ~7; at < limit; at += 8) {
      const differ = u8[a + 4 + (at >> 3)]! ^ u8[b + 4 + (at >> 3)]!
      if (differ !== 0) return Math.min(limit, at + Math.clz32(differ) - 24)
    }
    return limit
  }

  /** The node where a key is, or under which it would hang: the address of the link to it, and how many bits match. */
  descend(key: number): { node: number; link: number; match: number } {
    let link = this.#addr + MAP.first
    let node = this.#get(link)
    let match = 0
    while (node !== 0) {
      match = this.common(node + NODE.key, key, match)
      const length = this.length(node + NODE.key)
      if (match !== length || length === this.length(key) || length === this.bits) break
      link = node + 4 * this.bit(key, length)
      node = this.#get(link)
    }
    return { node, link, match }
  }

  /** The node of exactly that prefix with a value, 0: none. */
  exact(key: number): number {
    const { node, match } = this.descend(key)
    const same = node !== 0 && match === this.length(key) && match === this.length(node + NODE.key)
    return same && !this.isBranch(node) ? node : 0
  }

  /** Puts a key where descend stopped; the node that has it now. A new node's value is zero. */
  put(key: number, node: number, link: number, match: number, exact: boolean): number {
    if (exact) return this.#refill(key, node)
    const fresh = this.#take(key)
    this.#set(this.#addr + MAP.count, this.count + 1)
    if (node === 0) this.#link(link, fresh, this.#owner(link))
    else if (match === this.length(key)) this.#above(fresh, node, link)
    else this.#fork(fresh, node, link, match)
    return fresh
  }

  #refill(key: number, node: number): number {
    if (this.isBranch(node)) {
      this.#set(node + NODE.branch, 0)
      this.#set(this.#addr + MAP.count, this.count + 1)
    }
    copyBytes(this.#mem, node + NODE.key, key, this.#attr.keySize)
    return node
  }

  /** `fresh` is a prefix of `node`. */
  #above(fresh: number, node: number, link: number): void {
    this.#link(link, fresh, this.#owner(link))
    this.#link(fresh + 4 * this.bit(node + NODE.key, this.length(fresh + NODE.key)), node, fresh)
  }

  /** They part after `match` bits: a branch above both. */
  #fork(fresh: number, node: number, link: number, match: number): void {
    const branch = this.#take(fresh + NODE.key)
    this.#mem.view.setUint32(branch + NODE.key, match, true)
    this.#set(branch + NODE.branch, 1)
    this.#link(link, branch, this.#owner(link))
    const side = this.bit(fresh + NODE.key, match)
    this.#link(branch + 4 * side, fresh, branch)
    this.#link(branch + 4 * (1 - side), node, branch)
  }

  /** Takes a key out; false when it is not there. */
  remove(key: number): boolean {
    const { node, link } = this.descend(key)
    if (node === 0 || node !== this.exact(key)) return false
    const left = this.child(node, 0)
    const right = this.child(node, 1)
    this.#set(this.#addr + MAP.count, this.count - 1)
    if (left !== 0 && right !== 0) this.#set(node + NODE.branch, 1)
    else if (left !== 0 || right !== 0) this.#replace(link, node, left === 0 ? right : left)
    else this.#prune(link, node)
    return true
  }

  #replace(link: number, node: number, by: number): void {
    this.#link(link, by, this.#owner(link))
    this.#free(node)
  }

  /** A leaf goes, and with it a branch that has one side left. */
  #prune(link: number, node: number): void {
    const parent = this.#owner(link)
    this.#set(link, 0)
    this.#free(node)
    if (parent === 0 || !this.isBranch(parent)) return
    const sibling = this.child(parent, 0) === 0 ? this.child(parent, 1) : this.child(parent, 0)
    this.#replace(this.#linkTo(parent), parent, sibling)
  }

  /** First node with a value below `node` in postorder, children before parents. */
  first(node: number): number {
    if (node === 0) return 0
    let at = node
    for (let next = this.#side(at); next !== 0; next = this.#side(at)) at = next
    return at
  }

  /** Left child, or the right one where there is no left. */
  #side(node: number): number {
    const left = this.child(node, 0)
    return left === 0 ? this.child(node, 1) : left
  }

  /** The node with a value after `node` in postorder. */
  after(node: number): number {
    let at = node
    for (;;) {
      const parent = this.#get(at + NODE.parent)
      if (parent === 0) return 0
      const right = this.child(parent, 1)
      if (right !== 0 && right !== at) return this.first(right)
      if (!this.isBranch(parent)) return parent
      at = parent
    }
  }

  /** The node that a link belongs to, 0: it is the root's. */
  #owner(link: number): number {
    const root = this.#addr + MAP.first
    if (link === root) return 0
    const first = this.#addr + MAP.size
    return link - ((link - first) % nodeBytes(this.#attr))
  }

  #linkTo(node: number): number {
    const parent = this.#get(node + NODE.parent)
    if (parent === 0) return this.#addr + MAP.first
    return this.child(parent, 0) === node ? parent : parent + 4
  }

  #link(link: number, node: number, parent: number): void {
    this.#set(link, node)
    this.#set(node + NODE.parent, parent)
  }

  #take(key: number): number {
    const free = this.#get(this.#addr + MAP.free)
    const size = nodeBytes(this.#attr)
    let node = free
    if (free !== 0) {
      this.#set(this.#addr + MAP.free, this.child(free, 0))
    } else {
      const fresh = this.#get(this.#addr + MAP.fresh)
      this.#set(this.#addr + MAP.fresh, fresh + 1)
      node = this.#addr + MAP.size + fresh * size
    }
    this.#mem.u8.fill(0, node, node + size)
    copyBytes(this.#mem, node + NODE.key, key, this.#attr.keySize)
    return node
  }

  #free(node: number): void {
    this.#set(node, this.#get(this.#addr + MAP.free))
    this.#set(this.#addr + MAP.free, node)
  }

  #get(at: number): number {
    return this.#mem.u32[at >> 2]!
  }

  #set(at: number, value: number): void {
    this.#mem.u32[at >> 2] = value
  }
}
