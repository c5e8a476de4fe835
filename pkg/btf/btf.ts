// One BTF blob and the questions asked of it: types by id and name, real type behind typedefs, size, alignment, members.
// Answers to tools/lib/bpf/btf.c.
import { btfError, type BtfError } from './error.js'
import { parseTypes } from './parse.js'
import type { BtfStrings } from './strings.js'
import { KIND, isComposite, isModifier, type BtfMember, type BtfType, type Kind } from './types.js'

/** MAX_RESOLVE_DEPTH of libbpf: chains of typedefs, modifiers and arrays longer than this are a loop. */
const MAX_DEPTH = 32

export interface FoundMember {
  /** The member itself; its bitOffset is relative to `owner`. */
  readonly member: BtfMember
  /** The struct or union that lists it: another one when it was found inside an anonymous member. */
  readonly owner: number
  /** From the start of the type that was asked, in bits. */
  readonly bitOffset: number
}

export class Btf {
  readonly file: string
  readonly bytes: Uint8Array
  readonly base: Btf | undefined
  readonly strings: BtfStrings
  readonly fail: BtfError
  readonly #first: number
  readonly #types: readonly BtfType[]
  readonly #alignments = new Map<number, number>()
  #names: Map<string, number[]> | undefined

  constructor(bytes: Uint8Array, file: string, base?: Btf) {
    this.fail = btfError(file)
    this.file = file
    this.bytes = bytes
    this.base = base
    this.#first = base ? base.count : 1
    const { types, strings } = parseTypes(bytes, this.#first, base?.strings, this.fail)
    this.#types = types
    this.strings = strings
  }

  /** One past the highest type id. */
  get count(): number {
    return this.#first + this.#types.length
  }

  /** The types of this blob in id order: without void and without those of its base. */
  get types(): readonly BtfType[] {
    return this.#types
  }

  /** The type of an id; id 0 is void. */
  type(id: number): BtfType {
    if (id === 0) return VOID
    if (id < this.#first) return this.base!.type(id)
    const t = this.#types[id - this.#first]
    if (!t) throw this.fail(`no type [${id}]`)
    return t
  }

  /** First type of that name, of one kind if given; undefined when there is none. */
  find(name: string, ...kinds: Kind[]): BtfType | undefined {
    const own = this.named(name).find(t => kinds.length === 0 || kinds.includes(t.kind))
    return this.base?.find(name, ...kinds) ?? own
  }

  /** All types of that name in this blob. */
  named(name: string): BtfType[] {
    return (this.#index().get(name) ?? []).map(id => this.type(id))
  }

  /** The real type: behind typedefs, const, volatile, restrict and type tags. */
  resolve(id: number): BtfType {
    for (let depth = 0; depth <= MAX_DEPTH; depth++) {
      const t = this.type(id)
      if (!isModifier(t) && t.kind !== KIND.TYPEDEF) return t
      id = t.type
    }
    throw this.fail(`type [${id}]: typedefs are nested too deep`)
  }

  /** Bytes of a value; undefined for what has no size (void, functions, forward declarations). */
  sizeof(id: number): number | undefined {
    let factor = 1
    for (let depth = 0; depth <= MAX_DEPTH; depth++) {
      const t = this.resolve(id)
      switch (t.kind) {
        case KIND.INT: case KIND.STRUCT: case KIND.UNION: case KIND.ENUM: case KIND.ENUM64: case KIND.DATASEC: case KIND.FLOAT:
          return bounded(factor * t.size)
        case KIND.PTR: return bounded(factor * 8)
        case KIND.VAR: case KIND.DECL_TAG: id = t.type; break
        case KIND.ARRAY: factor *= t.count; id = t.element; break
        default: return undefined
      }
    }
    throw this.fail(`type [${id}]: arrays are nested too deep`)
  }

  /** Natural alignment in bytes, 1 for a packed struct; 0 for what has none. */
  alignof(id: number): number {
    return this.#alignof(id, 0)
  }

  #alignof(id: number, depth: number): number {
    if (depth > MAX_DEPTH) throw this.fail(`type [${id}]: types are nested too deep`)
    const known = this.#alignments.get(id)
    if (known !== undefined) return known
    const align = this.#alignofType(this.resolve(id), depth)
    this.#alignments.set(id, align)
    return align
  }

  #alignofType(t: BtfType, depth: number): number {
    switch (t.kind) {
      case KIND.INT: case KIND.ENUM: case KIND.ENUM64: case KIND.FLOAT: return Math.min(8, t.size)
      case KIND.PTR: return 8
      case KIND.ARRAY: return this.#alignof(t.element, depth + 1)
      case KIND.STRUCT: case KIND.UNION: return this.#alignofComposite(t.members, t.size, depth)
      default: return 0
    }
  }

  #alignofComposite(members: readonly BtfMember[], size: number, depth: number): number {
    let max = 1
    for (const m of members) {
      const align = this.#alignof(m.type, depth + 1)
      max = Math.max(max, align)
      if (m.bitSize === 0 && align > 0 && m.bitOffset % (8 * align)) return 1
    }
    return size % max ? 1 : max
  }

  /** A member by name, also through anonymous structs and unions. */
  member(id: number, name: string): FoundMember | undefined {
    return this.#member(id, name, 0, new Set())
  }

  #member(id: number, name: string, bitOffset: number, seen: Set<number>): FoundMember | undefined {
    const t = this.resolve(id)
    if (!isComposite(t) || seen.has(t.id)) return undefined
    seen.add(t.id)
    for (const m of t.members) {
      if (m.name === name) return { member: m, owner: t.id, bitOffset: bitOffset + m.bitOffset }
      const inner = m.name === '' ? this.#member(m.type, name, bitOffset + m.bitOffset, seen) : undefined
      if (inner) return inner
    }
    return undefined
  }

  #index(): Map<string, number[]> {
    if (this.#names) return this.#names
    const names = new Map<string, number[]>()
    for (const t of this.#types) {
      if (t.name === '') continue
      const ids = names.get(t.name)
      if (ids) ids.push(t.id)
      else names.set(t.name, [t.id])
    }
    return (this.#names = names)
  }
}

const VOID: BtfType = { id: 0, kind: KIND.UNKN, name: '' }

function bounded(size: number): number | undefined {
  return size <= 0xffffffff ? size : undefined
}

/** Parses raw BTF (the bytes of a .BTF section or of /sys/kernel/btf/vmlinux); throws InputError that names `file`. */
export function parseBtf(bytes: Uint8Array, file: string, base?: Btf): Btf {
  return new Btf(bytes, file, base)
}
