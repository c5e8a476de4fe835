// hash_of_maps: kernel/bpf/hashtab.c (htab_of_maps_*)
import { KernelError } from '../bytes/errors.js'
import type { Region } from '../mem/space.js'
import { MAP_TYPE, UPDATE } from '../uapi/bpf.js'
import { E2BIG, EEXIST, EINVAL, ENOENT } from '../uapi/errno.js'
import { MapBase } from './base.js'
import { refuse, type NewMap } from './check.js'
import { checkHash, writeHashHeader } from './hashtab.js'
import { HashTable, tableBytes, type TableShape } from './hash-table.js'
import { checkInner, checkTemplate, readTemplate, writeTemplate } from './map_in_map.js'
import type { InnerAttr, MapAttr, MapHost, MapKind } from './types.js'

function shape(attr: MapAttr): TableShape {
  return { keySize: attr.keySize, valueBytes: 8, maxEntries: attr.maxEntries, extra: 0 }
}

/** An element's value is the id of the inner map. */
export class HashOfMaps extends MapBase {
  readonly innerAttr: InnerAttr
  readonly #table: HashTable

  constructor(attr: MapAttr, region: Region, host: MapHost) {
    super(attr, region, host)
    this.#table = new HashTable(host.mem, region.addr, shape(attr))
    this.innerAttr = readTemplate(host.mem, region.addr)
  }

  protected override find(key: number): number {
    const elem = this.#table.find(key)
    return elem === 0 ? 0 : elem + this.#table.jit.valueOffset
  }

  lookup(key: number): number {
    const value = this.find(key)
    return value === 0 ? 0 : this.host.mapAddr(this.mem.u32[value >> 2]!)
  }

  update(): number {
    return -EINVAL
  }

  delete(key: number): number {
    const elem = this.#table.find(key)
    if (elem === 0) return -ENOENT
    this.touch()
    const id = this.mem.u32[(elem + this.#table.jit.valueOffset) >> 2]!
    this.#table.remove(elem)
    this.host.drop('map', id)
    return 0
  }

  override sysUpdate(key: Uint8Array, value: Uint8Array, flags: number): void {
    this.checkWrite()
    this.checkLock(flags)
    refuse(value.length !== 4, EINVAL)
    const id = new DataView(value.buffer, value.byteOffset).getUint32(0, true)
    checkInner(this.innerAttr, id, this.host)
    refuse(flags > UPDATE.EXIST, EINVAL)
    this.#put(this.stageKey(key), id, flags)
  }

  #put(key: number, id: number, flags: number): void {
    const old = this.#table.find(key)
    refuse(old !== 0 && flags === UPDATE.NOEXIST, EEXIST)
    refuse(old === 0 && flags === UPDATE.EXIST, ENOENT)
    this.touch()
    const elem = old === 0 ? this.#table.insert(key) : old
    if (elem === 0) throw new KernelError(E2BIG)
    const at = (elem + this.#table.jit.valueOffset) >> 2
    const before = this.mem.u32[at]!
    this.host.hold('map', id)
    this.mem.u32[at] = id
    if (before !== 0) this.host.drop('map', before)
  }

  protected override next(key: number): number {
    return this.#table.nextKey(key)
  }

  override destroy(): void {
    this.#table.each((elem) => {
      this.host.drop('map', this.mem.u32[(elem + this.#table.jit.valueOffset) >> 2]!)
      return false
    })
  }
}

/** htab_of_map_alloc_check */
function check(attr: NewMap, host: MapHost): void {
  refuse(attr.valueSize !== 4, EINVAL)
  checkHash(attr)
  checkTemplate(attr.innerMapId, host)
}

export const hashOfMaps: MapKind = {
  type: MAP_TYPE.HASH_OF_MAPS,
  name: 'hash_of_maps',
  check,
  bytes: (attr) => tableBytes(shape(attr)),
  create(attr, region, host) {
    writeHashHeader(attr, region, host)
    writeTemplate(attr, region.addr, host)
    return new HashOfMaps(attr, region, host)
  },
  open: (attr, region, host) => new HashOfMaps(attr, region, host),
}
