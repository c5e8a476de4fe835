// The maps of a spec on a machine: reused where pinned, created, filled, frozen. Answers to bpf_object__create_maps of libbpf.
import { KernelError } from '../bytes/errors.js'
import type { MapCreate, MapInfo } from '../request/bpf.js'
import { ENOENT, strerror } from '../uapi/errno.js'
import { BPF_OBJ_NAME_LEN, MAP_TYPE as T, UPDATE } from '../uapi/bpf.js'
import { mapTypeOf } from './dialect.js'
import { objectError, viewOf } from './error.js'
import { emulatedKconfig, kconfigValue } from './kconfig.js'
import type { LoadContext, LoadedMap } from './load.js'
import type { MapSpec } from './spec.js'
import type { KernTable } from './struct-ops-kern.js'

const PAGE_SIZE = 4096
/** Types that the kernel refuses BTF for (libbpf's list). */
const WITHOUT_BTF: ReadonlySet<number> = new Set([
  T.PERF_EVENT_ARRAY, T.CGROUP_ARRAY, T.STACK_TRACE, T.ARRAY_OF_MAPS, T.HASH_OF_MAPS, T.DEVMAP, T.DEVMAP_HASH, T.CPUMAP, T.XSKMAP,
  T.SOCKMAP, T.SOCKHASH, T.QUEUE, T.STACK, T.ARENA,
])

/** Ids of all maps, in the order of the spec; slots that hold programs are filled later. */
export function loadMaps(load: LoadContext): LoadedMap[] {
  const { maps } = load.object
  const loaded: LoadedMap[] = []
  for (const map of maps) {
    // Tables come last and are made of what this kernel says of them.
    if (map.table) continue
    loaded.push(loadMap(load, map))
    if (!pointsAhead(map, loaded.length)) fillMapSlots(load, map, loaded.at(-1)!, loaded)
  }
  maps.forEach((map, i) => {
    if (pointsAhead(map, i + 1)) fillMapSlots(load, map, loaded[i]!, loaded)
  })
  return loaded
}

/** Some slot holds a map that is defined behind the first `count`. */
function pointsAhead(map: MapSpec, count: number): boolean {
  return (map.slots ?? []).some(s => s.map !== undefined && s.map >= count)
}

function loadMap(load: LoadContext, map: MapSpec): LoadedMap {
  const given = load.options.reuse?.get(map.name)
  if (given !== undefined) return { name: map.name, id: given, reused: true, path: undefined }
  const path = load.pinPath(map)
  const pinned = path === undefined ? undefined : reusePinned(load, map, path)
  if (pinned !== undefined) return { name: map.name, id: pinned, reused: true, path }
  const id = createMap(load, map)
  if (path !== undefined) load.kernel.request('obj.pin', { kind: 'map', id, path })
  if (map.data) fillData(load, map, id)
  return { name: map.name, id, reused: false, path }
}

function reusePinned(load: LoadContext, map: MapSpec, path: string): number | undefined {
  let found: { kind: string; id: number }
  try {
    found = load.kernel.request('obj.get', { path })
  } catch (error) {
    if (error instanceof KernelError && error.errno === ENOENT) return undefined
    throw error
  }
  const whose = `map '${map.name}'`
  if (found.kind !== 'map') throw objectError(load.object.file, whose, `'${path}' is pinned to a ${found.kind}`)
  const info = load.kernel.request('map.info', { id: found.id })
  if (!isCompatible(info, attributes(load, map))) {
    throw objectError(load.object.file, whose, `couldn't reuse pinned map at '${path}': parameter mismatch`)
  }
  return found.id
}

function isCompatible(info: MapInfo, want: MapCreate): boolean {
  return info.type === want.type && info.keySize === want.keySize && info.valueSize === want.valueSize
    && info.maxEntries === want.maxEntries && info.flags === (want.flags ?? 0) && info.mapExtra === (want.mapExtra ?? 0)
}

