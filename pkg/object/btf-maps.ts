// Maps of section `.maps`: each variable is a struct whose members say what the map is, in types (bpf_helpers.h: __uint, __type,
// __array, __ulong). Answers to parse_btf_map_def and bpf_object__collect_map_relos of libbpf.
import type { InputError } from '../bytes/errors.js'
import {
  KIND, KIND_NAME, LINKAGE, isEnum, type Btf, type BtfComposite, type BtfMember,
} from '../btf/index.js'
import { R_BPF, STT, isExecutable, type Elf, type Relocation, type Section } from '../elf/index.js'
import { MAP_TYPE } from '../uapi/bpf.js'
import type { Code } from './code.js'
import { objectError, viewOf } from './error.js'
import type { PlacedMap } from './legacy-maps.js'
import type { MapSpec, SlotSpec } from './spec.js'

/** A MapSpec on its way. */
interface Definition {
  type: number
  keySize: number
  valueSize: number
  maxEntries: number
  flags: number
  mapExtra: bigint
  numaNode: number
  pinning: 'none' | 'name'
  btfKeyTypeId: number
  btfValueTypeId: number
  inner?: MapSpec
}

const SECTION = '.maps'

/** The definitions, by offset in the section. */
export function btfMaps(elf: Elf, btf: Btf | undefined): PlacedMap[] {
  const section = elf.section(SECTION)
  if (!section || section.size === 0) return []
  if (!btf) throw objectError(elf.file, `sec '${SECTION}'`, 'BTF is required, but is missing or corrupted')
  const datasec = btf.find(SECTION, KIND.DATASEC)
  if (datasec?.kind !== KIND.DATASEC) throw objectError(elf.file, `sec '${SECTION}'`, `DATASEC '${SECTION}' not found`)
  const offsets = new Map(elf.symbolsOf(section).filter(s => s.type !== STT.SECTION).map(s => [s.name, s.value]))
  const known = new Map<number, Definition>()
  return datasec.vars
    .map(v => placed(elf, btf, section, v, offsets))
    .sort((a, b) => a.offset - b.offset)
    .map(({ name, def, offset, size }): PlacedMap => {
      const values = def.members.find(m => m.name === 'values')
      const spec = new Parser(elf, btf, name, known).spec(def)
      return { spec, section: section.index, offset, size, ...(values ? { values: values.bitOffset / 8 } : {}) }
    })
}

function placed(
  elf: Elf, btf: Btf, section: Section, v: { type: number; offset: number; size: number }, offsets: ReadonlyMap<string, number>,
): { name: string; def: BtfComposite; offset: number; size: number } {
  const variable = btf.type(v.type)
  const whose = `map '${variable.name}'`
  if (variable.name === '') throw objectError(elf.file, `map #${v.type}`, 'empty map name')
  if (variable.kind !== KIND.VAR) throw objectError(elf.file, whose, `unexpected var kind ${KIND_NAME[variable.kind]}`)
  if (variable.linkage === LINKAGE.EXTERN) throw objectError(elf.file, whose, 'unsupported map linkage extern')
  const def = btf.resolve(variable.type)
  if (def.kind !== KIND.STRUCT) throw objectError(elf.file, whose, `unexpected def kind ${KIND_NAME[def.kind]}`)
  const offset = offsets.get(variable.name) ?? v.offset
  if (offset + v.size > section.size || v.size < def.size) throw objectError(elf.file, whose, 'BTF data is corrupted')
  return { name: variable.name, def, offset, size: v.size }
}

class Parser {
  readonly #elf: Elf
  readonly #btf: Btf
  readonly #name: string
  /** Inner definitions already read, so that a type used by many maps is read once. */
  readonly #known: Map<number, Definition>

  constructor(elf: Elf, btf: Btf, name: string, known: Map<number, Definition>) {
    this.#elf = elf
    this.#btf = btf
    this.#name = name
    this.#known = known
  }

