// ringbuf: kernel/bpf/ringbuf.c. Records lie as the kernel lays them (u32 length with two bits,
// u32 distance from the map, data, a multiple of 8). The kernel maps its pages twice so that no record wraps; here the data area is twice
// as long, and a record that begins near the end runs into the second half.
import { KernelError } from '../bytes/errors.js'
import type { Region } from '../mem/space.js'
import { MAP_F, MAP_TYPE } from '../uapi/bpf.js'
import { EAGAIN, EINVAL, ENOTSUPP } from '../uapi/errno.js'
import { MapBase } from './base.js'
import { refuse, type NewMap } from './check.js'
import { copyBytes } from './copy.js'
import { MAP, round8, writeHeader } from './header.js'
import type { MapAttr, MapHost, MapKind, Ring } from './types.js'

const BUSY = 0x80000000
const DISCARD = 0x40000000
const HEAD = 8
const PAGE_SIZE = 4096
const MAX_RECORD = 0x3fffffff

export class RingBuf extends MapBase implements Ring {
  readonly ring: Ring = this
  readonly #mask: number

  constructor(attr: MapAttr, region: Region, host: MapHost) {
    super(attr, region, host)
    this.#mask = attr.maxEntries - 1
  }

  lookup(): number {
    return 0
  }

  update(): number {
    return -ENOTSUPP
  }

  delete(): number {
    return -ENOTSUPP
  }

  override sysLookup(_key: Uint8Array, flags: number): Uint8Array {
    this.checkFlags(flags)
    throw new KernelError(ENOTSUPP)
  }

  override sysUpdate(): void {
    throw new KernelError(ENOTSUPP)
  }

  /** Positions are unsigned and wrap at 2^32; only differences and low bits count. */
  #record(position: number): number {
    return this.addr + MAP.size + (position & this.#mask)
  }

  get #used(): number {
    return (this.word(MAP.producer) - this.word(MAP.consumer)) >>> 0
  }

  reserve(size: number): number {
    if (size >>> 0 > MAX_RECORD) return 0
    const length = round8((size >>> 0) + HEAD)
    if (this.#used + length > this.#mask) return 0
    const position = this.word(MAP.producer)
    const at = this.#record(position)
    this.touch()
    this.mem.u32[at >> 2] = (size | BUSY) >>> 0
    this.mem.u32[(at >> 2) + 1] = at + HEAD - this.addr
    this.setWord(MAP.producer, position + length)
    return at + HEAD
  }

  submit(sample: number, discard: boolean): void {
    const at = (sample - HEAD) >> 2
    this.touch()
    this.mem.u32[at] = ((this.mem.u32[at]! & ~BUSY) | (discard ? DISCARD : 0)) >>> 0
  }

  output(data: number, size: number): number {
    const sample = this.reserve(size)
    if (sample === 0) return -EAGAIN
    copyBytes(this.mem, sample, data, size)
    this.submit(sample, false)
    return 0
  }

  query(what: number): number {
    const answers = [this.#used, this.attr.maxEntries, this.word(MAP.consumer), this.word(MAP.producer)]
    return answers[what] ?? 0
  }

  drain(): Uint8Array[] {
    const samples: Uint8Array[] = []
    while (this.#used > 0) {
      const position = this.word(MAP.consumer)
      const at = this.#record(position)
      const head = this.mem.u32[at >> 2]!
      if (head & BUSY) break
      const size = head & MAX_RECORD
      if (!(head & DISCARD)) samples.push(this.mem.u8.slice(at + HEAD, at + HEAD + size))
      this.touch()
      this.setWord(MAP.consumer, position + round8(size + HEAD))
    }
    return samples
  }
}

function check(attr: NewMap): void {
  const { keySize, valueSize, maxEntries } = attr
  refuse((attr.flags & ~MAP_F.NUMA_NODE) !== 0, EINVAL)
  refuse(keySize !== 0 || valueSize !== 0, EINVAL)
  refuse(maxEntries < PAGE_SIZE || (maxEntries & (maxEntries - 1)) !== 0, EINVAL)
}

export const ringbuf: MapKind = {
  type: MAP_TYPE.RINGBUF,
  name: 'ringbuf',
  check,
  bytes: (attr) => MAP.size + 2 * attr.maxEntries,
  create(attr, region, host) {
    writeHeader(host.mem, region.addr, attr)
    return new RingBuf(attr, region, host)
  },
  open: (attr, region, host) => new RingBuf(attr, region, host),
}
