// What a map is to the rest of the kernel side. One file a kind implements MapKind; kinds.ts lists them.
import type { Memory } from '../mem/memory.js'
import type { Region } from '../mem/space.js'
import type { TableHost } from './struct-ops-types.js'

/** Checked attributes of a map: what BPF_MAP_CREATE settled. */
export interface MapAttr {
  readonly id: number
  readonly type: number
  readonly name: string
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
  readonly mapExtra: number
  readonly innerMapId: number
  /** Maps of maps: the attributes of the template, which need not live on. */
  readonly inner?: MapAttr
  readonly btfId: number
  readonly btfKeyTypeId: number
  readonly btfValueTypeId: number
  /** struct_ops: the value's type in the kernel's BTF. */
  readonly btfVmlinuxValueTypeId?: number
  /** Parts of the value that the kernel owns (bpf_spin_lock, bpf_timer, kptr …): copies go around them, reads show zeros. Ascending. */
  readonly fields?: readonly ValueField[]
}

/** The attributes that inner maps share with their template: bpf_map_meta_equal. */
export type InnerAttr = Pick<MapAttr, 'type' | 'keySize' | 'valueSize' | 'maxEntries' | 'flags'>

export interface ValueField {
  readonly kind: string
  readonly offset: number
  readonly size: number
}

/** What a kind needs from above: memory and the little of the kernel that maps see. */
export interface MapHost {
  readonly mem: Memory
  /** Possible CPUs: per-CPU values come one behind another. */
  readonly cpus: number
  /** The CPU programs run on now. */
  cpu(): number
  random32(): number
  /** Ids become objects only through the kernel: the address of the map of that id (0: none), for maps of maps. */
  mapAddr(id: number): number
  mapIdAt(addr: number): number
  /** Attributes of another map, for the inner-map template check. */
  mapAttr(id: number): MapAttr | undefined
  /** Type of a loaded program, for prog_array and per-entry programs; undefined: no such id. */
  progType(id: number): number | undefined
  /** Its expected_attach_type, which devmap and cpumap entries ask for; absent: not checked. */
  progAttachType?(id: number): number | undefined
  /** References that an element holds keep the object alive. */
  hold(kind: 'map' | 'prog', id: number): void
  drop(kind: 'map' | 'prog', id: number): void
  deviceExists(ifindex: number): boolean
  /** The end of what parts of a value own: frames and objects behind kptrs, list nodes. */
  freeFields?(value: number, fields: readonly ValueField[]): void
  /** Tables of callbacks, for struct_ops maps; absent: this machine has none. */
  readonly tables?: TableHost
  /** Where frames in maps are kept between processes; absent: this machine has no frames. */
  readonly frames?: FrameStore
}

/** Frames in a map's order; a frame is an address whose first u32 the map uses as its link while it has the frame. */
export interface FrameQueue {
  readonly length: number
  /** 0, or -errno: the frame stays the caller's. */
  enqueue(frame: number, rankLow: number, rankHigh: number): number
  /** The first in order, whose rank is then in rankLow and rankHigh; 0: none. */
  dequeue(): number
  readonly rankLow: number
  readonly rankHigh: number
  /** What waits, in order, with the place that put() takes. */
  waiting(): Iterable<readonly [place: number, frame: number]>
  put(place: number, frame: number): void
}

export interface FrameStore {
  /** A map is in memory: puts in what it had when it was saved, and saves it from now on. */
  adopt(mapId: number, queue: FrameQueue): void
  /** The map is gone. */
  release(mapId: number): void
  free(frame: number, reason: string): void
}

/**
 * A map in memory. `addr` is what programs hold as `struct bpf_map *`. Keys and values are pointers into the one memory; results are
 * 0 or a negative errno, or a pointer (0: NULL). None of these allocates.
 */
export interface BpfMap {
  readonly attr: MapAttr
  readonly addr: number
  readonly region: Region

  // From programs.
  /** Pointer to the value (this CPU's), 0 when absent. */
  lookup(key: number): number
  update(key: number, value: number, flags: number): number
  delete(key: number): number
  /** flagsHigh: the upper half, which only maps that are `ranked` take. */
  push?(value: number, flags: number, flagsHigh?: number): number
  readonly ranked?: boolean
  pop?(value: number): number
  peek?(value: number): number
  /** bpf_map_lookup_percpu_elem */
  lookupPercpu?(key: number, cpu: number): number
  /** bpf_for_each_map_elem: calls back with (key pointer, value pointer) until it returns non-zero; the count of calls. */
  forEach?(callback: (key: number, value: number) => number): number
  /** bpf_redirect_map's view: what an entry names, undefined when empty. */
  target?(key: number): { ifindex?: number; cpu?: number; progId?: number } | undefined

