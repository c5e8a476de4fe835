// Bytes -> types: struct btf_header and the records behind it (Documentation/bpf/btf.rst). Bounded and fail closed: a record
// that is cut off, a kind that is unknown or a type id that does not exist refuses the whole blob.
import type { BtfError } from './error.js'
import { BtfStrings } from './strings.js'
import { KIND, type BtfType, type Kind } from './types.js'

export const BTF_MAGIC = 0xeb9f
const HEADER_SIZE = 24
/** BTF_MAX_TYPE of the kernel. */
const MAX_TYPES = 0xfffff

export interface ParsedBtf {
  readonly types: BtfType[]
  readonly strings: BtfStrings
}

/** Types from `firstId` on (1, or behind those of a base BTF). */
export function parseTypes(bytes: Uint8Array, firstId: number, base: BtfStrings | undefined, fail: BtfError): ParsedBtf {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const header = readHeader(view, fail)
  const strings = new BtfStrings(bytes.subarray(header.strings, header.strings + header.stringsSize), fail, base)
  checkStrings(strings.bytes, base !== undefined, fail)
  const reader = new TypeReader(view, header.types, header.types + header.typesSize, strings, fail)
  const types: BtfType[] = []
  while (!reader.done) {
    if (firstId + types.length > MAX_TYPES) throw fail(`more than ${MAX_TYPES} types`)
    types.push(reader.next(firstId + types.length))
  }
  const count = firstId + types.length
  for (const t of types) checkIds(t, count, fail)
  return { types, strings }
}

function readHeader(view: DataView, fail: BtfError): { types: number; typesSize: number; strings: number; stringsSize: number } {
  if (view.byteLength < HEADER_SIZE) throw fail('BTF header not found')
  const magic = view.getUint16(0, true)
  if (magic === 0x9feb) throw fail('BTF in non-native endianness is not supported')
  if (magic !== BTF_MAGIC) throw fail(`Invalid BTF magic: ${magic.toString(16)}`)
  if (view.getUint8(2) !== 1) throw fail(`Unsupported BTF version: ${view.getUint8(2)}`)
  if (view.getUint8(3) !== 0) throw fail(`Unsupported BTF flags: ${view.getUint8(3)}`)
  const u32 = (at: number): number => view.getUint32(at, true)
  const length = u32(4)
  if (length < HEADER_SIZE || length > view.byteLength) throw fail(`Invalid BTF header length: ${length}`)
  const [types, typesSize, strings, stringsSize] = [length + u32(8), u32(12), length + u32(16), u32(20)]
  if (types % 4) throw fail('BTF type section is not aligned to 4 bytes')
  if (types + typesSize > view.byteLength) throw fail('BTF type section is beyond the end')
  if (strings + stringsSize > view.byteLength) throw fail('BTF string section is beyond the end')
  return { types, typesSize, strings, stringsSize }
}

function checkStrings(bytes: Uint8Array, split: boolean, fail: BtfError): void {
  if (split && bytes.length === 0) return
  if (bytes.length === 0 || bytes[bytes.length - 1] !== 0) throw fail('Invalid BTF string section')
  if (!split && bytes[0] !== 0) throw fail('Invalid BTF string section')
}

/** Reads one struct btf_type after the other. */
class TypeReader {
  readonly #view: DataView
  readonly #end: number
  readonly #strings: BtfStrings
  readonly #fail: BtfError
  #at: number

  constructor(view: DataView, start: number, end: number, strings: BtfStrings, fail: BtfError) {
    this.#view = view
    this.#at = start
    this.#end = end
    this.#strings = strings
    this.#fail = fail
  }

  get done(): boolean {
    return this.#at >= this.#end
  }

  next(id: number): BtfType {
    if (this.#at + 12 > this.#end) throw this.#fail(`type [${id}] is cut off`)
    const name = this.#strings.at(this.#u32())
    const info = this.#u32()
    const sizeOrType = this.#u32()
    const kind = (info >>> 24) & 0x1f
    if (kind === KIND.UNKN || kind > KIND.ENUM64) throw this.#fail(`type [${id}] '${name}' has unsupported BTF_KIND:${kind}`)
    const vlen = info & 0xffff
    if (this.#at + tailSize(kind as Kind, vlen) > this.#end) throw this.#fail(`type [${id}] '${name}' is cut off`)
    return this.#tail(id, kind as Kind, name, vlen, info >>> 31 === 1, sizeOrType)
  }

  #u32(): number {
    const value = this.#view.getUint32(this.#at, true)
    this.#at += 4
    return value
  }

  #list<T>(count: number, read: () => T): T[] {
    const out: T[] = []
    for (let i = 0; i < count; i++) out.push(read())
    return out
  }

