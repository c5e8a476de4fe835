// devmap: kernel/bpf/devmap.c. Its hash is devmap-hash.ts.
import { MAP_F, MAP_TYPE, UPDATE, ATTACH_TYPE, PROG_TYPE } from '../uapi/bpf.js'
import { E2BIG, EEXIST, EINVAL } from '../uapi/errno.js'
import { ACCESS, refuse, type NewMap } from './check.js'
import { ENTRY, badValueSize, fits, progOf, readEntry, storeEntry, type Entry } from './entry.js'
import { EMPTY, EntryMap } from './entry-map.js'
import { MAP, writeHeader } from './header.js'
import type { MapHost, MapKind } from './types.js'

/** dev_map_alloc_check, for both kinds. Entries are the kernel's: programs only read them. */
export function checkDevmap(attr: NewMap): void {
  refuse(attr.maxEntries === 0 || attr.keySize !== 4 || badValueSize(attr), EINVAL)
  const allowed = ACCESS & ~(MAP_F.RDONLY_PROG | MAP_F.WRONLY_PROG)
  refuse((attr.flags & ~(allowed | MAP_F.NUMA_NODE)) !== 0, EINVAL)
}

/** __dev_map_alloc_node: the device and the program must be there. */
export function checkDevEntry({ number, progId }: Entry, host: MapHost): void {
  refuse(!host.deviceExists(number), EINVAL)
  refuse(progId !== 0 && !fits(host, progId, PROG_TYPE.XDP, ATTACH_TYPE.XDP_DEVMAP), EINVAL)
}

export class DevMap extends EntryMap {
  override sysUpdate(key: Uint8Array, value: Uint8Array, flags: number): void {
    this.checkWrite()
    this.checkLock(flags)
    const slot = this.slotOf(this.stageKey(key))
    refuse(flags > UPDATE.EXIST, EINVAL)
    refuse(slot === 0, E2BIG)
    refuse(flags === UPDATE.NOEXIST, EEXIST)
    const entry = readEntry(value)
    if (entry.number === 0) refuse(entry.progId !== 0, EINVAL)
    else checkDevEntry(entry, this.host)
    this.touch()
    storeEntry(this.host, slot, entry)
  }

  target(key: number): { ifindex?: number; progId?: number } | undefined {
    const slot = this.find(key)
    return slot === 0 ? undefined : { ifindex: this.mem.u32[slot >> 2]!, ...progOf(this.host, slot) }
  }

  /** Every device an entry names: BPF_F_BROADCAST. */
  *devices(): Generator<{ ifindex: number; progId?: number }> {
    for (let index = 0; index < this.attr.maxEntries; index += 1) {
      const slot = this.at(index)
      const ifindex = this.mem.u32[slot >> 2]!
      if (ifindex !== 0) yield { ifindex, ...progOf(this.host, slot) }
    }
  }

  dropDevice(ifindex: number): void {
    for (let index = 0; index < this.attr.maxEntries; index += 1) {
      const slot = this.at(index)
      if (this.mem.u32[slot >> 2] !== ifindex) continue
      this.touch()
      storeEntry(this.host, slot, EMPTY)
    }
  }
}

export const devmap: MapKind = {
  type: MAP_TYPE.DEVMAP,
  name: 'devmap',
  check: checkDevmap,
  bytes: (attr) => MAP.size + ENTRY * attr.maxEntries,
  create(attr, region, host) {
    writeHeader(host.mem, region.addr, attr)
    return new DevMap(attr, region, host)
  },
  open: (attr, region, host) => new DevMap(attr, region, host),
}
