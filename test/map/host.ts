// A machine of two CPUs with nothing but maps on it, for tests of pkg/map and pkg/helper.
import { createMemory } from '../../pkg/mem/memory.js'
import type { Region } from '../../pkg/mem/space.js'
import { REGIONS } from '../../pkg/mem/layout.js'
import { checkMap, mapKind } from '../../pkg/map/kinds.js'
import type { BpfMap, MapAttr, MapHost } from '../../pkg/map/types.js'

export interface NewTestMap {
  type: number
  key: number
  value: number
  entries: number
  flags?: number
  extra?: number
  inner?: number
  fields?: MapAttr['fields']
}

export class TestHost implements MapHost {
  readonly mem = createMemory()
  readonly cpus = 2
  readonly maps = new Map<number, BpfMap>()
  /** Types of programs by id. */
  readonly progs = new Map<number, { type: number; attach: number }>()
  readonly devices = new Set([1])
  readonly held: string[] = []
  now = 0
  #end = REGIONS
  #seed = 1

  cpu = (): number => this.now
  random32 = (): number => (this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0)
  mapAddr = (id: number): number => this.maps.get(id)?.addr ?? 0
  mapIdAt = (addr: number): number => [...this.maps.values()].find((map) => map.addr === addr)?.attr.id ?? 0
  mapAttr = (id: number): MapAttr | undefined => this.maps.get(id)?.attr
  progType = (id: number): number | undefined => this.progs.get(id)?.type
  progAttachType = (id: number): number | undefined => this.progs.get(id)?.attach
  hold = (kind: string, id: number): void => { this.held.push(`${kind} ${id}`) }
  drop = (kind: string, id: number): void => { this.held.splice(this.held.indexOf(`${kind} ${id}`), 1) }
  deviceExists = (ifindex: number): boolean => this.devices.has(ifindex)

  create(want: NewTestMap): BpfMap {
    const attr = this.attr(want)
    const kind = mapKind(attr.type)
    const size = Math.ceil(kind.bytes(attr, this) / 16384) * 16384
    const region: Region = { name: `map/${attr.id}`, addr: this.#end, size, loaded: true, touched: true }
    this.#end += size
    const map = kind.create(attr, region, this)
    this.maps.set(attr.id, map)
    return map
  }

  /** Checked attributes; throws as BPF_MAP_CREATE does. */
  attr(want: NewTestMap): MapAttr {
    const none = { btfId: 0, btfKeyTypeId: 0, btfValueTypeId: 0 }
    return checkMap({
      id: this.maps.size + 1, name: '', type: want.type, keySize: want.key, valueSize: want.value, maxEntries: want.entries,
      flags: want.flags ?? 0, mapExtra: want.extra ?? 0, innerMapId: want.inner ?? 0, ...none, ...(want.fields && { fields: want.fields }),
    }, this)
  }

  /** The same map as a later process sees it. */
  reopen(map: BpfMap): BpfMap {
    const again = mapKind(map.attr.type).open(map.attr, map.region, this)
    this.maps.set(map.attr.id, again)
    return again
  }
}
