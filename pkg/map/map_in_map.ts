// What an inner map must look like: kernel/bpf/map_in_map.c. The outer map keeps a copy of its template's attributes.
import { KernelError, must } from '../bytes/errors.js'
import type { Memory } from '../mem/memory.js'
import { MAP_F, MAP_TYPE } from '../uapi/bpf.js'
import { EBADF, EINVAL, ENOTSUPP } from '../uapi/errno.js'
import { refuse } from './check.js'
import { MAP } from './header.js'
import type { InnerAttr, MapAttr, MapHost } from './types.js'

/** bpf_map_meta_alloc */
export function checkTemplate(id: number, host: MapHost): void {
  const inner = host.mapAttr(id)
  if (!inner) throw new KernelError(EBADF)
  refuse(inner.type === MAP_TYPE.ARRAY_OF_MAPS || inner.type === MAP_TYPE.HASH_OF_MAPS, EINVAL)
  refuse(inner.type === MAP_TYPE.PROG_ARRAY, ENOTSUPP)
}

export function writeTemplate(attr: MapAttr, addr: number, host: MapHost): void {
  const inner = must(host.mapAttr(attr.innerMapId), 'inner map is there')
  const words = [inner.type, inner.keySize, inner.valueSize, inner.maxEntries, inner.flags]
  words.forEach((word, i) => { host.mem.u32[((addr + MAP.inner) >> 2) + i] = word })
}

export function readTemplate(mem: Memory, addr: number): InnerAttr {
  const at = (addr + MAP.inner) >> 2
  const [type, keySize, valueSize, maxEntries, flags] = mem.u32.subarray(at, at + 5) as unknown as [number, number, number, number, number]
  return { type, keySize, valueSize, maxEntries, flags }
}

/** map_fd_get_ptr: the map of that id may go where `template` says. */
export function checkInner(template: InnerAttr, id: number, host: MapHost): void {
  const inner = host.mapAttr(id)
  if (!inner) throw new KernelError(EBADF)
  refuse(!metaEqual(template, inner), EINVAL)
}

/** Who may read and write through the system call is not part of a map's identity. */
const SYSCALL_FLAGS = MAP_F.RDONLY | MAP_F.WRONLY

/** bpf_map_meta_equal, and max_entries where programs have it compiled in. */
function metaEqual(a: InnerAttr, b: InnerAttr): boolean {
  const same = a.type === b.type && a.keySize === b.keySize && a.valueSize === b.valueSize && ((a.flags ^ b.flags) & ~SYSCALL_FLAGS) === 0
  return same && (a.maxEntries === b.maxEntries || !fixedEntries(a))
}

function fixedEntries({ type, flags }: InnerAttr): boolean {
  return (type === MAP_TYPE.ARRAY && (flags & MAP_F.INNER_MAP) === 0) || type === MAP_TYPE.PERCPU_ARRAY || type === MAP_TYPE.XSKMAP
}
