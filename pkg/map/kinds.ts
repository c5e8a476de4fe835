// All map kinds. A new one is a line here and a file beside this one: include/linux/bpf_types.h.
import { KernelError } from '../bytes/errors.js'
import { REGIONS } from '../mem/layout.js'
import { MAP_F, MAP_TYPE } from '../uapi/bpf.js'
import { E2BIG, EINVAL, ENOMEM, EOPNOTSUPP } from '../uapi/errno.js'
import { RFC_MAP_TYPE } from '../uapi/rfc.js'
import { array, percpuArray } from './arraymap.js'
import { arrayOfMaps, progArray } from './arraymap-fd.js'
import { perfEventArray } from './arraymap-perf.js'
import { MAX_KEY } from './base.js'
import { bloomFilter } from './bloom_filter.js'
import { structOps } from './bpf_struct_ops.js'
import { refuse, type NewMap } from './check.js'
import { cpumap } from './cpumap.js'
import { devmap } from './devmap.js'
import { devmapHash } from './devmap-hash.js'
import { hash, lruEntries, lruHash, lruPercpuHash, percpuHash } from './hashtab.js'
import { hashOfMaps } from './hashtab-maps.js'
import { lpmTrie } from './lpm_trie.js'
import { pifoGeneric } from './pifo-generic.js'
import { pifoXdp } from './pifo-xdp.js'
import { queue, stack } from './queue_stack_maps.js'
import { ringbuf } from './ringbuf.js'
import type { MapAttr, MapHost, MapKind } from './types.js'
import { xskmap } from './xskmap.js'

export const MAP_KINDS: readonly MapKind[] = [
  hash,
  array,
  progArray,
  perfEventArray,
  percpuHash,
  percpuArray,
  lruHash,
  lruPercpuHash,
  lpmTrie,
  arrayOfMaps,
  hashOfMaps,
  devmap,
  cpumap,
  xskmap,
  queue,
  stack,
  devmapHash,
  ringbuf,
  bloomFilter,
  structOps,
  pifoGeneric,
  pifoXdp,
]

/** Types that map_extra says something of. */
const EXTRA: ReadonlySet<number> = new Set([MAP_TYPE.BLOOM_FILTER, MAP_TYPE.ARENA, RFC_MAP_TYPE.PIFO_GENERIC, RFC_MAP_TYPE.PIFO_XDP])

/** Programs only read their entries, and the flags say so. */
const READ_ONLY: ReadonlySet<number> = new Set([RFC_MAP_TYPE.PIFO_XDP])

const byType = new Map(MAP_KINDS.map((kind) => [kind.type, kind]))

/** The kind of a type number; EINVAL for what the kernel has no such map for. */
export function mapKind(type: number): MapKind {
  const kind = byType.get(type)
  if (!kind) throw unknown(type)
  return kind
}

/** Linux has it and this machine doesn't, or nobody has it. */
function unknown(type: number): KernelError {
  const [name] = Object.entries(MAP_TYPE).find(([, value]) => value === type) ?? []
  return name === undefined || type === MAP_TYPE.UNSPEC ? new KernelError(EINVAL) : new KernelError(EOPNOTSUPP, `not supported yet: map type ${name}`)
}

/** map_create's checks, common ones first: the attributes as the map will have them, or the kernel's errno. */
export function checkMap<T extends NewMap>(attr: T, host: MapHost): T {
  refuse(attr.mapExtra !== 0 && !EXTRA.has(attr.type), EINVAL)
  refuse((attr.flags & MAP_F.RDONLY) !== 0 && (attr.flags & MAP_F.WRONLY) !== 0, EINVAL)
  const kind = mapKind(attr.type)
  kind.check(attr, host)
  if (attr.keySize > MAX_KEY) throw new KernelError(E2BIG, `not supported yet: keys of more than ${MAX_KEY} bytes`)
  const settled = { ...attr, maxEntries: lruEntries(attr, host.cpus), flags: attr.flags | (READ_ONLY.has(attr.type) ? MAP_F.RDONLY_PROG : 0) }
  refuse(kind.bytes(settled as NewMap as MapAttr, host) > host.mem.size - REGIONS, ENOMEM)
  return settled
}
