// cpumap: kernel/bpf/cpumap.c. The frames on their way to a CPU are datapath's; an entry says how many fit and which program runs there.
import { ATTACH_TYPE, MAP_F, MAP_TYPE, PROG_TYPE, UPDATE } from '../uapi/bpf.js'
import { E2BIG, EEXIST, EINVAL, ENODEV, ENOMEM, EOVERFLOW } from '../uapi/errno.js'
import { refuse, type NewMap } from './check.js'
import { ENTRY, badValueSize, fits, progOf, readEntry, storeEntry, type Entry } from './entry.js'
import { EMPTY, EntryMap } from './entry-map.js'
import { MAP, writeHeader } from './header.js'
import type { MapKind } from './types.js'

/** CONFIG_NR_CPUS, and the most frames a ptr_ring may be asked to hold. */
const NR_CPUS = 256
const MAX_QSIZE = 16384

export class CpuMap extends EntryMap {
  override sysUpdate(key: Uint8Array, value: Uint8Array, flags: number): void {
    this.checkWrite()
    this.checkLock(flags)
    const entry = readEntry(value)
    const slot = this.slotOf(this.stageKey(key))
    refuse(flags > UPDATE.EXIST, EINVAL)
    refuse(slot === 0, E2BIG)
    refuse(flags === UPDATE.NOEXIST, EEXIST)
    this.#admit(slot, entry)
    this.touch()
    storeEntry(this.host, slot, entry.number === 0 ? EMPTY : entry)
  }

  #admit(slot: number, { number, progId }: Entry): void {
    const cpu = (slot - this.base) / ENTRY
    refuse(number > MAX_QSIZE, EOVERFLOW)
    refuse(cpu >= this.host.cpus, ENODEV)
    refuse(number !== 0 && progId !== 0 && !fits(this.host, progId, PROG_TYPE.XDP, ATTACH_TYPE.XDP_CPUMAP), ENOMEM)
  }

  target(key: number): { cpu?: number; progId?: number } | undefined {
    const slot = this.find(key)
    return slot === 0 ? undefined : { cpu: (slot - this.base) / ENTRY, ...progOf(this.host, slot) }
  }
}

function check(attr: NewMap): void {
  refuse(attr.maxEntries === 0 || attr.keySize !== 4 || badValueSize(attr), EINVAL)
  refuse((attr.flags & ~MAP_F.NUMA_NODE) !== 0, EINVAL)
  refuse(attr.maxEntries > NR_CPUS, E2BIG)
}

export const cpumap: MapKind = {
  type: MAP_TYPE.CPUMAP,
  name: 'cpumap',
  check,
  bytes: (attr) => MAP.size + ENTRY * attr.maxEntries,
  create(attr, region, host) {
    writeHeader(host.mem, region.addr, attr)
    return new CpuMap(attr, region, host)
  },
  open: (attr, region, host) => new CpuMap(attr, region, host),
}
