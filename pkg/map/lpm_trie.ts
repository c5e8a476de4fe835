// lpm_trie: kernel/bpf/lpm_trie.c. Keys are a u32 prefix length and the bits, most significant first.
import type { Region } from '../mem/space.js'
import { MAP_F, MAP_TYPE } from '../uapi/bpf.js'
import { EEXIST, EINVAL, ENOENT, ENOSPC } from '../uapi/errno.js'
import { MapBase } from './base.js'
import { ACCESS, KMALLOC_MAX_SIZE, checkFlags, refuse, type NewMap } from './check.js'
import { copyValue } from './copy.js'
import { MAP, writeHeader } from './header.js'
import { NODE, trieBytes } from './lpm-nodes.js'
import { Trie } from './lpm-tree.js'
import type { MapAttr, MapHost, MapKind } from './types.js'

/** A u32 and 1 to 256 bytes of data. */
const KEY_MIN = 5
const KEY_MAX = 260
/** sizeof(struct lpm_trie_node) + LPM_DATA_SIZE_MAX */
const OVERHEAD = 40 + 256

export class LpmTrie extends MapBase {
  readonly #trie: Trie

  constructor(attr: MapAttr, region: Region, host: MapHost) {
    super(attr, region, host)
    this.#trie = new Trie(host.mem, region.addr, attr)
  }

  /** The value of the longest prefix that holds the key. */
  lookup(key: number): number {
    const trie = this.#trie
    if (trie.length(key) > trie.bits) return 0
    let found = 0
    let node = trie.root
    let match = 0
    while (node !== 0) {
      match = trie.common(node + NODE.key, key, match)
      if (match === trie.bits) {
        found = node
        break
      }
      if (match < trie.length(node + NODE.key)) break
      if (!trie.isBranch(node)) found = node
      node = trie.child(node, trie.bit(key, match))
    }
    if (found === 0 || trie.isBranch(found)) return 0
    this.touch()
    return found + trie.valueOffset
  }

  protected override place(key: number, flags: number): number {
    const trie = this.#trie
    if (flags >>> 0 > 2 || trie.length(key) > trie.bits) return -EINVAL
    const { node, link, match } = trie.descend(key)
    const exact = node !== 0 && match === trie.length(key) && match === trie.length(node + NODE.key)
    const old = exact && !trie.isBranch(node)
    if (old && flags === 1) return -EEXIST
    if (!old && flags === 2) return -ENOENT
    if (!old && trie.count === this.attr.maxEntries) return -ENOSPC
    this.touch()
    return trie.put(key, node, link, match, exact) + trie.valueOffset
  }

  update(key: number, value: number, flags: number): number {
    const at = this.place(key, flags)
    if (at < 0) return at
    copyValue(this.mem, at, value, this.attr.valueSize, this.attr.fields)
    return 0
  }

  delete(key: number): number {
    const trie = this.#trie
    if (trie.length(key) > trie.bits) return -EINVAL
    if (!trie.remove(key)) return -ENOENT
    this.touch()
    return 0
  }

  protected override next(key: number): number {
    const trie = this.#trie
    const at = key === 0 || trie.length(key) > trie.bits ? 0 : trie.exact(key)
    const node = at === 0 ? trie.first(trie.root) : trie.after(at)
    return node === 0 ? 0 : node + NODE.key
  }

  /** Unlike the kernel's order of iteration, nothing may change meanwhile but the value. */
  forEach(callback: (key: number, value: number) => number): number {
    this.touch()
    let count = 0
    for (let node = this.#trie.first(this.#trie.root); node !== 0; node = this.#trie.after(node)) {
      count += 1
      if (callback(node + NODE.key, node + this.#trie.valueOffset) !== 0) break
    }
    return count
  }
}

function check(attr: NewMap): void {
  refuse(attr.maxEntries === 0 || (attr.flags & MAP_F.NO_PREALLOC) === 0, EINVAL)
  checkFlags(attr, ACCESS | MAP_F.NO_PREALLOC | MAP_F.NUMA_NODE)
  refuse(attr.keySize < KEY_MIN || attr.keySize > KEY_MAX, EINVAL)
  refuse(attr.valueSize < 1 || attr.valueSize > KMALLOC_MAX_SIZE - OVERHEAD, EINVAL)
}

export const lpmTrie: MapKind = {
  type: MAP_TYPE.LPM_TRIE,
  name: 'lpm_trie',
  check,
  bytes: (attr) => MAP.size + trieBytes(attr),
  create(attr, region, host) {
    writeHeader(host.mem, region.addr, attr)
    return new LpmTrie(attr, region, host)
  },
  open: (attr, region, host) => new LpmTrie(attr, region, host),
}
