// Maps as variables of a `maps` section: libbpf's old struct bpf_map_def (five words) and iproute2's struct bpf_elf_map
// (iproute2 include/bpf_elf.h), told apart by their BTF type name, otherwise by size.
import { KIND, type Btf } from '../btf/index.js'
import { STT, groupBy, type Elf, type ElfSymbol, type Section } from '../elf/index.js'
import { objectError, viewOf } from './error.js'
import type { MapSpec, Pinning } from './spec.js'

/** A map and where its definition lies. */
export interface PlacedMap {
  readonly spec: MapSpec
  readonly section: number
  readonly offset: number
  readonly size: number
  /** Byte offset of a `values` array in the definition. */
  readonly values?: number
}

const MAP_DEF_SIZE = 20
/** Words of bpf_elf_map before inner_id and inner_idx came. */
const ELF_MAP_SIZE = 28
/** Maps of one id fill every map that names the id: a small file can ask for very many. */
const MAX_SLOTS = 100_000
const PINNING: readonly Pinning[] = ['none', 'object', 'global']

export function legacyMaps(elf: Elf, btf: Btf | undefined): PlacedMap[] {
  return elf.sections.filter(s => (s.name === 'maps' || s.name.startsWith('maps/')) && s.size > 0).flatMap(s => mapsOf(elf, s, btf))
}

function mapsOf(elf: Elf, section: Section, btf: Btf | undefined): PlacedMap[] {
  const symbols = elf.symbolsOf(section).filter(s => s.type !== STT.SECTION && s.type !== STT.FILE && s.name !== '')
  if (symbols.length === 0) throw objectError(elf.file, `sec '${section.name}'`, 'no map symbols')
  const starts = [...new Set(symbols.map(s => s.value)), section.size].sort((a, b) => a - b)
  const next = new Map(starts.map((at, i) => [at, starts[i + 1] ?? at]))
  return symbols
    .map(s => ({ s, size: s.size || next.get(s.value)! - s.value }))
    .sort((a, b) => a.s.value - b.s.value)
    .map(({ s, size }) => ({ spec: mapOf(elf, section, s, size, btf), section: section.index, offset: s.value, size }))
}

function mapOf(elf: Elf, section: Section, symbol: ElfSymbol, size: number, btf: Btf | undefined): MapSpec {
  const whose = `map '${symbol.name}'`
  if (size < 16 || size % 4) throw objectError(elf.file, whose, `definition of ${size} bytes is no struct bpf_map_def or bpf_elf_map`)
  if (symbol.value + size > section.size) throw objectError(elf.file, whose, `definition crosses the end of section '${section.name}'`)
  const view = viewOf(section.data)
  const word = (i: number): number => (i * 4 < size && symbol.value + i * 4 + 4 <= view.byteLength ? view.getUint32(symbol.value + i * 4, true) : 0)
  const base = {
    name: symbol.name, section: section.name, type: word(0), keySize: word(1), valueSize: word(2), maxEntries: word(3), flags: word(4),
    mapExtra: 0n, numaNode: 0, btfKeyTypeId: 0, btfValueTypeId: 0, freeze: false,
  }
  if (isElfMap(symbol.name, size, btf)) {
    return { ...base, pinning: PINNING[word(6)] ?? word(6), elf: { id: word(5), innerId: word(7), innerIndex: word(8) } }
  }
  for (let i = MAP_DEF_SIZE / 4; i < size / 4; i++) {
    if (word(i) !== 0) throw objectError(elf.file, whose, `unrecognized, non-zero options behind the first ${MAP_DEF_SIZE} bytes`)
  }
  return { ...base, pinning: 'none' }
}

function isElfMap(name: string, size: number, btf: Btf | undefined): boolean {
  const variable = btf?.find(name, KIND.VAR)
  const struct = variable?.kind === KIND.VAR ? btf?.resolve(variable.type).name : undefined
  return struct === 'bpf_elf_map' || (struct !== 'bpf_map_def' && size >= ELF_MAP_SIZE)
}

/** iproute2's initialisers: inner maps by id and index, programs of sections `ID/KEY` into the prog_array of that id. */
export function elfMapSlots(maps: readonly MapSpec[], programs: readonly { name: string; section: string }[], file: string): MapSpec[] {
  const inner = groupBy(maps.map((map, index) => ({ map, index })), m => m.map.elf?.id ?? 0)
  const tails = programs.flatMap(prog => {
    const tail = tailCallSection(prog.section)
    return tail ? [{ id: tail.id, slot: { index: tail.key, prog } }] : []
  })
  const tailsOf = groupBy(tails, tail => tail.id)
  let total = 0
  return maps.map(map => {
    if (!map.elf) return map
    const { id, innerId } = map.elf
    const filled = innerId !== 0 ? withInner(map, inner.get(innerId) ?? []) : { ...map, slots: (tailsOf.get(id) ?? []).map(tail => tail.slot) }
    total += filled.slots?.length ?? 0
    if (total > MAX_SLOTS) throw objectError(file, `map '${map.name}'`, `maps have more than ${MAX_SLOTS} initial slots together`)
    return filled.slots?.length === 0 && innerId === 0 ? map : filled
  })
}

function withInner(outer: MapSpec, inner: readonly { map: MapSpec; index: number }[]): MapSpec {
  const first = inner[0]?.map
  if (!first) return outer
  const slots = inner.flatMap(({ map, index }) =>
    map.elf!.innerIndex < outer.maxEntries ? [{ index: map.elf!.innerIndex, map: index }] : [])
  return { ...outer, inner: first, slots }
}

/** `ID/KEY`, both in C's number syntax. */
export function tailCallSection(section: string): { id: number; key: number } | undefined {
  const match = /^(0x[0-9a-fA-F]{1,8}|\d{1,10})\/(0x[0-9a-fA-F]{1,8}|\d{1,10})$/.exec(section)
  if (!match) return undefined
  const number = (text: string): number => (/^0\d/.test(text) ? parseInt(text, 8) : Number(text))
  return { id: number(match[1]!), key: number(match[2]!) }
}
