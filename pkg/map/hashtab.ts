// hash, percpu_hash, lru_hash, lru_percpu_hash: kernel/bpf/hashtab.c
import { KernelError } from '../bytes/errors.js'
import type { Region } from '../mem/space.js'
import { MAP_F, MAP_TYPE, UPDATE } from '../uapi/bpf.js'
import { E2BIG, EEXIST, EINVAL, ENOENT, ENOTSUPP } from '../uapi/errno.js'
import { MapBase, badUpdate, percpuSize } from './base.js'
import { LRU, LruList } from './bpf_lru_list.js'
import { ACCESS, KMALLOC_MAX_SIZE, PCPU_MIN_UNIT_SIZE, checkFlags, refuse, type NewMap } from './check.js'
import { clearFields, copyValue } from './copy.js'
import { ELEM, HashTable, tableBytes, type TableShape } from './hash-table.js'
import { MAP, round8, writeHeader } from './header.js'
import type { HashJit, MapAttr, MapHost, MapKind } from './types.js'

const HASH_FLAGS = ACCESS | MAP_F.NO_PREALLOC | MAP_F.NO_COMMON_LRU | MAP_F.NUMA_NODE | MAP_F.ZERO_SEED
/** sizeof(struct htab_elem) */
const HTAB_ELEM = 48

function isPercpu(type: number): boolean {
  return type === MAP_TYPE.PERCPU_HASH || type === MAP_TYPE.LRU_PERCPU_HASH
}

function isLru(type: number): boolean {
  return type === MAP_TYPE.LRU_HASH || type === MAP_TYPE.LRU_PERCPU_HASH
}

/** htab_map_alloc_check, for hash_of_maps too. */
export function checkHash(attr: NewMap): void {
  const { flags, keySize, valueSize, maxEntries, type } = attr
  const noCommon = (flags & MAP_F.NO_COMMON_LRU) !== 0
  checkFlags(attr, HASH_FLAGS)
  refuse(noCommon && !isLru(type), EINVAL)
  refuse(isLru(type) && (flags & MAP_F.NO_PREALLOC) !== 0, ENOTSUPP)
  refuse((flags & MAP_F.NUMA_NODE) !== 0 && (isPercpu(type) || noCommon), EINVAL)
  refuse(maxEntries === 0 || keySize === 0 || valueSize === 0, EINVAL)
  refuse(maxEntries > 2 ** 31, E2BIG)
  refuse(keySize + valueSize >= KMALLOC_MAX_SIZE - HTAB_ELEM, E2BIG)
  refuse(isPercpu(type) && round8(valueSize) > PCPU_MIN_UNIT_SIZE, E2BIG)
}

function shape(attr: MapAttr, host: MapHost): TableShape {
  const { keySize, valueSize, maxEntries, type } = attr
  const valueBytes = isPercpu(type) ? percpuSize(valueSize, host.cpus) : round8(valueSize)
  return { keySize, valueBytes, maxEntries, extra: isLru(type) ? LRU.size : 0 }
}

/** A hash table whose values are bytes; with an LRU list it never fills up. */
export class HashMap extends MapBase {
  readonly jit: HashJit
  protected readonly table: HashTable
  readonly #lru: LruList | undefined
  readonly #value: number
  readonly #cpuStride: number

