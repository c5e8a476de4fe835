// devmap_hash: kernel/bpf/devmap.c (dev_map_hash_*)
import type { Region } from '../mem/space.js'
import { MAP_TYPE, UPDATE } from '../uapi/bpf.js'
import { E2BIG, EEXIST, EINVAL, ENOENT } from '../uapi/errno.js'
import { MapBase } from './base.js'
import { refuse } from './check.js'
import { checkDevEntry, checkDevmap } from './devmap.js'
import { ENTRY, progOf, readEntry, storeEntry, type Entry } from './entry.js'
import { HashTable, tableBytes, type TableShape } from './hash-table.js'
import { writeHeader } from './header.js'
import type { MapAttr, MapHost, MapKind } from './types.js'

const EMPTY: Entry = { number: 0, progId: 0 }

function shape(attr: MapAttr): TableShape {
  return { keySize: 4, valueBytes: ENTRY, extra: 0, maxEntries: attr.maxEntries, identity: true }
}

export class DevHash extends MapBase {
  readonly #table: HashTable

  constructor(attr: MapAttr, region: Region, host: MapHost) {
    super(attr, region, host)
    this.#table = new HashTable(host.mem, region.addr, shape(attr))
  }

  #entry(elem: number): number {
    return elem + this.#table.jit.valueOffset
  }

  lookup(key: number): number {
    const elem = this.#table.find(key)
    return elem === 0 ? 0 : this.#entry(elem)
  }

  update(): number {
    return -EINVAL
  }

  delete(key: number): number {
    const elem = this.#table.find(key)
    if (elem === 0) return -ENOENT
    this.#remove(elem)
    return 0
  }

  #remove(elem: number): void {
    this.touch()
    storeEntry(this.host, this.#entry(elem), EMPTY)
    this.#table.remove(elem)
  }

  override sysUpdate(key: Uint8Array, value: Uint8Array, flags: number): void {
    this.checkWrite()
    this.checkLock(flags)
    const entry = readEntry(value)
    refuse(flags > UPDATE.EXIST || entry.number === 0, EINVAL)
    const at = this.stageKey(key)
    const old = this.#table.find(at)
    refuse(old !== 0 && flags === UPDATE.NOEXIST, EEXIST)
    checkDevEntry(entry, this.host)
    const elem = old === 0 ? this.#table.insert(at) : old
    refuse(elem === 0, E2BIG)
    this.touch()
    storeEntry(this.host, this.#entry(elem), entry)
  }

  protected override next(key: number): number {
    return this.#table.nextKey(key)
  }

  target(key: number): { ifindex?: number; progId?: number } | undefined {
    const elem = this.#table.find(key)
    return elem === 0 ? undefined : this.#view(elem)
  }

  #view(elem: number): { ifindex: number; progId?: number } {
    return { ifindex: this.mem.u32[this.#entry(elem) >> 2]!, ...progOf(this.host, this.#entry(elem)) }
  }

  *devices(): Generator<{ ifindex: number; progId?: number }> {
    for (let elem = this.#table.after(0); elem !== 0; elem = this.#table.after(elem)) yield this.#view(elem)
  }

  dropDevice(ifindex: number): void {
    this.#table.each((elem) => {
      if (this.#view(elem).ifindex === ifindex) this.#remove(elem)
      return false
    })
  }

  override destroy(): void {
    this.#table.each((elem) => {
      storeEntry(this.host, this.#entry(elem), EMPTY)
      return false
    })
  }
}

export const devmapHash: MapKind = {
  type: MAP_TYPE.DEVMAP_HASH,
  name: 'devmap_hash',
  check: checkDevmap,
  bytes: (attr) => tableBytes(shape(attr)),
  create(attr, region, host) {
    writeHeader(host.mem, region.addr, attr)
    return new DevHash(attr, region, host)
  },
  open: (attr, region, host) => new DevHash(attr, region, host),
}
