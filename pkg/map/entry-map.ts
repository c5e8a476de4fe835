// What devmap and cpumap share: slots that name a device or a CPU's queue and perhaps a program; a slot whose number is 0 is empty.
// kernel/bpf/devmap.c, kernel/bpf/cpumap.c
import type { Region } from '../mem/space.js'
import { EINVAL } from '../uapi/errno.js'
import { ENTRY, storeEntry, type Entry } from './entry.js'
import { IndexedMap } from './indexed.js'
import type { MapAttr, MapHost } from './types.js'

export const EMPTY: Entry = { number: 0, progId: 0 }

export abstract class EntryMap extends IndexedMap {
  constructor(attr: MapAttr, region: Region, host: MapHost) {
    super(attr, region, host, ENTRY)
  }

  /** Address of a key's slot, empty or not; 0: out of range. */
  protected slotOf(key: number): number {
    return super.find(key)
  }

  protected override find(key: number): number {
    const slot = this.slotOf(key)
    return slot !== 0 && this.mem.u32[slot >> 2] !== 0 ? slot : 0
  }

  lookup(key: number): number {
    return this.find(key)
  }

  update(): number {
    return -EINVAL
  }

  delete(key: number): number {
    const slot = this.slotOf(key)
    if (slot === 0) return -EINVAL
    this.touch()
    storeEntry(this.host, slot, EMPTY)
    return 0
  }

  override destroy(): void {
    for (let index = 0; index < this.attr.maxEntries; index += 1) storeEntry(this.host, this.at(index), EMPTY)
  }
}