  constructor(attr: MapAttr, region: Region, host: MapHost) {
    super(attr, region, host)
    const percpu = isPercpu(attr.type)
    this.table = new HashTable(host.mem, region.addr, shape(attr, host))
    this.#lru = isLru(attr.type) ? new LruList(host.mem, region.addr, this.table.extraOffset) : undefined
    this.#value = this.table.jit.valueOffset
    this.#cpuStride = percpu ? round8(attr.valueSize) : 0
    this.jit = {
      ...this.table.jit, ...(percpu && { cpuStride: this.#cpuStride }), ...(this.#lru && { refOffset: this.table.extraOffset + LRU.ref }),
    }
  }

  protected override find(key: number): number {
    const elem = this.table.find(key)
    return elem === 0 ? 0 : elem + this.#value
  }

  lookup(key: number): number {
    return this.#lookup(key, this.host.cpu())
  }

  lookupPercpu(key: number, cpu: number): number {
    return this.#cpuStride === 0 || cpu >>> 0 >= this.host.cpus ? 0 : this.#lookup(key, cpu)
  }

  #lookup(key: number, cpu: number): number {
    const elem = this.table.find(key)
    if (elem === 0) return 0
    this.touch()
    this.#lru?.mark(elem)
    return elem + this.#value + this.#cpuStride * cpu
  }

  protected override place(key: number, flags: number): number {
    if (badUpdate(flags)) return -EINVAL
    if (flags & UPDATE.F_LOCK && !this.hasLock) return -EINVAL
    const old = this.table.find(key)
    if (old !== 0 && flags & UPDATE.NOEXIST) return -EEXIST
    if (old === 0 && flags & UPDATE.EXIST) return -ENOENT
    this.touch()
    if (old !== 0) return this.#replace(old, flags)
    const elem = this.#insert(key)
    return elem === 0 ? -E2BIG : elem + this.#value
  }

  /** The kernel puts a new element in place of the old one, but with F_LOCK and for per-CPU values. Here it is the same, its fields new. */
  #replace(elem: number, flags: number): number {
    const value = elem + this.#value
    this.#lru?.mark(elem)
    if (!(flags & UPDATE.F_LOCK)) this.#freeOwned(elem)
    if (this.attr.fields && this.#cpuStride === 0 && !(flags & UPDATE.F_LOCK)) clearFields(this.mem, value, this.attr.fields)
    return value
  }

  #insert(key: number): number {
    if (this.#lru && this.table.count === this.attr.maxEntries) this.#remove(this.#lru.victim())
    const elem = this.table.insert(key)
    if (elem !== 0) this.#lru?.add(elem)
    return elem
  }

  /** What the value owns (frames, objects) ends with it: bpf_obj_free_fields. */
  #freeOwned(elem: number): void {
    if (this.attr.fields && this.#cpuStride === 0) this.host.freeFields?.(elem + this.#value, this.attr.fields)
  }

  #remove(elem: number): void {
    this.touch()
    this.#freeOwned(elem)
    this.#lru?.remove(elem)
    this.table.remove(elem)
  }

  update(key: number, value: number, flags: number): number {
    const at = this.place(key, flags)
    if (at < 0) return at
    copyValue(this.mem, at + this.#cpuStride * this.host.cpu(), value, this.attr.valueSize, this.attr.fields)
    return 0
  }

  delete(key: number): number {
    const elem = this.table.find(key)
    if (elem === 0) return -ENOENT
    this.#remove(elem)
    return 0
  }

  override sysLookupAndDelete(key: Uint8Array, flags: number): Uint8Array {
    this.checkTake(flags)
    const value = this.sysLookup(key, flags)
    this.delete(this.stageKey(key))
    return value
  }

  protected override next(key: number): number {
    return this.table.nextKey(key)
  }

  forEach(callback: (key: number, value: number) => number): number {
    const cpu = this.#cpuStride * this.host.cpu()
    this.touch()
    return this.table.each((elem) => callback(elem + ELEM.key, elem + this.#value + cpu) !== 0)
  }

  protected override get userValueSize(): number {
    return this.#cpuStride > 0 ? percpuSize(this.attr.valueSize, this.host.cpus) : this.attr.valueSize
  }
}

/** The header of a new hash-like map: its seed stays for life, the JIT emits it as a constant. */
export function writeHashHeader(attr: MapAttr, region: Region, host: MapHost): void {
  writeHeader(host.mem, region.addr, attr)
  const seed = attr.flags & MAP_F.ZERO_SEED ? 0 : host.random32()
  host.mem.u32[(region.addr + MAP.seed) >> 2] = seed
}

function hashKind(type: number, name: string): MapKind {
  return {
    type,
    name,
    check: checkHash,
    bytes: (attr, host) => tableBytes(shape(attr, host)),
    create(attr, region, host) {
      writeHashHeader(attr, region, host)
      return new HashMap(attr, region, host)
    },
    open: (attr, region, host) => new HashMap(attr, region, host),
  }
}

export const hash = hashKind(MAP_TYPE.HASH, 'hash')
export const percpuHash = hashKind(MAP_TYPE.PERCPU_HASH, 'percpu_hash')
export const lruHash = hashKind(MAP_TYPE.LRU_HASH, 'lru_hash')
export const lruPercpuHash = hashKind(MAP_TYPE.LRU_PERCPU_HASH, 'lru_percpu_hash')

/** max_entries as the kernel rounds it where every CPU has an LRU list of its own. */
export function lruEntries(attr: NewMap, cpus: number): number {
  if (!isLru(attr.type) || !(attr.flags & MAP_F.NO_COMMON_LRU)) return attr.maxEntries
  const up = Math.ceil(attr.maxEntries / cpus) * cpus
  if (up > 0xffffffff) throw new KernelError(E2BIG)
  return up
}
