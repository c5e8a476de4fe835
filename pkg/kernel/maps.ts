// Maps as bpf(2) sees them: records, their regions, and the map objects over both. kernel/bpf/syscall.c, map_create and below.
import { KernelError } from '../bytes/errors.js'
import type { Memory } from '../mem/memory.js'
import type { AddressSpace } from '../mem/space.js'
import { ProgArray } from '../map/arraymap-fd.js'
import { checkMap, MAP_KINDS, mapKind } from '../map/kinds.js'
import type { TableHost } from '../map/struct-ops-types.js'
import type { BpfMap, FrameStore, MapAttr, MapHost, ValueField } from '../map/types.js'
import type { MapCreate, MapElem, MapInfo } from '../request/bpf.js'
import { BPF_OBJ_NAME_LEN, MAP_F, MAP_TYPE } from '../uapi/bpf.js'
import { EINVAL, EOPNOTSUPP, ENOTSUPP, EPERM } from '../uapi/errno.js'
import { RFC_MAP_TYPE } from '../uapi/rfc.js'
import { VMLINUX_ID } from './btfs.js'
import type { ObjectTable, ObjRecord } from './table.js'

export interface MapRecord extends ObjRecord {
  readonly attr: MapAttr
  readonly loadTime: number
  frozen: boolean
}

/** The proposals' own map types, which have names already. */
function refuseProposed(type: number): void {
  const proposed = Object.entries(RFC_MAP_TYPE).find(([, number]) => number === type && !MAP_KINDS.some((kind) => kind.type === type))
  if (proposed) throw new KernelError(EOPNOTSUPP, `not supported yet: map type ${proposed[0]}`)
}

/** What maps need of the machine around them. */
export interface MapsHost {
  memory(): Memory
  space(): AddressSpace
  now(): number
  readonly cpus: number
  cpu(): number
  random32(): number
  btfBytes(id: number): Uint8Array | undefined
  /** map_check_btf: the kernel's own parts of the value. */
  checkBtf(attr: Omit<MapAttr, 'id'>, btf: Uint8Array): readonly ValueField[]
  holdBtf(id: number): void
  dropBtf(id: number): void
  progType(id: number): number | undefined
  progAttachType(id: number): number | undefined
  holdProg(id: number): void
  dropProg(id: number): void
  deviceExists(ifindex: number): boolean
  /** Frames in maps; asked for when the first map of frames is opened. */
  frames(): FrameStore
  tables(): TableHost
  /** The end of what a value owns: frames, objects. */
  freeFields(value: number, fields: readonly ValueField[]): void
  /** bpf_timers in a range of memory fire no more. */
  forgetTimers(from: number, to: number): void
}

const DEVICE_MAPS: ReadonlySet<number> = new Set([MAP_TYPE.DEVMAP, MAP_TYPE.DEVMAP_HASH])

const regionName = (id: number): string => `map.${id}`

export class Maps {
  readonly #host: MapsHost
  readonly #table: ObjectTable<MapRecord>
  readonly #open = new Map<number, BpfMap>()
  readonly #byAddr = new Map<number, BpfMap>()
  #mapHost: MapHost | undefined

  constructor(host: MapsHost, table: ObjectTable<MapRecord>) {
    this.#host = host
    this.#table = table
  }

  /** BPF_MAP_CREATE. */
  create(request: MapCreate): { id: number } {
    refuseProposed(request.type)
    const given = attributes(request)
    const wanted = checkMap({ ...given, ...this.#fields(given), ...this.#template(given) }, this.#kindHost())
    const record = this.#table.create((id) => this.#place({ ...wanted, id }))
    return { id: record.id }
  }

  #template({ innerMapId }: Omit<MapAttr, 'id'>): Pick<MapAttr, 'inner'> {
    const inner = innerMapId > 0 ? this.attr(innerMapId) : undefined
    return inner ? { inner } : {}
  }

  /** The parts of a value that its BTF says are the kernel's; EINVAL when the types don't fit. */
  #fields(attr: Omit<MapAttr, 'id'>): Pick<MapAttr, 'fields'> {
    const { btfId, btfKeyTypeId, btfValueTypeId } = attr
    if (btfId === 0 && btfKeyTypeId === 0 && btfValueTypeId === 0) return {}
    const bytes = this.#host.btfBytes(btfId)
    if (!bytes || (btfKeyTypeId !== 0 && btfValueTypeId === 0)) throw new KernelError(EINVAL)
    const fields = btfValueTypeId === 0 ? [] : this.#host.checkBtf(attr, bytes)
    return fields.length > 0 ? { fields } : {}
  }

