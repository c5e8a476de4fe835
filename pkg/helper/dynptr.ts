// struct bpf_dynptr_kern on a program's stack: u64 data, u32 size with type bits, u32 offset. include/linux/bpf.h
import type { Memory } from '../mem/memory.js'

const RDONLY = 0x80000000
const TYPE_SHIFT = 28
const SIZE = 0xffffff

/** enum bpf_dynptr_type */
export const DYNPTR_LOCAL = 1
export const DYNPTR_RINGBUF = 2
export const DYNPTR_SKB = 3
export const DYNPTR_XDP = 4

export function setDynptr(mem: Memory, at: number, data: number, size: number, type: number, rdonly = false): void {
  const word = at >> 2
  mem.u32[word] = data
  mem.u32[word + 1] = 0
  mem.u32[word + 2] = (size | (type << TYPE_SHIFT) | (rdonly ? RDONLY : 0)) >>> 0
  mem.u32[word + 3] = 0
}

/** bpf_dynptr_set_null */
export function clearDynptr(mem: Memory, at: number): void {
  mem.u8.fill(0, at, at + 16)
}

/** What it points to (an skb or xdp_buff for those types); 0: null. */
export function dynptrData(mem: Memory, at: number): number {
  return mem.u32[at >> 2]!
}

export function dynptrSize(mem: Memory, at: number): number {
  return mem.u32[(at + 8) >> 2]! & SIZE
}

export function dynptrType(mem: Memory, at: number): number {
  return (mem.u32[(at + 8) >> 2]! >>> TYPE_SHIFT) & 7
}

export function dynptrReadOnly(mem: Memory, at: number): boolean {
  return (mem.u32[(at + 8) >> 2]! & RDONLY) !== 0
}

/** bpf_dynptr_check_off_len */
export function outsideDynptr(mem: Memory, at: number, offset: number, len: number): boolean {
  const size = dynptrSize(mem, at)
  return len >>> 0 > size || offset >>> 0 > size - (len >>> 0)
}

/** Begins `start` bytes later and is `size` bytes long. */
export function adjustDynptr(mem: Memory, at: number, start: number, size: number): void {
  mem.u32[(at + 12) >> 2]! += start
  const word = (at + 8) >> 2
  mem.u32[word] = ((mem.u32[word]! & ~SIZE) | size) >>> 0
}

export function dynptrOffset(mem: Memory, at: number): number {
  return mem.u32[(at + 12) >> 2]!
}
