// A binary trie with compressed paths over lpm-nodes.ts, where a node without a value only branches. kernel/bpf/lpm_trie.c
import { copyBytes } from './copy.js'
import { MAP } from './header.js'
import { NODE, Nodes, nodeBytes } from './lpm-nodes.js'

/** What a trie does with keys; values are the map's. */
export class Trie extends Nodes {
  /** The node where a key is, or under which it would hang: the address of the link to it, and how many bits match. */
  descend(key: number): { node: number; link: number; match: number } {
    let link = this.addr + MAP.first
    let node = this.get(link)
    let match = 0
    while (node !== 0) {
      match = this.common(node + NODE.key, key, match)
      const length = this.length(node + NODE.key)
      if (match !== length || length === this.length(key) || length === this.bits) break
      link = node + 4 * this.bit(key, length)
      node = this.get(link)
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
    const fresh = this.take(key)
    this.set(this.addr + MAP.count, this.count + 1)
    if (node === 0) this.#link(link, fresh, this.#owner(link))
    else if (match === this.length(key)) this.#above(fresh, node, link)
    else this.#fork(fresh, node, link, match)
    return fresh
  }

  #refill(key: number, node: number): number {
    if (this.isBranch(node)) {
      this.set(node + NODE.branch, 0)
      this.set(this.addr + MAP.count, this.count + 1)
    }
    copyBytes(this.mem, node + NODE.key, key, this.attr.keySize)
    return node
  }

  /** `fresh` is a prefix of `node`. */
  #above(fresh: number, node: number, link: number): void {
    this.#link(link, fresh, this.#owner(link))
    this.#link(fresh + 4 * this.bit(node + NODE.key, this.length(fresh + NODE.key)), node, fresh)
  }

  /** They part after `match` bits: a branch above both. */
  #fork(fresh: number, node: number, link: number, match: number): void {
    const branch = this.take(fresh + NODE.key)
    this.mem.view.setUint32(branch + NODE.key, match, true)
    this.set(branch + NODE.branch, 1)
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
    this.set(this.addr + MAP.count, this.count - 1)
    if (left !== 0 && right !== 0) this.set(node + NODE.branch, 1)
    else if (left !== 0 || right !== 0) this.#replace(link, node, left === 0 ? right : left)
    else this.#prune(link, node)
    return true
  }

  #replace(link: number, node: number, by: number): void {
    this.#link(link, by, this.#owner(link))
    this.release(node)
  }

  /** A leaf goes, and with it a branch that has one side left. */
  #prune(link: number, node: number): void {
    const parent = this.#owner(link)
    this.set(link, 0)
    this.release(node)
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
      const parent = this.get(at + NODE.parent)
      if (parent === 0) return 0
      const right = this.child(parent, 1)
      if (right !== 0 && right !== at) return this.first(right)
      if (!this.isBranch(parent)) return parent
      at = parent
    }
  }

  /** The node that a link belongs to, 0: it is the root's. */
  #owner(link: number): number {
    const root = this.addr + MAP.first
    if (link === root) return 0
    const first = this.addr + MAP.size
    return link - ((link - first) % nodeBytes(this.attr))
  }

  #linkTo(node: number): number {
    const parent = this.get(node + NODE.parent)
    if (parent === 0) return this.addr + MAP.first
    return this.child(parent, 0) === node ? parent : parent + 4
  }

  #link(link: number, node: number, parent: number): void {
    this.set(link, node)
    this.set(node + NODE.parent, parent)
  }
}
