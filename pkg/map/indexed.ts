// What every map with keys 0 … max_entries - 1 shares: slots in a row behind the header. kernel/bpf/arraymap.c
import { MAP_STAGING } from '../mem/layout.js'
import type { Region } from '../mem/space.js'
import { MapBase } from './base.js'
import { MAP } from './header.js'
import type { MapAttr, MapHost } from './types.js'

export abstract class IndexedMap extends MapBase {
  protected readonly base: number
  protected readonly stride: number

  constructor(attr: MapAttr, region: Region, host: MapHost, stride: number) {
    super(attr, region, host)
    this.base = region.addr + MAP.size
    this.stride = stride
  }

  /** Address of a key's slot, 0: out of range. */
  protected override find(key: number): number {
    return this.at(this.mem.view.getUint32(key, true))
  }

  protected at(index: number): number {
    return index >>> 0 >= this.attr.maxEntries ? 0 : this.base + (index >>> 0) * this.stride
  }

  /** array_map_get_next_key: ascending; any key out of range starts over. */
  protected override next(key: number): number {
    const { maxEntries } = this.attr
    const at = key === 0 ? 0xffffffff : this.mem.view.getUint32(key, true)
    if (at === maxEntries - 1) return 0
    this.mem.view.setUint32(MAP_STAGING, at >= maxEntries ? 0 : at + 1, true)
    return MAP_STAGING
  }
}
