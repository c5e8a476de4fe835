// All map kinds. A new one is a line here and a file beside this one: include/linux/bpf_types.h.
import { KernelError } from '../bytes/errors.js'
import { MAP_F, MAP_TYPE } from '../uapi/bpf.js'
import { EINVAL } from '../uapi/errno.js'
import { array, percpuArray } from './arraymap.js'
import { refuse, type NewMap } from './check.js'
import { hash, lruEntries, lruHash, lruPercpuHash, percpuHash } from './hashtab.js'
import type { MapHost, MapKind } from './types.js'

export const MAP_KINDS: readonly MapKind[] = [
  hash,
  array,
  percpuHash,
  percpuArray,
  lruHash,
  lruPercpuHash,
]

const byType = new Map(MAP_KINDS.map((kind) => [kind.type, kind]))

/** The kind of a type number; EINVAL for what the kernel has no such map for. */
export function mapKind(type: number): MapKind {
  const kind = byType.get(type)
  if (!kind) throw new KernelError(EINVAL)
  return kind
}

/** map_create's checks, common ones first: the attributes as the map will have them, or the kernel's errno. */
export function checkMap<T extends NewMap>(attr: T, host: MapHost): T {
  refuse(attr.mapExtra !== 0 && attr.type !== MAP_TYPE.BLOOM_FILTER && attr.type !== MAP_TYPE.ARENA, EINVAL)
  refuse((attr.flags & MAP_F.RDONLY) !== 0 && (attr.flags & MAP_F.WRONLY) !== 0, EINVAL)
  const kind = mapKind(attr.type)
  kind.check(attr, host)
  return { ...attr, maxEntries: lruEntries(attr, host.cpus) }
}
