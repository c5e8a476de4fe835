// What all kinds share: the header, and the bpf(2) side in front of each kind's own operations. kernel/bpf/syscall.c.
import { KernelError } from '../bytes/errors.js'
import { MAP_STAGING, MAP_STAGING_END } from '../mem/layout.js'
import type { Memory } from '../mem/memory.js'
import type { Region } from '../mem/space.js'
import { MAP_F, UPDATE } from '../uapi/bpf.js'
import { EINVAL, ENOENT, ENOTSUPP, EOPNOTSUPP, EPERM, type Errno } from '../uapi/errno.js'
import { getValue, putValue } from './copy.js'
import { round8 } from './header.js'
import type { BpfMap, MapAttr, MapHost } from './types.js'

/** Widest key that bpf(2) can hand in. */
export const MAX_KEY = (MAP_STAGING_END - MAP_STAGING) / 2
/** Values that operations take as pointers, wider ones never do. */
export const STAGED_VALUE = MAP_STAGING + MAX_KEY

/**
 * A map in its region. A kind gives the operations that programs use, with `place` in the middle of update; the user's side of lookup,
 * update and delete follows from them, and a kind overrides what it does differently.
 */
export abstract class MapBase implements BpfMap {
  readonly attr: MapAttr
  readonly region: Region
  readonly addr: number
  protected readonly host: MapHost
  protected readonly mem: Memory

  constructor(attr: MapAttr, region: Region, host: MapHost) {
    this.attr = attr
    this.region = region
    this.addr = region.addr
    this.host = host
    this.mem = host.mem
  }

  abstract lookup(key: number): number
  abstract update(key: number, value: number, flags: number): number
  abstract delete(key: number): number

  /** Pointer to the whole value (all CPUs') without any effect on the map; 0: absent. */
  protected find(key: number): number {
    return this.lookup(key)
  }

  /** Where update has to put the value of that key, or -errno. */
  protected place(_key: number, _flags: number): number {
    return -EOPNOTSUPP
  }

  /** The key that follows, for get_next_key: 0 at the end. */
  protected next(_key: number): number {
    return -ENOTSUPP
  }

  /** Bytes of a value as user space passes it. */
  protected get userValueSize(): number {
    return this.attr.valueSize
  }

  sysLookup(key: Uint8Array, flags: number): Uint8Array {
    this.checkRead()
    this.checkFlags(flags)
    const value = this.find(this.stageKey(key))
    if (value === 0) throw new KernelError(ENOENT)
    if (value < 0) throw kernelError(value)
    return this.readValue(value)
  }

  sysUpdate(key: Uint8Array, value: Uint8Array, flags: number): void {
    this.checkWrite()
    this.checkLock(flags)
    if (value.length !== this.userValueSize) throw new KernelError(EINVAL)
    const at = this.place(this.stageKey(key), flags)
    if (at < 0) throw kernelError(at)
    this.writeValue(at, value)
  }

  sysDelete(key: Uint8Array): void {
    this.checkWrite()
    answer(this.delete(this.stageKey(key)))
  }

  sysLookupAndDelete(_key: Uint8Array, flags: number): Uint8Array {
    this.checkTake(flags)
    throw new KernelError(ENOTSUPP)
  }

  sysNextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    this.checkRead()
    const next = this.next(key ? this.stageKey(key) : 0)
    if (next < 0) throw kernelError(next)
    return next === 0 ? undefined : this.mem.u8.slice(next, next + this.attr.keySize)
  }

  destroy(): void {}

  protected readValue(at: number): Uint8Array {
    return getValue(this.mem, at, this.userValueSize, this.attr.fields)
  }

  protected writeValue(at: number, value: Uint8Array): void {
    this.touch()
    putValue(this.mem, at, value, this.attr.fields)
  }

  /** Copies a key into memory, where operations expect it. */
  protected stageKey(key: Uint8Array): number {
    if (key.length !== this.attr.keySize) throw new KernelError(EINVAL)
    this.mem.u8.set(key, MAP_STAGING)
    return MAP_STAGING
  }

  protected checkRead(): void {
    if (this.attr.flags & MAP_F.WRONLY) throw new KernelError(EPERM)
  }

  protected checkWrite(): void {
    if (this.attr.flags & MAP_F.RDONLY) throw new KernelError(EPERM)
  }

  /** Flags of lookup and lookup_and_delete. */
  protected checkFlags(flags: number): void {
    if (flags & ~UPDATE.F_LOCK) throw new KernelError(EINVAL)
    this.checkLock(flags)
  }

  /** What lookup_and_delete asks before the kind: it reads and writes. */
  protected checkTake(flags: number): void {
    if (flags & ~UPDATE.F_LOCK) throw new KernelError(EINVAL)
    this.checkRead()
    this.checkWrite()
    this.checkLock(flags)
  }

  protected checkLock(flags: number): void {
    if (flags & UPDATE.F_LOCK && !this.hasLock) throw new KernelError(EINVAL)
  }

  protected get hasLock(): boolean {
    return this.attr.fields?.some((field) => field.kind === 'spin_lock') ?? false
  }

  protected touch(): void {
    this.region.touched = true
  }

  protected word(offset: number): number {
    return this.mem.u32[(this.addr + offset) >> 2]!
  }

  protected setWord(offset: number, value: number): void {
    this.mem.u32[(this.addr + offset) >> 2] = value
  }
}

/** Throws when an operation answered with a negative errno. */
export function answer(result: number): void {
  if (result < 0) throw kernelError(result)
}

export function kernelError(result: number): KernelError {
  return new KernelError(-result as Errno)
}

/** Bytes of one CPU's values of all CPUs, as bpf(2) carries them. */
export function percpuSize(valueSize: number, cpus: number): number {
  return round8(valueSize) * cpus
}

/** Update flags that every kind with keys knows: more than EXIST is no flag. */
export function badUpdate(flags: number): boolean {
  return (flags & ~UPDATE.F_LOCK) >>> 0 > UPDATE.EXIST
}
