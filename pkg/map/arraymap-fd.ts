// prog_array, array_of_maps: arrays whose elements are other objects, by id. kernel/bpf/arraymap.c (fd_array_*)
import { KernelError } from '../bytes/errors.js'
import type { Region } from '../mem/space.js'
import { MAP_F, MAP_TYPE } from '../uapi/bpf.js'
import { E2BIG, EBADF, EINVAL, ENOENT } from '../uapi/errno.js'
import { checkArray } from './arraymap.js'
import { answer } from './base.js'
import { refuse, type NewMap } from './check.js'
import { MAP, writeHeader } from './header.js'
import { IndexedMap } from './indexed.js'
import { checkInner, checkTemplate, readTemplate, writeTemplate } from './map_in_map.js'
import type { InnerAttr, MapAttr, MapHost, MapKind } from './types.js'

const SLOT = 8

/** fd_array_map_alloc_check */
export function checkFdArray(attr: NewMap): void {
  refuse(attr.valueSize !== 4 || (attr.flags & (MAP_F.RDONLY_PROG | MAP_F.WRONLY_PROG)) !== 0, EINVAL)
  checkArray(attr)
}

/** A slot holds the id of an object, 0: none. */
abstract class FdArray extends IndexedMap {
  readonly #holds: 'map' | 'prog'

  constructor(attr: MapAttr, region: Region, host: MapHost, holds: 'map' | 'prog') {
    super(attr, region, host, SLOT)
    this.#holds = holds
  }

  /** Throws when the object must not be put in. */
  protected abstract admit(id: number): void

  protected idAt(index: number): number {
    const slot = this.at(index)
    return slot === 0 ? 0 : this.mem.u32[slot >> 2]!
  }

  update(): number {
    return -EINVAL
  }

  delete(key: number): number {
    const slot = this.find(key)
    if (slot === 0) return -E2BIG
    return this.#put(slot, 0) ? 0 : -ENOENT
  }

  override sysLookup(key: Uint8Array, flags: number): Uint8Array {
    this.checkRead()
    this.checkFlags(flags)
    const slot = this.find(this.stageKey(key))
    const id = slot === 0 ? 0 : this.mem.u32[slot >> 2]!
    if (id === 0) throw new KernelError(ENOENT)
    return this.mem.u8.slice(slot, slot + 4)
  }

  override sysUpdate(key: Uint8Array, value: Uint8Array, flags: number): void {
    this.checkWrite()
    refuse(flags !== 0 || value.length !== 4, EINVAL)
    const slot = this.find(this.stageKey(key))
    refuse(slot === 0, E2BIG)
    const id = new DataView(value.buffer, value.byteOffset).getUint32(0, true)
    this.admit(id)
    this.#put(slot, id)
  }

  override sysDelete(key: Uint8Array): void {
    this.checkWrite()
    answer(this.delete(this.stageKey(key)))
  }

  /** Whether something was there. */
  #put(slot: number, id: number): boolean {
    const old = this.mem.u32[slot >> 2]!
    if (id !== 0) this.host.hold(this.#holds, id)
    this.touch()
    this.mem.u32[slot >> 2] = id
    if (old !== 0) this.host.drop(this.#holds, old)
    return old !== 0
  }

  override destroy(): void {
    for (let index = 0; index < this.attr.maxEntries; index += 1) this.#put(this.at(index), 0)
  }
}

/** Programs to tail call. All are of the type of the first program that came to it, by update or by using the map. */
export class ProgArray extends FdArray {
  constructor(attr: MapAttr, region: Region, host: MapHost) {
    super(attr, region, host, 'prog')
  }

  lookup(): number {
    return 0
  }

  progAt(index: number): number {
    return this.idAt(index)
  }

  ownerType(): number {
    return this.word(MAP.owner_type)
  }

  /** bpf_prog_map_compatible */
  claim(progType: number): boolean {
    const owner = this.ownerType()
    if (owner !== 0) return owner === progType
    this.touch()
    this.setWord(MAP.owner_type, progType)
    return true
  }

  protected admit(id: number): void {
    const type = this.host.progType(id)
    if (type === undefined) throw new KernelError(EBADF)
    refuse(!this.claim(type), EINVAL)
  }
}

export class ArrayOfMaps extends FdArray {
  readonly innerAttr: InnerAttr

  constructor(attr: MapAttr, region: Region, host: MapHost) {
    super(attr, region, host, 'map')
    this.innerAttr = readTemplate(host.mem, region.addr)
  }

  lookup(key: number): number {
    const id = this.idAt(this.mem.view.getUint32(key, true))
    return id === 0 ? 0 : this.host.mapAddr(id)
  }

  protected admit(id: number): void {
    checkInner(this.innerAttr, id, this.host)
  }
}

export const progArray: MapKind = {
  type: MAP_TYPE.PROG_ARRAY,
  name: 'prog_array',
  check: checkFdArray,
  bytes: (attr) => MAP.size + SLOT * attr.maxEntries,
  create(attr, region, host) {
    writeHeader(host.mem, region.addr, attr)
    return new ProgArray(attr, region, host)
  },
  open: (attr, region, host) => new ProgArray(attr, region, host),
}

export const arrayOfMaps: MapKind = {
  type: MAP_TYPE.ARRAY_OF_MAPS,
  name: 'array_of_maps',
  check(attr, host) {
    checkFdArray(attr)
    checkTemplate(attr.innerMapId, host)
  },
  bytes: (attr) => MAP.size + SLOT * attr.maxEntries,
  create(attr, region, host) {
    writeHeader(host.mem, region.addr, attr)
    writeTemplate(attr, region.addr, host)
    return new ArrayOfMaps(attr, region, host)
  },
  open: (attr, region, host) => new ArrayOfMaps(attr, region, host),
}
