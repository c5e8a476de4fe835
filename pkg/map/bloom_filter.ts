// bloom_filter: kernel/bpf/bloom_filter.c
import type { Region } from '../mem/space.js'
import { MAP_F, MAP_TYPE } from '../uapi/bpf.js'
import { E2BIG, EINVAL, ENOENT, EOPNOTSUPP } from '../uapi/errno.js'
import { MapBase, STAGED_VALUE, answer } from './base.js'
import { ACCESS, KMALLOC_MAX_SIZE, checkFlags, refuse, type NewMap } from './check.js'
import { hashKey } from './hash-function.js'
import { MAP } from './header.js'
import { writeHashHeader } from './hashtab.js'
import type { MapAttr, MapHost, MapKind } from './types.js'

const DEFAULT_HASHES = 5

function hashCount(attr: NewMap): number {
  return (attr.mapExtra & 0xf) || DEFAULT_HASHES
}

/** Bits for the wanted count of values at the best rate of errors: entries * hashes / ln 2, a power of two. */
function bitCount(attr: NewMap): number {
  const wanted = Math.floor((attr.maxEntries * hashCount(attr) * 7) / 5)
  let bits = 64
  while (bits < wanted && bits < 2 ** 32) bits *= 2
  return bits
}

export class BloomFilter extends MapBase {
  readonly #mask: number
  readonly #hashes: number
  readonly #seed: number

  constructor(attr: MapAttr, region: Region, host: MapHost) {
    super(attr, region, host)
    this.#mask = bitCount(attr) - 1
    this.#hashes = hashCount(attr)
    this.#seed = this.word(MAP.seed)
  }

  lookup(): number {
    return 0
  }

  update(): number {
    return -EINVAL
  }

  delete(): number {
    return -EOPNOTSUPP
  }

  /** Address of the byte and the bit in it that hash number `n` of a value names. */
  #bit(value: number, n: number): [at: number, bit: number] {
    const hash = (hashKey(this.mem.u8, value, this.attr.valueSize, this.#seed + n) & this.#mask) >>> 0
    return [this.addr + MAP.size + (hash >>> 3), 1 << (hash & 7)]
  }

  push(value: number, flags: number): number {
    if (flags !== 0) return -EINVAL
    this.touch()
    for (let n = 0; n < this.#hashes; n += 1) {
      const [at, bit] = this.#bit(value, n)
      this.mem.u8[at]! |= bit
    }
    return 0
  }

  peek(value: number): number {
    for (let n = 0; n < this.#hashes; n += 1) {
      const [at, bit] = this.#bit(value, n)
      if ((this.mem.u8[at]! & bit) === 0) return -ENOENT
    }
    return 0
  }

  /** The "key" is the value that is asked for. */
  override sysLookup(value: Uint8Array, flags: number): Uint8Array {
    this.checkRead()
    this.checkFlags(flags)
    answer(this.peek(this.#stage(value)))
    return value
  }

  override sysUpdate(key: Uint8Array, value: Uint8Array, flags: number): void {
    this.checkWrite()
    refuse(key.length !== 0, EINVAL)
    answer(this.push(this.#stage(value), flags))
  }

  #stage(value: Uint8Array): number {
    refuse(value.length !== this.attr.valueSize, EINVAL)
    this.mem.u8.set(value, STAGED_VALUE)
    return STAGED_VALUE
  }

  protected override next(): number {
    return -EOPNOTSUPP
  }
}

function check(attr: NewMap): void {
  refuse(attr.keySize !== 0 || attr.valueSize === 0 || attr.maxEntries === 0, EINVAL)
  checkFlags(attr, ACCESS | MAP_F.NUMA_NODE | MAP_F.ZERO_SEED)
  refuse(attr.mapExtra > 0xf, EINVAL)
  refuse(attr.valueSize > KMALLOC_MAX_SIZE, E2BIG)
}

export const bloomFilter: MapKind = {
  type: MAP_TYPE.BLOOM_FILTER,
  name: 'bloom_filter',
  check,
  bytes: (attr) => MAP.size + bitCount(attr) / 8,
  create(attr, region, host) {
    writeHashHeader(attr, region, host)
    return new BloomFilter(attr, region, host)
  },
  open: (attr, region, host) => new BloomFilter(attr, region, host),
}