  #string(): string {
    return this.#strings.at(this.#u32())
  }

  #tail(id: number, kind: Kind, name: string, vlen: number, flag: boolean, word: number): BtfType {
    switch (kind) {
      case KIND.INT: {
        const bits = this.#u32()
        return { id, kind, name, size: word, encoding: (bits >>> 24) & 15, bitOffset: (bits >>> 16) & 255, bits: bits & 255 }
      }
      case KIND.PTR: case KIND.TYPEDEF:
        return { id, kind, name, type: word }
      case KIND.VOLATILE: case KIND.CONST: case KIND.RESTRICT: case KIND.TYPE_TAG:
        return { id, kind, name, type: word, flag }
      case KIND.ARRAY:
        return { id, kind, name, element: this.#u32(), index: this.#u32(), count: this.#u32() }
      case KIND.STRUCT: case KIND.UNION:
        return { id, kind, name, size: word, flag, members: this.#list(vlen, () => this.#member(flag)) }
      case KIND.ENUM:
        return { id, kind, name, size: word, signed: flag, values: this.#list(vlen, () => this.#enumerator(flag)) }
      case KIND.ENUM64:
        return { id, kind, name, size: word, signed: flag, values: this.#list(vlen, () => this.#enumerator64(flag)) }
      case KIND.FWD:
        return { id, kind, name, union: flag }
      case KIND.FUNC:
        return { id, kind, name, type: word, linkage: vlen }
      case KIND.FUNC_PROTO:
        return { id, kind, name, ret: word, params: this.#list(vlen, () => ({ name: this.#string(), type: this.#u32() })) }
      case KIND.VAR:
        return { id, kind, name, type: word, linkage: this.#u32() }
      case KIND.DATASEC:
        return { id, kind, name, size: word, vars: this.#list(vlen, () => ({ type: this.#u32(), offset: this.#u32(), size: this.#u32() })) }
      case KIND.FLOAT:
        return { id, kind, name, size: word }
      case KIND.DECL_TAG:
        return { id, kind, name, type: word, component: this.#u32() | 0, flag }
      case KIND.UNKN:
        throw this.#fail(`type [${id}] has no kind`)
    }
  }

  #member(flag: boolean): { name: string; type: number; bitOffset: number; bitSize: number } {
    const [name, type, offset] = [this.#string(), this.#u32(), this.#u32()]
    return flag ? { name, type, bitOffset: offset & 0xffffff, bitSize: offset >>> 24 } : { name, type, bitOffset: offset, bitSize: 0 }
  }

  #enumerator(signed: boolean): { name: string; value: bigint } {
    const [name, value] = [this.#string(), this.#u32()]
    return { name, value: BigInt(signed ? value | 0 : value) }
  }

  #enumerator64(signed: boolean): { name: string; value: bigint } {
    const [name, low, high] = [this.#string(), this.#u32(), this.#u32()]
    const value = (BigInt(high) << 32n) | BigInt(low)
    return { name, value: signed ? BigInt.asIntN(64, value) : value }
  }
}

/** Bytes behind the twelve that all kinds share. */
export function tailSize(kind: Kind, vlen: number): number {
  switch (kind) {
    case KIND.INT: case KIND.VAR: case KIND.DECL_TAG: return 4
    case KIND.ARRAY: return 12
    case KIND.STRUCT: case KIND.UNION: case KIND.ENUM64: case KIND.DATASEC: return 12 * vlen
    case KIND.ENUM: case KIND.FUNC_PROTO: return 8 * vlen
    default: return 0
  }
}

function checkIds(t: BtfType, count: number, fail: BtfError): void {
  for (const id of referredIds(t)) {
    if (id >= count) throw fail(`type [${t.id}] '${t.name}' refers to type [${id}], which does not exist`)
  }
}

/** Every type id that a type names. */
export function referredIds(t: BtfType): number[] {
  switch (t.kind) {
    case KIND.ARRAY: return [t.element, t.index]
    case KIND.STRUCT: case KIND.UNION: return t.members.map(m => m.type)
    case KIND.FUNC_PROTO: return [t.ret, ...t.params.map(p => p.type)]
    case KIND.DATASEC: return t.vars.map(v => v.type)
    case KIND.INT: case KIND.UNKN: case KIND.ENUM: case KIND.ENUM64: case KIND.FWD: case KIND.FLOAT: return []
    default: return [t.type]
  }
}
