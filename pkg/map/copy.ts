// Copies of keys and values. Parts of a value that the kernel owns stay what they are: include/linux/bpf.h, copy_map_value.
import type { Memory } from '../mem/memory.js'
import type { ValueField } from './types.js'

/** Short copies word by word: a call of copyWithin costs more than they do. */
const SHORT = 64

/** memmove inside the memory. */
export function copyBytes(mem: Memory, to: number, from: number, size: number): void {
  const { u8, i32 } = mem
  if (size > SHORT) {
    u8.copyWithin(to, from, from + size)
  } else if (((to | from | size) & 3) === 0) {
    const end = (from + size) >> 2
    for (let at = from >> 2, into = to >> 2; at < end; at += 1, into += 1) i32[into] = i32[at]!
  } else {
    for (let i = 0; i < size; i += 1) u8[to + i] = u8[from + i]!
  }
}

export function sameBytes(u8: Uint8Array, a: number, b: number, size: number): boolean {
  for (let i = 0; i < size; i += 1) if (u8[a + i] !== u8[b + i]) return false
  return true
}

/** Copies a value around its special fields. */
export function copyValue(mem: Memory, to: number, from: number, size: number, fields: readonly ValueField[] | undefined): void {
  if (!fields) return copyBytes(mem, to, from, size)
  for (const [start, end] of gaps(size, fields)) copyBytes(mem, to + start, from + start, end - start)
}

/** Puts user bytes into a value, around its special fields. */
export function putValue(mem: Memory, to: number, value: Uint8Array, fields: readonly ValueField[] | undefined): void {
  if (!fields) return mem.u8.set(value, to)
  for (const [start, end] of gaps(value.length, fields)) mem.u8.set(value.subarray(start, end), to + start)
}

/** A value's bytes as user space sees them: special fields are zeros. */
export function getValue(mem: Memory, from: number, size: number, fields: readonly ValueField[] | undefined): Uint8Array {
  const value = mem.u8.slice(from, from + size)
  for (const field of fields ?? []) value.fill(0, field.offset, field.offset + field.size)
  return value
}

/** Special fields of an element that takes another's place: unlocked, unarmed, empty. */
export function clearFields(mem: Memory, value: number, fields: readonly ValueField[]): void {
  for (const { offset, size } of fields) mem.u8.fill(0, value + offset, value + offset + size)
}

function* gaps(size: number, fields: readonly ValueField[]): Generator<[number, number]> {
  let at = 0
  for (const field of fields) {
    yield [at, field.offset]
    at = field.offset + field.size
  }
  yield [at, size]
}
