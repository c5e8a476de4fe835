// What bpf(2) carries: one entry a command of enum bpf_cmd, as values. Ids stand where the kernel has file descriptors: an
// object that a command made and nothing refers to when its transaction ends is gone, as one whose last fd closes.
import type { Insn } from '../insn/insn.js'

/** Attributes of BPF_MAP_CREATE. `mapId`s stand for fds. */
export interface MapCreate {
  type: number
  name?: string
  keySize: number
  valueSize: number
  maxEntries: number
  flags?: number
  mapExtra?: number
  innerMapId?: number
  numaNode?: number
  btfId?: number
  btfKeyTypeId?: number
  btfValueTypeId?: number
  btfVmlinuxValueTypeId?: number
}

export interface MapInfo {
  id: number
  type: number
  name: string
  keySize: number
  valueSize: number
  maxEntries: number
  flags: number
  mapExtra: number
  btfId: number
  btfKeyTypeId: number
  btfValueTypeId: number
  btfVmlinuxId: number
  /** struct_ops: the value's type in the kernel's BTF. */
  btfVmlinuxValueTypeId?: number
  frozen: boolean
  memlock: number
  /** Virtual ns of creation. */
  loadTime: number
  /** Paths below the emulated /sys/fs/bpf. */
  pins: string[]
  /** Type of the program that owns a prog_array, once one does. */
  ownerProgType?: number
  ownerJited?: boolean
  innerMapId?: number
}

/** key/value bytes; a per-CPU value is every possible CPU's value, each rounded up to 8 bytes, one after another. */
export interface MapElem {
  mapId: number
  key: Uint8Array
  flags?: number
}

/** func_info and line_info are the records of .BTF.ext, re-based to `insns`, with their record sizes. */
export interface ProgLoad {
  type: number
  name?: string
  insns: readonly Insn[]
  license: string
  expectedAttachType?: number
  flags?: number
  kernVersion?: number
  btfId?: number
  funcInfo?: { recSize: number; bytes: Uint8Array }
  lineInfo?: { recSize: number; bytes: Uint8Array }
  attachBtfId?: number
  attachProgId?: number
  /** 0 none, 1, 2, | 4 stats: as log_level of bpf(2). */
  logLevel?: number
  /** Which reading of the proposals' numbers and contexts holds (spec: sch_bpf v1..v7, physdev1, physdev2, pifo2022). */
  dialect?: string
}

export interface ProgInfo {
  id: number
  type: number
  name: string
  tag: string
  gplCompatible: boolean
  loadTime: number
  uid: number
  xlatedLen: number
  jitedLen: number
  jited: boolean
  memlock: number
  mapIds: number[]
  btfId: number
  attachBtfId: number
  verifiedInsns: number
  runTimeNs: number
  runCnt: number
  recursionMisses: number
  pins: string[]
  dialect?: string
  expectedAttachType: number
  license: string
}

/** Everything `prog dump` prints; insns is the xlated form. */
export interface ProgDump {
  info: ProgInfo
  xlated: readonly Insn[]
  /** The wasm module, when the program has been compiled. */
  jited?: Uint8Array
  funcInfo?: { recSize: number; bytes: Uint8Array }
  lineInfo?: { recSize: number; bytes: Uint8Array }
  maps: { id: number; name: string }[]
  /** Functions by first slot with the tags they would have alone: names of calls in dumps. */
  subprogs?: readonly { readonly slot: number; readonly tag: string }[]
}

export interface TestRun {
  progId: number
  dataIn?: Uint8Array
  ctxIn?: Uint8Array
  repeat?: number
  flags?: number
  cpu?: number
  batchSize?: number
  /** Bytes the caller has room for; more is cut and ENOSPC set. */
  dataSizeOut?: number
  ctxSizeOut?: number
}

export interface TestRunResult {
  retval: number
  duration: number
  dataOut?: Uint8Array
  ctxOut?: Uint8Array
  /** True when dataOut was cut (ENOSPC). */
  truncated?: boolean
}

export interface BtfInfo {
  id: number
  name: string
  size: number
  kernel: boolean
  progIds: number[]
  mapIds: number[]
  pins: string[]
}

export interface LinkInfo {
  id: number
  type: number
  progId: number
  attachType: number
  ifindex: number
  pins: string[]
  /** struct_ops: the map that it registers, 0 once detached. */
  mapId?: number
}

/** A program on a device, or a struct_ops map that the link registers. */
export type LinkCreate =
  | { progId: number; mapId?: undefined; ifindex: number; attachType: number; flags?: number; before?: number; after?: number }
  | { mapId: number; attachType: number; flags?: number }

export type LinkUpdate =
  | { linkId: number; progId: number; mapId?: undefined; oldProgId?: number }
  | { linkId: number; mapId: number; oldMapId?: number; flags?: number }

export type ObjKind = 'prog' | 'map' | 'link'

/** op -> [request, reply]. Every handler throws KernelError on refusal. */
export interface BpfRequests {
  'map.create': [MapCreate, { id: number }]
  'map.lookup': [MapElem, Uint8Array]
  'map.update': [MapElem & { value: Uint8Array }, void]
  'map.delete': [MapElem, void]
  'map.lookup_and_delete': [MapElem, Uint8Array]
  /** key absent: the first key; reply undefined at the end. */
  'map.next_key': [{ mapId: number; key?: Uint8Array }, Uint8Array | undefined]
  /** Whole content at once, in get_next_key order: what dump needs, without a request a key. */
  'map.entries': [{ mapId: number }, { key: Uint8Array; value: Uint8Array | undefined; error?: number }[]]
  /** Words and numbers of a map that counts what comes and goes; none of one that doesn't. */
  'map.counters': [{ mapId: number }, [name: string, value: number][]]
  'map.freeze': [{ mapId: number }, void]
  'map.info': [{ id: number }, MapInfo]
  'map.list': [Record<string, never>, MapInfo[]]
  'prog.load': [ProgLoad, { id: number; log: string; notes: string[] }]
  'prog.info': [{ id: number }, ProgInfo]
  'prog.list': [Record<string, never>, ProgInfo[]]
  'prog.dump': [{ id: number }, ProgDump]
  'prog.test_run': [TestRun, TestRunResult]
  'btf.load': [{ bytes: Uint8Array; name?: string }, { id: number }]
  'btf.info': [{ id: number }, BtfInfo]
  'btf.list': [Record<string, never>, BtfInfo[]]
  'btf.bytes': [{ id: number }, Uint8Array]
  'bpf_link.create': [LinkCreate, { id: number }]
  'bpf_link.update': [LinkUpdate, void]
  'bpf_link.detach': [{ linkId: number }, void]
  'bpf_link.info': [{ id: number }, LinkInfo]
  'bpf_link.list': [Record<string, never>, LinkInfo[]]
  /** Paths are absolute, below /sys/fs/bpf. */
  'obj.pin': [{ kind: ObjKind; id: number; path: string }, void]
  'obj.get': [{ path: string }, { kind: ObjKind; id: number }]
  'obj.unpin': [{ path: string }, void]
  'obj.list': [{ prefix?: string }, { path: string; kind: ObjKind; id: number }[]]
  /** bpf_trace_printk lines since the last read, in trace_pipe's format; keep: don't consume. */
  'trace.read': [{ keep?: boolean }, string[]]
}
