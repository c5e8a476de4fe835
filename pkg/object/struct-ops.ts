// Tables of kernel callbacks: variables of sections .struct_ops and .struct_ops.link, and which programs their relocations put into
// them. Answers to init_struct_ops_maps and bpf_object__collect_st_ops_relos of tools/lib/bpf/libbpf.c.
import type { InputError } from '../bytes/errors.js'
import { KIND, type Btf, type BtfComposite } from '../btf/index.js'
import type { Elf, ElfSymbol, Section } from '../elf/index.js'
import { MAP_F, MAP_TYPE, PROG_TYPE } from '../uapi/bpf.js'
import type { Code, Func } from './code.js'
import { objectError } from './error.js'
import { sectionDef } from './sections.js'
import type { MapSpec, TableFunc } from './spec.js'

const SECTIONS = ['.struct_ops', '.struct_ops.link', '?.struct_ops', '?.struct_ops.link']

export function structOpsMaps(elf: Elf, btf: Btf | undefined, code: Code): MapSpec[] {
  return SECTIONS.flatMap(name => {
    const section = elf.section(name)
    return section && section.size > 0 ? tables(elf, btf, section, code) : []
  })
}

function tables(elf: Elf, btf: Btf | undefined, section: Section, code: Code): MapSpec[] {
  const fail = (reason: string): InputError => objectError(elf.file, 'struct_ops init', reason)
  if (!btf) throw objectError(elf.file, `sec '${section.name}'`, 'BTF is required, but is missing or corrupted')
  const datasec = btf.find(section.name, KIND.DATASEC)
  if (datasec?.kind !== KIND.DATASEC) throw fail(`DATASEC ${section.name} not found`)
  const maps = datasec.vars.map(v => {
    const variable = btf.type(v.type)
    if (variable.kind !== KIND.VAR) throw fail(`${variable.name} is not a variable`)
    const struct = btf.resolve(variable.type)
    if (struct.name === '') throw fail('anonymous type is not supported')
    if (struct.kind !== KIND.STRUCT) throw fail(`${variable.name} is not a struct`)
    const symbol = elf.symbolsOf(section).find(s => s.name === variable.name)
    const at = symbol?.value ?? v.offset
    if (at + struct.size > section.data.length) throw fail(`var ${variable.name} is beyond the end of DATASEC ${section.name}`)
    return { name: variable.name, struct, at }
  })
  const relocations = readRelocations(elf, btf, section, code, maps)
  return maps.map((map): MapSpec => ({
    name: map.name, section: section.name, type: MAP_TYPE.STRUCT_OPS, keySize: 4, valueSize: map.struct.size, maxEntries: 1,
    flags: section.name.endsWith('.link') ? MAP_F.LINK : 0, mapExtra: 0n, numaNode: 0, pinning: 'none',
    btfKeyTypeId: 0, btfValueTypeId: 0, freeze: false,
    table: {
      typeId: map.struct.id, data: section.data.slice(map.at, map.at + map.struct.size), funcs: relocations.get(map.name) ?? [],
      autocreate: !section.name.startsWith('?'),
    },
  }))
}

interface Table {
  readonly name: string
  readonly struct: BtfComposite
  readonly at: number
}

function readRelocations(elf: Elf, btf: Btf, section: Section, code: Code, maps: readonly Table[]): Map<string, TableFunc[]> {
  const out = new Map<string, TableFunc[]>()
  for (const relo of elf.relocations(section)) {
    const map = maps.find(m => relo.offset >= m.at && relo.offset < m.at + m.struct.size)
    if (!map) throw objectError(elf.file, 'struct_ops reloc', `cannot find map at rel->r_offset ${relo.offset}`)
    const func = readOne(elf, btf, code, map, relo.offset - map.at, elf.symbols[relo.symbol]!, relo.offset)
    out.set(map.name, [...(out.get(map.name) ?? []), func])
  }
  return out
}

function readOne(elf: Elf, btf: Btf, code: Code, map: Table, offset: number, symbol: ElfSymbol, at: number): TableFunc {
  const fail = (reason: string): InputError => objectError(elf.file, `struct_ops reloc ${map.name}`, reason)
  const member = map.struct.members.find(m => m.bitOffset === offset * 8)
  if (!member) throw fail(`cannot find member at moff ${offset}`)
  const target = elf.sections[symbol.section]
  if (!target || symbol.section === 0) throw fail(`rel->r_offset ${at} shdr_idx ${symbol.section} unsupported non-static function`)
  if (symbol.value % 8) throw fail(`invalid target program offset ${symbol.value}`)
  if (!isFuncPointer(btf, member.type)) throw fail(`cannot relocate non func ptr ${member.name}`)
  const prog = code.at(symbol.section, symbol.value / 8)
  if (!prog) throw fail(`cannot find prog at shdr_idx ${symbol.section} to relocate func ptr ${member.name}`)
  if (!isStructOps(prog)) throw fail(`prog ${prog.name} is not struct_ops BPF program`)
  return { offset, prog: { name: prog.name, section: prog.section.name.replace(/^\?/, '') } }
}

const isStructOps = (f: Func): boolean => sectionDef(f.section.name.replace(/^\?/, ''))?.type === PROG_TYPE.STRUCT_OPS

/** Local tables may name their callbacks `void *` too. */
function isFuncPointer(btf: Btf, id: number): boolean {
  const pointer = btf.resolve(id)
  if (pointer.kind !== KIND.PTR) return false
  const target = btf.resolve(pointer.type)
  return target.kind === KIND.FUNC_PROTO || target.kind === KIND.UNKN
}