/** What MAP_CREATE gets, without BTF and inner map. */
function attributes(load: LoadContext, map: MapSpec): MapCreate {
  const type = mapTypeOf(map, load.options.dialect ?? load.object.dialect)
  return {
    type, name: map.name.slice(0, BPF_OBJ_NAME_LEN - 1), keySize: map.keySize, valueSize: map.valueSize,
    maxEntries: maxEntries(load, map, type), flags: map.flags, mapExtra: Number(map.mapExtra),
    ...(map.numaNode ? { numaNode: map.numaNode } : {}),
  }
}

/** libbpf sizes perf event arrays by the CPUs there are and rounds ring buffers up. */
function maxEntries(load: LoadContext, map: MapSpec, type: number): number {
  if (type === T.PERF_EVENT_ARRAY && map.maxEntries === 0) return load.kernel.request('sys.info', {}).cpus
  if (type !== T.RINGBUF && type !== T.USER_RINGBUF) return map.maxEntries
  if (map.maxEntries === 0 || map.maxEntries > 2 ** 31) return map.maxEntries
  let size = PAGE_SIZE
  while (size < map.maxEntries) size *= 2
  return size
}

function createMap(load: LoadContext, map: MapSpec): number {
  const create = attributes(load, map)
  if (map.inner) create.innerMapId = innerMap(load, map.inner)
  const typed = map.btfKeyTypeId !== 0 || map.btfValueTypeId !== 0
  if (load.btfId === undefined || !typed || WITHOUT_BTF.has(create.type)) return request(load, map, create)
  try {
    const types = { btfId: load.btfId, btfKeyTypeId: map.btfKeyTypeId, btfValueTypeId: map.btfValueTypeId }
    return load.kernel.request('map.create', { ...create, ...types }).id
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    load.warn(`Error in bpf_create_map_xattr(${map.name}):${strerror(error.errno)}(-${error.errno}). Retrying without BTF.`)
    return request(load, map, create)
  }
}

/** A struct_ops table: bpf_object__create_map for BPF_MAP_TYPE_STRUCT_OPS. */
export function loadTable(load: LoadContext, { map, value, valueTypeId }: KernTable): LoadedMap {
  const create = { ...attributes(load, map), valueSize: value.length, btfVmlinuxValueTypeId: valueTypeId }
  const id = request(load, map, load.btfId === undefined ? create : { ...create, btfId: load.btfId })
  return { name: map.name, id, reused: false, path: undefined }
}

function innerMap(load: LoadContext, inner: MapSpec): number {
  return inner.elf ? request(load, inner, attributes(load, inner)) : createMap(load, inner)
}

function request(load: LoadContext, map: MapSpec, create: MapCreate): number {
  try {
    return load.kernel.request('map.create', create).id
  } catch (error) {
    if (error instanceof KernelError) load.warn(`map '${map.name}': failed to create: ${strerror(error.errno)}(-${error.errno})`)
    throw error
  }
}

function fillData(load: LoadContext, map: MapSpec, id: number): void {
  const value = map.data === 'kconfig' ? kconfigValue(load.object, map.valueSize, load.options.kconfig ?? emulatedKconfig) : map.initial
  if (value) load.kernel.request('map.update', { mapId: id, key: new Uint8Array(4), value, flags: UPDATE.ANY })
  if (map.freeze) load.kernel.request('map.freeze', { mapId: id })
}

function fillMapSlots(load: LoadContext, map: MapSpec, own: LoadedMap, loaded: readonly LoadedMap[]): void {
  if (own.reused) return
  for (const slot of map.slots ?? []) {
    if (slot.map !== undefined) setSlot(load, map, own.id, slot.index, loaded[slot.map]!.id)
  }
}

/** Puts an id into a slot of a map-in-map or prog_array. */
export function setSlot(load: LoadContext, map: MapSpec, mapId: number, index: number, id: number): void {
  const [key, value] = [new Uint8Array(4), new Uint8Array(4)]
  viewOf(key).setUint32(0, index, true)
  viewOf(value).setUint32(0, id, true)
  try {
    load.kernel.request('map.update', { mapId, key, value, flags: UPDATE.ANY })
  } catch (error) {
    if (error instanceof KernelError) load.warn(`map '${map.name}': failed to initialize slot [${index}]: -${error.errno}`)
    throw error
  }
}
