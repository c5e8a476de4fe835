// Types -> bytes: the inverse of parse.ts, with each string once.
import { BTF_MAGIC } from './parse.js'
import { KIND, type BtfType } from './types.js'

/** Raw BTF of types whose ids are 1, 2, 3 … in order. */
export function encodeBtf(types: readonly BtfType[]): Uint8Array {
  const strings = new StringTable()
  const words = types.flatMap(t => encodeType(t, strings))
  const text = strings.bytes()
  const bytes = new Uint8Array(24 + words.length * 4 + text.length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, BTF_MAGIC, true)
  view.setUint8(2, 1)
  const header = [24, 0, words.length * 4, words.length * 4, text.length]
  header.forEach((word, i) => view.setUint32(4 + i * 4, word, true))
  words.forEach((word, i) => view.setUint32(24 + i * 4, word >>> 0, true))
  bytes.set(text, 24 + words.length * 4)
  return bytes
}

class StringTable {
  readonly #offsets = new Map([['', 0]])
  readonly #parts: Uint8Array[] = [new Uint8Array(1)]
  #end = 1

  offset(text: string): number {
    const known = this.#offsets.get(text)
    if (known !== undefined) return known
    const part = new TextEncoder().encode(`${text}\0`)
    this.#parts.push(part)
    this.#offsets.set(text, this.#end)
    this.#end += part.length
    return this.#end - part.length
  }

  bytes(): Uint8Array {
    const out = new Uint8Array(this.#end)
    let at = 0
    for (const part of this.#parts) {
      out.set(part, at)
      at += part.length
    }
    return out
  }
}

function encodeType(t: BtfType, strings: StringTable): number[] {
  const head = (vlen: number, word: number, flag = false): number[] =>
    [strings.offset(t.name), ((flag ? 1 : 0) << 31) | (t.kind << 24) | vlen, word]
  switch (t.kind) {
    case KIND.UNKN: return []
    case KIND.INT: return [...head(0, t.size), (t.encoding << 24) | (t.bitOffset << 16) | t.bits]
    case KIND.PTR: case KIND.TYPEDEF: return head(0, t.type)
    case KIND.CONST: case KIND.VOLATILE: case KIND.RESTRICT: case KIND.TYPE_TAG: return head(0, t.type, t.flag)
    case KIND.ARRAY: return [...head(0, 0), t.element, t.index, t.count]
    case KIND.STRUCT: case KIND.UNION:
      return [...head(t.members.length, t.size, t.flag),
        ...t.members.flatMap(m => [strings.offset(m.name), m.type, t.flag ? (m.bitSize << 24) | m.bitOffset : m.bitOffset])]
    case KIND.ENUM:
      return [...head(t.values.length, t.size, t.signed), ...t.values.flatMap(v => [strings.offset(v.name), low(v.value)])]
    case KIND.ENUM64:
      return [...head(t.values.length, t.size, t.signed), ...t.values.flatMap(v => [strings.offset(v.name), low(v.value), low(v.value >> 32n)])]
    case KIND.FWD: return head(0, 0, t.union)
    case KIND.FUNC: return head(t.linkage, t.type)
    case KIND.FUNC_PROTO: return [...head(t.params.length, t.ret), ...t.params.flatMap(p => [strings.offset(p.name), p.type])]
    case KIND.VAR: return [...head(0, t.type), t.linkage]
    case KIND.DATASEC: return [...head(t.vars.length, t.size), ...t.vars.flatMap(v => [v.type, v.offset, v.size])]
    case KIND.FLOAT: return head(0, t.size)
    case KIND.DECL_TAG: return [...head(0, t.type, t.flag), t.component]
  }
}

function low(value: bigint): number {
  return Number(BigInt.asUintN(32, value))
}

/** The same type with every id it names put through `map`, under a new id of its own. */
export function renumber(t: BtfType, id: number, map: (id: number) => number): BtfType {
  switch (t.kind) {
    case KIND.ARRAY: return { ...t, id, element: map(t.element), index: map(t.index) }
    case KIND.STRUCT: case KIND.UNION: return { ...t, id, members: t.members.map(m => ({ ...m, type: map(m.type) })) }
    case KIND.FUNC_PROTO: return { ...t, id, ret: map(t.ret), params: t.params.map(p => ({ ...p, type: map(p.type) })) }
    case KIND.DATASEC: return { ...t, id, vars: t.vars.map(v => ({ ...v, type: map(v.type) })) }
    case KIND.UNKN: case KIND.INT: case KIND.ENUM: case KIND.ENUM64: case KIND.FWD: case KIND.FLOAT: return { ...t, id }
    default: return { ...t, id, type: map(t.type) }
  }
}