  spec(def: BtfComposite): MapSpec {
    return { name: this.#name, section: SECTION, freeze: false, ...this.#definition(def, false) }
  }

  #fail(reason: string): InputError {
    return objectError(this.#elf.file, `map '${this.#name}'`, reason)
  }

  #definition(def: BtfComposite, inner: boolean): Definition {
    const out: Definition = {
      type: 0, keySize: 0, valueSize: 0, maxEntries: 0, flags: 0, mapExtra: 0n, numaNode: 0, pinning: 'none', btfKeyTypeId: 0, btfValueTypeId: 0,
    }
    def.members.forEach((m, i) => this.#member(out, m, i, i === def.members.length - 1, inner))
    if (out.type === MAP_TYPE.UNSPEC) throw this.#fail("map type isn't specified")
    return out
  }

  #member(out: Definition, m: BtfMember, index: number, last: boolean, inner: boolean): void {
    switch (m.name) {
      case '': throw this.#fail(`invalid field #${index}`)
      case 'type': out.type = this.#uint(m); break
      case 'max_entries': out.maxEntries = this.#uint(m); break
      case 'map_flags': out.flags = this.#uint(m); break
      case 'numa_node': out.numaNode = this.#uint(m); break
      case 'map_extra': out.mapExtra = this.#ulong(m); break
      case 'key_size': out.keySize = this.#size('key', out.keySize, this.#uint(m)); break
      case 'value_size': out.valueSize = this.#size('value', out.valueSize, this.#uint(m)); break
      case 'key': [out.btfKeyTypeId, out.keySize] = this.#type(m, 'key', out.keySize); break
      case 'value': [out.btfValueTypeId, out.valueSize] = this.#type(m, 'value', out.valueSize); break
      case 'values': this.#values(out, m, last, inner); break
      case 'pinning': out.pinning = this.#pinning(m, inner); break
      default: throw this.#fail(`unknown field '${m.name}'`)
    }
  }

  /** `int (*name)[N]`: the number is the length of the array. */
  #uint(m: BtfMember): number {
    const ptr = this.#btf.resolve(m.type)
    if (ptr.kind !== KIND.PTR) throw this.#fail(`attr '${m.name}': expected PTR, got ${KIND_NAME[ptr.kind]}`)
    const array = this.#btf.resolve(ptr.type)
    if (array.kind !== KIND.ARRAY) throw this.#fail(`attr '${m.name}': expected ARRAY, got ${KIND_NAME[array.kind]}`)
    return array.count
  }

  /** `enum { unique = N } name`, or as #uint. */
  #ulong(m: BtfMember): bigint {
    const t = this.#btf.resolve(m.type)
    if (!isEnum(t)) return BigInt(this.#uint(m))
    if (t.values.length !== 1) throw this.#fail(`attr '${m.name}': invalid __ulong`)
    return BigInt.asUintN(64, t.values[0]!.value)
  }

  #size(what: 'key' | 'value', before: number, size: number): number {
    if (before !== 0 && before !== size) throw this.#fail(`conflicting ${what} size ${before} != ${size}`)
    return size
  }

  #type(m: BtfMember, what: 'key' | 'value', before: number): [id: number, size: number] {
    const ptr = this.#btf.resolve(m.type)
    if (ptr.kind !== KIND.PTR) throw this.#fail(`${what} spec is not PTR: ${KIND_NAME[ptr.kind]}`)
    const size = this.#btf.sizeof(ptr.type)
    if (size === undefined) throw this.#fail(`can't determine ${what} size for type [${ptr.type}]`)
    return [ptr.type, this.#size(what, before, size)]
  }

  #pinning(m: BtfMember, inner: boolean): 'none' | 'name' {
    if (inner) throw this.#fail("inner def can't be pinned")
    const value = this.#uint(m)
    if (value > 1) throw this.#fail(`invalid pinning value ${value}`)
    return value === 1 ? 'name' : 'none'
  }

  #values(out: Definition, m: BtfMember, last: boolean, inner: boolean): void {
    const mapInMap = out.type === MAP_TYPE.ARRAY_OF_MAPS || out.type === MAP_TYPE.HASH_OF_MAPS || out.type === 32
    if (inner) throw this.#fail('multi-level inner maps not supported')
    if (!last) throw this.#fail(`'${m.name}' member should be last`)
    if (!mapInMap && out.type !== MAP_TYPE.PROG_ARRAY) throw this.#fail('should be map-in-map or prog-array')
    if (out.valueSize !== 0 && out.valueSize !== 4) throw this.#fail(`conflicting value size ${out.valueSize} != 4`)
    out.valueSize = 4
    const what = mapInMap ? 'map-in-map inner' : 'prog-array value'
    const array = this.#btf.resolve(m.type)
    if (array.kind !== KIND.ARRAY) throw this.#fail(`${what} def is of unexpected kind ${KIND_NAME[array.kind]}`)
    const ptr = this.#btf.resolve(array.element)
    if (ptr.kind !== KIND.PTR) throw this.#fail(`${what} def is of unexpected kind ${KIND_NAME[ptr.kind]}`)
    const t = this.#btf.resolve(ptr.type)
    if (!mapInMap) {
      if (t.kind !== KIND.FUNC_PROTO) throw this.#fail(`${what} def is of unexpected kind ${KIND_NAME[t.kind]}`)
      return
    }
    if (t.kind !== KIND.STRUCT) throw this.#fail(`${what} def is of unexpected kind ${KIND_NAME[t.kind]}`)
    out.inner = this.#inner(t)
  }

  #inner(t: BtfComposite): MapSpec {
    const definition = this.#known.get(t.id) ?? this.#definition(t, true)
    this.#known.set(t.id, definition)
    return { name: `${this.#name}.inner`, section: SECTION, freeze: false, ...definition }
  }
}

