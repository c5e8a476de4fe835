// array, percpu_array: kernel/bpf/arraymap.c
import { MAP_STAGING } from '../mem/layout.js'
import type { Region } from '../mem/space.js'
import { MAP_F, MAP_TYPE, UPDATE } from '../uapi/bpf.js'
import { E2BIG, EEXIST, EINVAL } from '../uapi/errno.js'
import { badUpdate, percpuSize } from './base.js'
import { ACCESS, PCPU_MIN_UNIT_SIZE, checkFlags, refuse, type NewMap } from './check.js'
import { copyValue } from './copy.js'
import { MAP, round8, writeHeader } from './header.js'
import { IndexedMap } from './indexed.js'
import type { ArrayJit, MapAttr, MapHost, MapKind } from './types.js'

const ARRAY_FLAGS = ACCESS | MAP_F.NUMA_NODE | MAP_F.MMAPABLE | MAP_F.PRESERVE_ELEMS | MAP_F.INNER_MAP

/** array_map_alloc_check, for every kind that is an array inside. */
export function checkArray(attr: NewMap): void {
  const percpu = attr.type === MAP_TYPE.PERCPU_ARRAY
  refuse(attr.maxEntries === 0 || attr.keySize !== 4 || attr.valueSize === 0, EINVAL)
  checkFlags(attr, ARRAY_FLAGS)
  refuse(percpu && (attr.flags & MAP_F.NUMA_NODE) !== 0, EINVAL)
  refuse(attr.type !== MAP_TYPE.ARRAY && (attr.flags & (MAP_F.MMAPABLE | MAP_F.INNER_MAP)) !== 0, EINVAL)
  refuse(attr.type !== MAP_TYPE.PERF_EVENT_ARRAY && (attr.flags & MAP_F.PRESERVE_ELEMS) !== 0, EINVAL)
  refuse(attr.valueSize > 0x7fffffff, E2BIG)
  refuse(percpu && round8(attr.valueSize) > PCPU_MIN_UNIT_SIZE, E2BIG)
}

/** Loops inside loops' callbacks: each has a key of its own. */
let loops = 0

/** Elements in a row, each with every CPU's value when per-CPU. */
export class ArrayMap extends IndexedMap {
  readonly jit: ArrayJit
  readonly #cpuStride: number

  constructor(attr: MapAttr, region: Region, host: MapHost) {
    super(attr, region, host, elementSize(attr, host))
    const percpu = attr.type === MAP_TYPE.PERCPU_ARRAY
    this.#cpuStride = percpu ? round8(attr.valueSize) : 0
    const jit = { kind: 'array', base: this.base, stride: this.stride, maxEntries: attr.maxEntries } as const
    this.jit = percpu ? { ...jit, cpuStride: this.#cpuStride } : jit
  }

  lookup(key: number): number {
    this.touch()
    const value = this.find(key)
    return value === 0 ? 0 : value + this.#cpuStride * this.host.cpu()
  }

  lookupPercpu(key: number, cpu: number): number {
    if (this.#cpuStride === 0) return 0
    const value = this.find(key)
    return value === 0 || cpu >>> 0 >= this.host.cpus ? 0 : value + this.#cpuStride * cpu
  }

  protected override place(key: number, flags: number): number {
    if (badUpdate(flags)) return -EINVAL
    const value = this.find(key)
    if (value === 0) return -E2BIG
    if (flags & UPDATE.NOEXIST) return -EEXIST
    if (flags & UPDATE.F_LOCK && !this.hasLock) return -EINVAL
    if (this.attr.fields && this.#cpuStride === 0) this.host.freeFields?.(value, this.attr.fields)
    return value
  }

  update(key: number, value: number, flags: number): number {
    const at = this.place(key, flags)
    if (at < 0) return at
    this.touch()
    copyValue(this.mem, at + this.#cpuStride * this.host.cpu(), value, this.attr.valueSize, this.attr.fields)
    return 0
  }

  delete(_key: number): number {
    return -EINVAL
  }

  forEach(callback: (key: number, value: number) => number): number {
    this.touch()
    const cpu = this.#cpuStride * this.host.cpu()
    const key = MAP_STAGING + 8 * (loops += 1)
    let index = 0
    for (let stop = 0; index < this.attr.maxEntries && stop === 0; index += 1) {
      this.mem.view.setUint32(key, index, true)
      stop = callback(key, this.base + index * this.stride + cpu)
    }
    loops -= 1
    return index
  }

  protected override get userValueSize(): number {
    return this.#cpuStride > 0 ? percpuSize(this.attr.valueSize, this.host.cpus) : this.attr.valueSize
  }
}

function elementSize(attr: MapAttr, host: MapHost): number {
  return attr.type === MAP_TYPE.PERCPU_ARRAY ? percpuSize(attr.valueSize, host.cpus) : round8(attr.valueSize)
}

function arrayKind(type: number, name: string): MapKind {
  return {
    type,
    name,
    check: checkArray,
    bytes: (attr, host) => MAP.size + elementSize(attr, host) * attr.maxEntries,
    create(attr, region, host) {
      writeHeader(host.mem, region.addr, attr)
      return new ArrayMap(attr, region, host)
    },
    open: (attr, region, host) => new ArrayMap(attr, region, host),
  }
}

export const array = arrayKind(MAP_TYPE.ARRAY, 'array')
export const percpuArray = arrayKind(MAP_TYPE.PERCPU_ARRAY, 'percpu_array')
