// Checks of BPF_MAP_CREATE that several kinds share: kernel/bpf/syscall.c, arraymap.c, hashtab.c.
import { KernelError } from '../bytes/errors.js'
import { MAP_F } from '../uapi/bpf.js'
import { EINVAL, type Errno } from '../uapi/errno.js'
import type { MapAttr } from './types.js'

export type NewMap = Omit<MapAttr, 'id'>

/** Flags that say who may read and write. */
export const ACCESS = MAP_F.RDONLY | MAP_F.WRONLY | MAP_F.RDONLY_PROG | MAP_F.WRONLY_PROG

/** KMALLOC_MAX_SIZE and PCPU_MIN_UNIT_SIZE of x86-64. */
export const KMALLOC_MAX_SIZE = 4 << 20
export const PCPU_MIN_UNIT_SIZE = 32 << 10

/** Throws `errno` when `bad`. */
export function refuse(bad: boolean, errno: Errno): void {
  if (bad) throw new KernelError(errno)
}

/** Flags outside `allowed`, or a map that programs may neither read nor write. */
export function checkFlags(attr: NewMap, allowed: number): void {
  refuse((attr.flags & ~allowed) !== 0 || !accessOk(attr.flags), EINVAL)
}

/** bpf_obj_name_cpy of a name that there must be. */
export const isObjectName = (name: string): boolean => /^[A-Za-z0-9_.]{1,15}$/.test(name)

/** bpf_map_flags_access_ok */
export function accessOk(flags: number): boolean {
  const both = MAP_F.RDONLY_PROG | MAP_F.WRONLY_PROG
  return (flags & both) !== both
}