/** Initialisers of map-in-map and prog_array: relocations in the `values` array. Gives the maps with their slots. */
export function btfMapSlots(elf: Elf, btf: Btf | undefined, maps: readonly PlacedMap[], first: number, code: Code): MapSpec[] {
  const section = elf.section(SECTION)
  const slots = new Map<number, SlotSpec[]>()
  for (const r of section && btf ? elf.relocations(section) : []) {
    const at = maps.findIndex(m => r.offset >= m.offset && r.offset < m.offset + m.size)
    const map = maps[at]
    if (!map) throw objectError(elf.file, `sec '${SECTION}'`, `relo at offset ${r.offset} is in no map`)
    const own = slots.get(at) ?? []
    own.push(slotOf(elf, maps, first, code, map, r))
    slots.set(at, own)
  }
  return maps.map((m, i) => (slots.has(i) ? { ...m.spec, slots: slots.get(i)! } : m.spec))
}

function slotOf(elf: Elf, maps: readonly PlacedMap[], first: number, code: Code, map: PlacedMap, r: Relocation): SlotSpec {
  const fail = (reason: string): InputError => objectError(elf.file, `map '${map.spec.name}'`, reason)
  const at = map.values === undefined ? -1 : r.offset - map.offset - map.values
  if (at < 0 || at % 8) throw fail(`unexpected relo at offset ${r.offset - map.offset}`)
  if (r.type !== R_BPF.R64_ABS64 && r.type !== R_BPF.R64_64) throw fail(`unexpected relocation type ${r.type}`)
  const symbol = elf.symbols[r.symbol]!
  const section = elf.sections[symbol.section]
  const addend = symbol.type === STT.SECTION ? r.addend ?? wordAt(elf.sections[map.section]!, r.offset) : 0
  const offset = symbol.value + addend
  const target = maps.findIndex(m => m.section === symbol.section && m.offset === offset)
  if (map.spec.type !== MAP_TYPE.PROG_ARRAY) {
    if (target < 0) throw fail(`'${symbol.name}' isn't a BTF-defined map`)
    return { index: at / 8, map: first + target }
  }
  const f = section && isExecutable(section) ? code.at(section.index, offset / 8) : undefined
  if (!f) throw fail(`'${symbol.name}' isn't a valid program reference`)
  return { index: at / 8, prog: { name: f.name, section: f.section.name } }
}


/** The addend that REL keeps in the relocated bytes. */
function wordAt(section: Section, offset: number): number {
  return offset + 8 <= section.data.length ? Number(viewOf(section.data).getBigUint64(offset, true)) : 0
}