  /** Allocates and lays out; nothing is changed when it throws. */
  #place(attr: MapAttr): MapRecord {
    const kind = mapKind(attr.type)
    const host = this.#kindHost()
    const region = this.#host.space().allocate(regionName(attr.id), kind.bytes(attr, host))
    this.#remember(kind.create(attr, region, host))
    if (attr.btfId > 0) this.#host.holdBtf(attr.btfId)
    return { id: attr.id, attr, loadTime: this.#host.now(), frozen: false, refs: 0, pins: [] }
  }

  #remember(map: BpfMap): BpfMap {
    this.#open.set(map.attr.id, map)
    this.#byAddr.set(map.addr, map)
    return map
  }

  /** The map with its contents in memory; ENOENT when there is no such id. */
  map(id: number): BpfMap {
    const known = this.#open.get(id)
    if (known) return known
    const { attr } = this.#table.need(id)
    const region = this.#host.space().open(regionName(id))
    return this.#remember(mapKind(attr.type).open(attr, region, this.#kindHost()))
  }

  at(addr: number): BpfMap | undefined {
    return this.#byAddr.get(addr)
  }

  /** A device is gone: no map sends to it any more. */
  dropDevice(ifindex: number): void {
    for (const id of this.#table.ids()) {
      if (DEVICE_MAPS.has(this.#table.need(id).attr.type)) this.map(id).dropDevice?.(ifindex)
    }
  }

  /** Programs have run: any map in memory may have changed. */
  touchAll(): void {
    for (const map of this.#open.values()) map.region.touched = true
  }

  attr(id: number): MapAttr | undefined {
    return this.#table.get(id)?.attr
  }

  /** A map, or the template of maps of maps that is gone since. */
  attrOrTemplate(id: number): MapAttr | undefined {
    return this.attr(id) ?? this.#table.list().find(({ attr }) => attr.innerMapId === id)?.attr.inner
  }

  record(id: number): MapRecord {
    return this.#table.need(id)
  }

  /** A prog_array takes programs of the type that its first program, or its first user, had. */
  own(id: number, progType: number): void {
    const map = this.attr(id)?.type === MAP_TYPE.PROG_ARRAY ? this.map(id) : undefined
    if (map instanceof ProgArray && !map.claim(progType)) throw new KernelError(EINVAL)
  }

  lookup(request: MapElem): Uint8Array {
    return this.map(request.mapId).sysLookup(request.key, request.flags ?? 0)
  }

  update(request: MapElem & { value: Uint8Array }): void {
    const map = this.#writable(request.mapId)
    map.sysUpdate(request.key, request.value, request.flags ?? 0)
  }

  delete(request: MapElem): void {
    this.#writable(request.mapId).sysDelete(request.key)
  }

  /** References that are no user's handle: bpf_map's refcnt without its usercnt. */
  users(id: number): number {
    const { refs, pins } = this.#table.need(id)
    return refs - pins.length
  }

  lookupAndDelete(request: MapElem): Uint8Array {
    const map = this.#writable(request.mapId)
    if (!map.sysLookupAndDelete) throw new KernelError(EINVAL)
    return map.sysLookupAndDelete(request.key, request.flags ?? 0)
  }

  nextKey(request: { mapId: number; key?: Uint8Array }): Uint8Array | undefined {
    return this.map(request.mapId).sysNextKey(request.key)
  }

  entries(id: number): { key: Uint8Array; value: Uint8Array | undefined; error?: number }[] {
    const map = this.map(id)
    const out: { key: Uint8Array; value: Uint8Array | undefined; error?: number }[] = []
    for (let key = map.sysNextKey(undefined); key !== undefined; key = map.sysNextKey(key)) {
      out.push({ key, ...readEntry(map, key) })
      if (out.length > map.attr.maxEntries * 2 + 1) break
    }
    return out
  }

  freeze(id: number): void {
    const record = this.#table.need(id)
    if (record.attr.type === MAP_TYPE.STRUCT_OPS || record.frozen) throw new KernelError(record.frozen ? EPERM : ENOTSUPP)
    record.frozen = true
    this.#table.touch(record)
  }

  /** bpf_map_is_rdonly: the value of a frozen RDONLY_PROG array of one entry, which loads may be folded to. */
  frozenValue(id: number): Uint8Array | undefined {
    const record = this.#table.get(id)
    const constant = record?.frozen && record.attr.type === MAP_TYPE.ARRAY && record.attr.maxEntries === 1 && (record.attr.flags & MAP_F.RDONLY_PROG) !== 0
    return constant ? this.map(id).sysLookup(new Uint8Array(4), 0) : undefined
  }

  info(id: number): MapInfo {
    const { attr, ...record } = this.#table.need(id)
    const owner = this.#ownerType(attr)
    return {
      id: attr.id, type: attr.type, name: attr.name, keySize: attr.keySize, valueSize: attr.valueSize, maxEntries: attr.maxEntries,
      flags: attr.flags, mapExtra: attr.mapExtra, btfId: attr.btfId, btfKeyTypeId: attr.btfKeyTypeId, btfValueTypeId: attr.btfValueTypeId,
      btfVmlinuxId: attr.btfVmlinuxValueTypeId ? VMLINUX_ID : 0,
      ...(attr.btfVmlinuxValueTypeId ? { btfVmlinuxValueTypeId: attr.btfVmlinuxValueTypeId } : {}), frozen: record.frozen, memlock: this.#host.space().size(regionName(id)), loadTime: record.loadTime, pins: [...record.pins],
      ...(owner === undefined ? {} : { ownerProgType: owner, ownerJited: true }),
      ...(attr.innerMapId > 0 ? { innerMapId: attr.innerMapId } : {}),
    }
  }

  #ownerType(attr: MapAttr): number | undefined {
    const map = attr.type === MAP_TYPE.PROG_ARRAY ? this.map(attr.id) : undefined
    return (map instanceof ProgArray && map.ownerType()) || undefined
  }

  list(): MapInfo[] {
    return this.#table.ids().map((id) => this.info(id))
  }

  hold(id: number): void {
    this.#table.hold(id)
  }

  drop(id: number): void {
    this.#table.drop(id)
  }

  /** Called by the table when the last reference is gone. */
  destroy(record: MapRecord): void {
    const { attr } = record
    const map = this.map(attr.id)
    const owned = (attr.fields ?? []).filter(owns)
    if (owned.length > 0) map.forEach?.((_key, value) => (this.#host.freeFields(value, owned), 0))
    map.destroy()
    this.#host.forgetTimers(map.region.addr, map.region.addr + map.region.size)
    this.#open.delete(attr.id)
    this.#byAddr.delete(map.addr)
    this.#host.space().release(regionName(attr.id))
    if (attr.btfId > 0) this.#host.dropBtf(attr.btfId)
  }

  #writable(id: number): BpfMap {
    const map = this.map(id)
    if (this.#table.need(id).frozen) throw new KernelError(EPERM)
    map.region.touched = true
    return map
  }

  #kindHost(): MapHost {
    const host = this.#host
    this.#mapHost ??= {
      mem: host.memory(),
      cpus: host.cpus,
      cpu: () => host.cpu(),
      random32: () => host.random32(),
      mapAddr: (id) => (this.#table.get(id) ? this.map(id).addr : 0),
      mapIdAt: (addr) => this.#byAddr.get(addr)?.attr.id ?? 0,
      mapAttr: (id) => this.attr(id),
      progType: (id) => host.progType(id),
      progAttachType: (id) => host.progAttachType(id),
      hold: (kind, id) => (kind === 'map' ? this.#table.hold(id) : host.holdProg(id)),
      drop: (kind, id) => (kind === 'map' ? this.#table.drop(id) : host.dropProg(id)),
      deviceExists: (ifindex) => host.deviceExists(ifindex),
      get frames() {
        return host.frames()
      },
      tables: host.tables(),
      freeFields: (value, fields) => {
        const owned = fields.filter(owns)
        if (owned.length > 0) host.freeFields(value, owned)
      },
    }
    return this.#mapHost
  }
}

/** Parts of a value behind which there is something of its own. */
const owns = ({ kind }: ValueField): boolean => kind === 'kptr' || kind === 'list_head'

function readEntry(map: BpfMap, key: Uint8Array): { value: Uint8Array | undefined; error?: number } {
  try {
    return { value: map.sysLookup(key, 0) }
  } catch (error) {
    if (error instanceof KernelError) return { value: undefined, error: error.errno }
    throw error
  }
}

function attributes(request: MapCreate): Omit<MapAttr, 'id'> {
  const name = request.name ?? ''
  if (name.length >= BPF_OBJ_NAME_LEN || !/^[A-Za-z0-9_.]*$/.test(name)) throw new KernelError(EINVAL)
  return {
    type: request.type, name, keySize: request.keySize, valueSize: request.valueSize, maxEntries: request.maxEntries,
    flags: request.flags ?? 0, mapExtra: request.mapExtra ?? 0, innerMapId: request.innerMapId ?? 0,
    ...(request.btfVmlinuxValueTypeId ? { btfVmlinuxValueTypeId: request.btfVmlinuxValueTypeId } : {}),
    btfId: request.btfId ?? 0, btfKeyTypeId: request.btfKeyTypeId ?? 0, btfValueTypeId: request.btfValueTypeId ?? 0,
  }
}

