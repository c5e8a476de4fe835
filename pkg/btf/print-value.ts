// A value in memory read by its BTF type: what `bpftool map dump` shows (tools/bpf/bpftool/btf_dumper.c of 7.1). Unlike there, a type that can't
// be shown is one word in its place and not the end of the dump, and characters are always quoted well.
import type { Btf } from './btf.js'
import {
  INT_BOOL, INT_CHAR, INT_SIGNED, isModifier, KIND, type BtfArray, type BtfComposite, type BtfDatasec, type BtfEnum, type BtfInt,
} from './types.js'

/** A member's name may come twice (anonymous structs: ''), so a struct is a list. `raw` is text that only plain output may hold. */
export type BtfValue =
  | { readonly kind: 'scalar'; readonly value: string | bigint | boolean }
  | { readonly kind: 'raw'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly BtfValue[] }
  | { readonly kind: 'struct'; readonly members: readonly (readonly [string, BtfValue])[] }

const MAX_DEPTH = 64

/** Reads `bytes` as the type; `plain`: pointers, bit fields and characters as bpftool prints them without -j. */
export function readValue(btf: Btf, id: number, bytes: Uint8Array, plain: boolean): BtfValue {
  return new Reader(btf, bytes, plain).type(id, 0, 0)
}

const scalar = (value: string | bigint | boolean): BtfValue => ({ kind: 'scalar', value })

class Reader {
  readonly #btf: Btf
  readonly #bytes: Uint8Array
  readonly #plain: boolean

  constructor(btf: Btf, bytes: Uint8Array, plain: boolean) {
    this.#btf = btf
    this.#bytes = bytes
    this.#plain = plain
  }

  /** bit: where the value begins in the whole. */
  type(id: number, bit: number, depth: number): BtfValue {
    if (depth > MAX_DEPTH) return scalar('(nested too deep)')
    const t = this.#btf.type(id)
    switch (t.kind) {
      case KIND.INT: return this.#int(t, bit)
      case KIND.FLOAT: return scalar(this.#float(t.size, bit))
      case KIND.ENUM: case KIND.ENUM64: return this.#enum(t, bit)
      case KIND.PTR: return this.#pointer(bit)
      case KIND.ARRAY: return this.#array(t, bit, depth)
      case KIND.STRUCT: case KIND.UNION: return this.#composite(t, bit, depth)
      case KIND.VAR: return { kind: 'struct', members: [[t.name, this.type(t.type, bit, depth + 1)]] }
      case KIND.DATASEC: return this.#section(t, bit, depth)
      case KIND.TYPEDEF: return this.type(t.type, bit, depth + 1)
      default: return isModifier(t) ? this.type(t.type, bit, depth + 1) : scalar(t.kind === KIND.UNKN ? '(void)' : '(unsupported-kind)')
    }
  }

  /** An unsigned number of up to 128 bits that may begin at any bit. */
  #bits(bit: number, count: number): bigint {
    let value = 0n
    for (let at = ((bit + count + 7) >> 3) - 1; at >= bit >> 3; at--) value = (value << 8n) | BigInt(this.#bytes[at] ?? 0)
    return BigInt.asUintN(count, value >> BigInt(bit & 7))
  }

  #int(t: BtfInt, bit: number): BtfValue {
    const whole = t.bitOffset === 0 && (bit & 7) === 0 && [8, 16, 32, 64].includes(t.bits)
    if (!whole) return this.#hex(this.#bits(bit + t.bitOffset, t.bits))
    const value = this.#bits(bit, t.bits)
    if (t.encoding === INT_SIGNED) return scalar(BigInt.asIntN(t.bits, value))
    if (t.encoding === INT_BOOL) return scalar((value & 0xffn) !== 0n)
    if (t.encoding === INT_CHAR) return this.#char(Number(value & 0xffn))
    return scalar(value)
  }

  #char(code: number): BtfValue {
    if (code >= 0x20 && code < 0x7f) return scalar(String.fromCharCode(code))
    return this.#plain ? { kind: 'raw', text: `0x${code.toString(16)}` } : scalar(String.fromCharCode(code))
  }

  #hex(value: bigint): BtfValue {
    const text = `0x${value.toString(16)}`
    return this.#plain ? { kind: 'raw', text } : scalar(text)
  }

  #float(size: number, bit: number): string {
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength)
    if ((bit >> 3) + size > this.#bytes.length) return '(truncated)'
    return size === 8 ? String(view.getFloat64(bit >> 3, true)) : size === 4 ? String(view.getFloat32(bit >> 3, true)) : '(unsupported-kind)'
  }

  #enum(t: BtfEnum, bit: number): BtfValue {
    const stored = this.#bits(bit, t.size * 8)
    const value = t.signed || t.kind === KIND.ENUM ? BigInt.asIntN(t.size * 8, stored) : stored
    const known = t.values.find((one) => BigInt.asUintN(t.size * 8, one.value) === stored)
    return scalar(known?.name ?? value)
  }

  /** %p: (nil) for the null pointer. */
  #pointer(bit: number): BtfValue {
    const value = this.#bits(bit, 64)
    if (!this.#plain) return scalar(value)
    return { kind: 'raw', text: value === 0n ? '(nil)' : `0x${value.toString(16)}` }
  }

  #array(t: BtfArray, bit: number, depth: number): BtfValue {
    const text = this.#string(t, bit)
    if (text !== undefined) return scalar(text)
    const size = this.#btf.sizeof(t.element) ?? 0
    const room = size === 0 ? 0 : Math.floor((this.#bytes.length - (bit >> 3)) / size)
    const items = Array.from({ length: Math.min(t.count, room) }, (_, i) => this.type(t.element, bit + i * size * 8, depth + 1))
    return { kind: 'array', items }
  }

  /** Printable characters up to a NUL that is inside; a typedef of char is no character. */
  #string(t: BtfArray, bit: number): string | undefined {
    let element = this.#btf.type(t.element)
    while (isModifier(element)) element = this.#btf.type(element.type)
    if (element.kind !== KIND.INT || element.size !== 1 || (element.encoding !== INT_CHAR && element.name !== 'char')) return undefined
    const chars = this.#bytes.subarray(bit >> 3, (bit >> 3) + t.count)
    const end = chars.indexOf(0)
    if (end < 0 || chars.subarray(0, end).some((code) => code <= 0x1f || code >= 0x7f)) return undefined
    return String.fromCharCode(...chars.subarray(0, end))
  }

  #composite(t: BtfComposite, bit: number, depth: number): BtfValue {
    return {
      kind: 'struct',
      members: t.members.map((m) => [
        m.name, m.bitSize ? this.#hex(this.#bits(bit + m.bitOffset, m.bitSize)) : this.type(m.type, bit + m.bitOffset, depth + 1),
      ] as const),
    }
  }

  #section(t: BtfDatasec, bit: number, depth: number): BtfValue {
    const items = t.vars.map((v) => this.type(v.type, bit + v.offset * 8, depth + 1))
    return { kind: 'struct', members: [[t.name, { kind: 'array', items }]] }
  }
}