  /** prog_array: id of the program in slot `index`, 0: none. What a tail call asks. */
  progAt?(index: number): number
  /** prog_array: type of the programs in it, 0: none yet; and whether a program of that type may use the map (the first one claims it). */
  ownerType?(): number
  claim?(progType: number): boolean
  /** Maps of maps: what their inner maps must look like. The template itself may be gone. */
  readonly innerAttr?: InnerAttr
  /** ringbuf */
  readonly ring?: Ring
  /** perf_event_array: one ring a CPU, as if a reader sat on every CPU. */
  readonly perf?: PerfRings
  /** pifo_xdp: the frames in it. */
  readonly frames?: FrameQueue
  /** Words and numbers of a map that counts what comes and goes. */
  counters?(): [name: string, value: number][]
  /** A device went away: entries that name it go too (devmap, devmap_hash). */
  dropDevice?(ifindex: number): void

  /** From bpf(2), on byte arrays; per-CPU values are all CPUs'. Throw KernelError. */
  sysLookup(key: Uint8Array, flags: number): Uint8Array
  sysUpdate(key: Uint8Array, value: Uint8Array, flags: number): void
  sysDelete(key: Uint8Array): void
  sysLookupAndDelete?(key: Uint8Array, flags: number): Uint8Array
  /** key undefined, or not there: the first; result undefined: no more. */
  sysNextKey(key: Uint8Array | undefined): Uint8Array | undefined
  /** Frees what elements hold (inner maps, programs), before the region goes. */
  destroy(): void
  /** Facts from which the JIT emits lookups, update and delete inline; absent: it calls the helper. */
  readonly jit?: MapJit
}

/** struct bpf_ringbuf's operations. Samples are pointers; negative: -errno. */
export interface Ring {
  /** Pointer to `size` zero-or-old bytes, 0 when there is no room. */
  reserve(size: number): number
  /** Ends a reservation. */
  submit(sample: number, discard: boolean): void
  output(data: number, size: number): number
  /** BPF_RB_AVAIL_DATA, RING_SIZE, CONS_POS, PROD_POS. */
  query(what: number): number
  /** What a consumer in user space reads: committed samples, which leave the ring. */
  drain(): Uint8Array[]
}

export interface PerfRecord {
  readonly cpu: number
  /** Virtual ns. */
  readonly time: bigint
  readonly data: Uint8Array
}

export interface PerfRings {
  /** PERF_SAMPLE_RAW of up to three pieces of memory, as [address, length] pairs. 0 or -errno. */
  output(cpu: number, time: bigint, pieces: readonly (readonly [number, number])[]): number
  /** Records of all CPUs, oldest first, which leave the rings; and how many found no room since the last drain. */
  drain(): { records: PerfRecord[]; lost: number }
}

export type MapJit = ArrayJit | HashJit

/** value(i) = base + i * stride for i < maxEntries; percpu: + cpu * cpuStride */
export interface ArrayJit {
  readonly kind: 'array'
  readonly base: number
  readonly stride: number
  readonly maxEntries: number
  readonly cpuStride?: number
}

/**
 * Chained hash, all addresses fixed for the map's life. bucket = hash & mask; u32 heads at `buckets`; element: +0 u32 next (0: end),
 * +4 u32 hash, +8 key, +valueOffset value (percpu: + cpu * cpuStride). hash: see map/hash-function.ts.
 */
export interface HashJit {
  readonly kind: 'hash'
  readonly buckets: number
  readonly mask: number
  readonly seed: number
  readonly keySize: number
  readonly valueOffset: number
  readonly cpuStride?: number
  /** LRU: a hit stores 1 as u32 here, relative to the element; undefined: no reference mark. */
  readonly refOffset?: number
}

/** One kind of map: the record that kinds.ts lists. */
export interface MapKind {
  readonly type: number
  /** bpftool's word: 'array', 'percpu_hash' … */
  readonly name: string
  /** map_alloc_check and map_alloc's errors, before anything is allocated. Throws KernelError. */
  check(attr: Omit<MapAttr, 'id'>, host: MapHost): void
  /** Bytes of region a map of these attributes needs, header included. */
  bytes(attr: MapAttr, host: MapHost): number
  /** Puts a new map into its zeroed region; later processes call open on the same bytes. */
  create(attr: MapAttr, region: Region, host: MapHost): BpfMap
  open(attr: MapAttr, region: Region, host: MapHost): BpfMap
}
