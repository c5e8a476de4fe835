// What both PIFO map types share (RFC of July 2022, kernel/bpf/pifomap.c): creation, the user's view, counters.
import { KernelError } from '../bytes/errors.js'
import type { Region } from '../mem/space.js'
import { MAP_F } from '../uapi/bpf.js'
import { EINVAL, ENOENT, ENOTSUPP, ERANGE, EOVERFLOW } from '../uapi/errno.js'
import { MapBase } from './base.js'
import { refuse, type NewMap } from './check.js'
import { MAP } from './header.js'
import { BELOW, BEYOND, PIFO, PifoBuckets } from './pifo-buckets.js'
import type { MapAttr, MapHost } from './types.js'

const FROM_START = 0xffffffff
const FLAGS = MAP_F.NUMA_NODE | MAP_F.RDONLY | MAP_F.WRONLY

/** pifo_map_init_map; a map of no entries was a division by zero, or always full. */
export function checkPifo(attr: NewMap): void {
  refuse((attr.flags & ~FLAGS) !== 0 || attr.keySize !== 4 || attr.valueSize === 0 || attr.maxEntries === 0, EINVAL)
  refuse(!isPowerOfTwo(attr.mapExtra), EINVAL)
  refuse(attr.btfKeyTypeId !== 0 || attr.btfValueTypeId !== 0, ENOTSUPP)
}

const isPowerOfTwo = (n: number): boolean => n > 0 && n <= 0x80000000 && Number.isInteger(Math.log2(n))

/** Offset of the buckets in the region. */
export const BUCKETS = MAP.size

export abstract class PifoMap extends MapBase {
  protected readonly buckets: PifoBuckets

  constructor(attr: MapAttr, region: Region, host: MapHost) {
    super(attr, region, host)
    this.buckets = new PifoBuckets(host.mem, region.addr + BUCKETS, attr.mapExtra)
  }

  get length(): number {
    return this.word(MAP.count)
  }

  lookup(): number {
    return 0
  }

  update(): number {
    return -EINVAL
  }

  delete(): number {
    return -EINVAL
  }

  /** The place for one more element of that rank, or -errno. */
  protected placeOf(low: number, high: number): number {
    const { buckets } = this
    if (this.length >= this.attr.maxEntries) {
      buckets.count(PIFO.overflow)
      return -EOVERFLOW
    }
    const place = buckets.place(low, high)
    return place === BELOW ? -ERANGE : place
  }

  protected insert(place: number, element: number): void {
    this.touch()
    this.buckets.push(place, element)
    this.buckets.count(PIFO.enqueued)
    this.setWord(MAP.count, this.length + 1)
  }

  /** Bucket of the first element; the window may move to it. -ENOENT: an empty map stays as it is. */
  protected first(): number {
    if (this.length === 0) return -ENOENT
    this.touch()
    return this.buckets.advance()
  }

  protected take(bucket: number): number {
    this.setWord(MAP.count, this.length - 1)
    this.buckets.count(PIFO.dequeued)
    return this.buckets.shift(bucket)
  }

  /** How many elements have the rank: an empty bucket inside of the window has none, which is no error. */
  override sysLookup(key: Uint8Array, flags: number): Uint8Array {
    this.checkRead()
    this.checkFlags(flags)
    const place = this.buckets.findLow(u32(key))
    if (place === BELOW || place === BEYOND) throw new KernelError(ENOENT)
    const value = new Uint8Array(Math.max(4, this.attr.valueSize))
    new DataView(value.buffer).setUint32(0, [...this.buckets.elements(place)].length, true)
    return value.slice(0, this.attr.valueSize)
  }

  override sysUpdate(_key: Uint8Array, _value: Uint8Array, _flags: number): void {
    this.checkWrite()
    throw new KernelError(EINVAL)
  }

  /** The next rank that something has. */
  override sysNextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    this.checkRead()
    const rank = key === undefined ? FROM_START : u32(key)
    const at = rank === FROM_START ? BELOW : this.buckets.findLow(rank)
    const place = at === BEYOND ? -1 : this.buckets.nextPlace(at === BELOW ? 0 : at + 1)
    if (place < 0) return undefined
    const next = new Uint8Array(4)
    new DataView(next.buffer).setUint32(0, this.buckets.rankLow(place), true)
    return next
  }

  /** What came and went, for `bpftool -d map show`. */
  counters(): [name: string, value: number][] {
    const { buckets } = this
    return [
      ['queued', this.length], ['enqueued', buckets.get(PIFO.enqueued)], ['drop_overflow', buckets.get(PIFO.overflow)],
      ['drop_range', buckets.get(PIFO.range)], ['clamped', buckets.get(PIFO.clamped)], ['rotations', buckets.get(PIFO.rotations)],
      ['dequeued', buckets.get(PIFO.dequeued)],
    ]
  }
}

function u32(key: Uint8Array): number {
  if (key.length !== 4) throw new KernelError(EINVAL)
  return new DataView(key.buffer, key.byteOffset).getUint32(0, true)
}
