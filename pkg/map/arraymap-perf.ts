// perf_event_array: kernel/bpf/arraymap.c (perf_event_fd_array_*), kernel/trace/bpf_trace.c (__bpf_perf_event_output).
// There are no perf events on an emulated machine: a reader is taken to sit on every CPU, and what programs output waits in the map.
import { KernelError } from '../bytes/errors.js'
import type { Region } from '../mem/space.js'
import { MAP_TYPE } from '../uapi/bpf.js'
import { E2BIG, EBADF, EINVAL, ENOENT, ENOSPC, ENOTSUPP } from '../uapi/errno.js'
import { checkFdArray } from './arraymap-fd.js'
import { answer } from './base.js'
import { refuse } from './check.js'
import { copyBytes } from './copy.js'
import { MAP, round8, writeHeader } from './header.js'
import { IndexedMap } from './indexed.js'
import type { MapAttr, MapHost, MapKind, PerfRecord, PerfRings } from './types.js'

/** Bytes of records a CPU may have waiting. */
const RING_SIZE = 64 << 10
/** Record: u32 bytes with this head, u32 data length, u64 time, data. Ring: u32 used, u32 lost, records. */
const HEAD = 16
const RING_HEAD = 16

export class PerfEventArray extends IndexedMap implements PerfRings {
  readonly perf: PerfRings = this

  constructor(attr: MapAttr, region: Region, host: MapHost) {
    super(attr, region, host, 0)
  }

  lookup(): number {
    return 0
  }

  update(): number {
    return -EINVAL
  }

  delete(key: number): number {
    return this.find(key) === 0 ? -E2BIG : -ENOENT
  }

  override sysLookup(_key: Uint8Array, flags: number): Uint8Array {
    this.checkRead()
    this.checkFlags(flags)
    throw new KernelError(ENOTSUPP)
  }

  override sysUpdate(key: Uint8Array, _value: Uint8Array, flags: number): void {
    this.checkWrite()
    refuse(flags !== 0, EINVAL)
    refuse(this.find(this.stageKey(key)) === 0, E2BIG)
    throw new KernelError(EBADF)
  }

  override sysDelete(key: Uint8Array): void {
    this.checkWrite()
    answer(this.delete(this.stageKey(key)))
  }

  #ring(cpu: number): number {
    return this.base + cpu * (RING_HEAD + RING_SIZE)
  }

  get #rings(): number {
    return ringCount(this.attr, this.host)
  }

  output(cpu: number, time: bigint, pieces: readonly (readonly [number, number])[]): number {
    if (cpu >= this.attr.maxEntries) return -E2BIG
    if (cpu >= this.#rings) return -ENOENT
    const ring = this.#ring(cpu)
    const length = pieces.reduce((sum, [, size]) => sum + size, 0)
    const size = round8(HEAD + length)
    const used = this.mem.u32[ring >> 2]!
    this.touch()
    if (used + size > RING_SIZE) {
      this.mem.u32[(ring >> 2) + 1]! += 1
      return -ENOSPC
    }
    this.#write(ring + RING_HEAD + used, size, length, time, pieces)
    this.mem.u32[ring >> 2] = used + size
    return 0
  }

  #write(at: number, size: number, length: number, time: bigint, pieces: readonly (readonly [number, number])[]): void {
    this.mem.u32[at >> 2] = size
    this.mem.u32[(at >> 2) + 1] = length
    this.mem.view.setBigUint64(at + 8, time, true)
    let to = at + HEAD
    for (const [from, bytes] of pieces) {
      copyBytes(this.mem, to, from, bytes)
      to += bytes
    }
  }

  drain(): { records: PerfRecord[]; lost: number } {
    const records: PerfRecord[] = []
    let lost = 0
    for (let cpu = 0; cpu < this.#rings; cpu += 1) {
      const ring = this.#ring(cpu)
      records.push(...this.#records(ring, cpu))
      lost += this.mem.u32[(ring >> 2) + 1]!
      this.mem.u8.fill(0, ring, ring + RING_HEAD + RING_SIZE)
    }
    this.touch()
    return { records: records.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)), lost }
  }

  *#records(ring: number, cpu: number): Generator<PerfRecord> {
    const end = ring + RING_HEAD + this.mem.u32[ring >> 2]!
    for (let at = ring + RING_HEAD; at < end; at += this.mem.u32[at >> 2]!) {
      const data = this.mem.u8.slice(at + HEAD, at + HEAD + this.mem.u32[(at >> 2) + 1]!)
      yield { cpu, time: this.mem.view.getBigUint64(at + 8, true), data }
    }
  }
}

function ringCount(attr: MapAttr, host: MapHost): number {
  return Math.min(attr.maxEntries, host.cpus)
}

export const perfEventArray: MapKind = {
  type: MAP_TYPE.PERF_EVENT_ARRAY,
  name: 'perf_event_array',
  check: checkFdArray,
  bytes: (attr, host) => MAP.size + (RING_HEAD + RING_SIZE) * ringCount(attr, host),
  create(attr, region, host) {
    writeHeader(host.mem, region.addr, attr)
    return new PerfEventArray(attr, region, host)
  },
  open: (attr, region, host) => new PerfEventArray(attr, region, host),
}
