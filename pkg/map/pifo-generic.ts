// pifo_generic: plain values, pushed with a rank and popped in the order of their ranks (RFC of July 2022, kernel/bpf/pifomap.c).
import type { Region } from '../mem/space.js'
import { E2BIG, EINVAL } from '../uapi/errno.js'
import { RFC_MAP_TYPE } from '../uapi/rfc.js'
import { kernelError } from './base.js'
import { refuse, type NewMap } from './check.js'
import { copyBytes } from './copy.js'
import { MAP, round8, writeHeader } from './header.js'
import { bucketBytes } from './pifo-buckets.js'
import { BUCKETS, checkPifo, PifoMap } from './pifo-map.js'
import type { MapAttr, MapHost, MapKind } from './types.js'

/** Of an element: link, then the value. */
const VALUE = 8
/** BPF_PIFO_PRIO_MASK's upper half: the rank has 60 bits. */
const RANK_HIGH = 0x0fffffff

const stride = (attr: MapAttr): number => VALUE + round8(attr.valueSize)
const elementsAt = (attr: MapAttr): number => BUCKETS + round8(bucketBytes(attr.mapExtra))

export class PifoGeneric extends PifoMap {
  /** Ranks need the whole of the flags of push. */
  readonly ranked = true
  readonly #elements: number

  constructor(attr: MapAttr, region: Region, host: MapHost) {
    super(attr, region, host)
    this.#elements = region.addr + elementsAt(attr)
  }

  push(value: number, flags: number, flagsHigh = 0): number {
    const at = this.#add(flags, flagsHigh)
    if (at < 0) return at
    copyBytes(this.mem, at, value, this.attr.valueSize)
    return 0
  }

  /** Where the value of a new element of that rank goes, or -errno. */
  #add(low: number, high: number): number {
    if (high >>> 0 > RANK_HIGH) return -EINVAL
    const place = this.placeOf(low >>> 0, high)
    if (place < 0) return place
    const element = this.#element()
    this.insert(place, element)
    return element + VALUE
  }

  /** A free element, or one that was never used. */
  #element(): number {
    const free = this.word(MAP.free)
    if (free !== 0) {
      this.setWord(MAP.free, this.mem.u32[free >> 2]!)
      return free
    }
    const index = this.word(MAP.fresh)
    this.setWord(MAP.fresh, index + 1)
    return this.#elements + index * stride(this.attr)
  }

  pop(value: number): number {
    const at = this.#remove()
    if (at < 0) return at
    copyBytes(this.mem, value, at, this.attr.valueSize)
    return 0
  }

  /** The value of the element that leaves, or -errno: its bytes are good until the next push. */
  #remove(): number {
    const bucket = this.first()
    if (bucket < 0) return bucket
    const element = this.take(bucket)
    this.mem.u32[element >> 2] = this.word(MAP.free)
    this.setWord(MAP.free, element)
    return element + VALUE
  }

  /** The verifier lets it through, the map has none. */
  peek(): number {
    return -EINVAL
  }

  /** Without a key: push, with the rank as flags. */
  override sysUpdate(key: Uint8Array, value: Uint8Array, flags: number): void {
    if (key.length > 0) return super.sysUpdate(key, value, flags)
    this.checkWrite()
    refuse(value.length !== this.attr.valueSize, EINVAL)
    const at = this.#add(flags, Math.floor(flags / 0x100000000))
    if (at < 0) throw kernelError(at)
    this.mem.u8.set(value, at)
  }

  /** Without a key: pop. */
  override sysLookupAndDelete(key: Uint8Array, flags: number): Uint8Array {
    this.checkTake(flags)
    refuse(key.length > 0 || flags !== 0, EINVAL)
    const at = this.#remove()
    if (at < 0) throw kernelError(at)
    return this.mem.u8.slice(at, at + this.attr.valueSize)
  }
}

function check(attr: NewMap): void {
  checkPifo(attr)
  refuse(attr.valueSize + VALUE > Math.floor(0xffffffff / attr.maxEntries), E2BIG)
}

export const pifoGeneric: MapKind = {
  type: RFC_MAP_TYPE.PIFO_GENERIC,
  name: 'pifo_generic',
  check,
  bytes: (attr) => elementsAt(attr) + stride(attr) * attr.maxEntries,
  create(attr, region, host) {
    writeHeader(host.mem, region.addr, attr)
    return new PifoGeneric(attr, region, host)
  },
  open: (attr, region, host) => new PifoGeneric(attr, region, host),
}
