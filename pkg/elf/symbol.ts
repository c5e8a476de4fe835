// The symbol table (Elf64_Sym), with the extended section index table of gABI for objects of very many sections.
import { elfError, nameLength } from './header.js'
import type { Section } from './elf.js'
import { LIMIT, SHN, SHT } from './uapi.js'

export interface ElfSymbol {
  readonly index: number
  /** A section symbol has no name of its own: ''. */
  readonly name: string
  readonly value: number
  readonly size: number
  readonly bind: number
  readonly type: number
  readonly visibility: number
  /** Section index; values from SHN_LORESERVE are special (SHN_ABS, SHN_COMMON) unless `extended`. */
  readonly section: number
}

const SYM_SIZE = 24

/** All symbols of the only SHT_SYMTAB, in file order; none when there is no table. */
export function readSymbols(sections: readonly Section[], file: string): ElfSymbol[] {
  const tables = sections.filter(s => s.type === SHT.SYMTAB)
  if (tables.length > 1) throw elfError(file, `multiple symbol tables: sections ${tables.map(s => s.index).join(', ')}`)
  const table = tables[0]
  if (!table) return []
  if (table.entsize !== SYM_SIZE || table.size % SYM_SIZE) throw elfError(file, `section '${table.name}': not a table of 24-byte symbols`)
  const names = nameReader(sections, table, file)
  const extended = extendedIndexes(sections, table)
  const view = new DataView(table.data.buffer, table.data.byteOffset, table.data.byteLength)
  return Array.from({ length: table.size / SYM_SIZE }, (_, i) => readSymbol(view, i, names, extended, file))
}

function readSymbol(
  view: DataView, index: number, names: (offset: number, index: number) => string, extended: DataView | undefined, file: string,
): ElfSymbol {
  const at = index * SYM_SIZE
  const info = view.getUint8(at + 4)
  const u64 = (offset: number, what: string): number => {
    const value = view.getBigUint64(at + offset, true)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw elfError(file, `symbol ${index}: ${what} ${value} is out of range`)
    return Number(value)
  }
  return {
    index,
    name: names(view.getUint32(at, true), index),
    value: u64(8, 'value'),
    size: u64(16, 'size'),
    bind: info >> 4,
    type: info & 15,
    visibility: view.getUint8(at + 5) & 3,
    section: sectionOf(view.getUint16(at + 6, true), index, extended, file),
  }
}

function sectionOf(shndx: number, index: number, extended: DataView | undefined, file: string): number {
  if (shndx !== SHN.XINDEX) return shndx
  if (!extended || index * 4 + 4 > extended.byteLength) throw elfError(file, `symbol ${index}: no extended section index`)
  return extended.getUint32(index * 4, true)
}

function extendedIndexes(sections: readonly Section[], table: Section): DataView | undefined {
  const data = sections.find(s => s.type === SHT.SYMTAB_SHNDX && s.link === table.index)?.data
  return data && new DataView(data.buffer, data.byteOffset, data.byteLength)
}

function nameReader(sections: readonly Section[], table: Section, file: string): (offset: number, index: number) => string {
  const strings = sections[table.link]
  if (strings?.type !== SHT.STRTAB) throw elfError(file, `section '${table.name}': its string table is section ${table.link}, which is none`)
  const decoder = new TextDecoder()
  const known = new Map<number, string>()
  let total = 0
  return (offset, index) => {
    const before = known.get(offset)
    if (before !== undefined) return before
    const length = nameLength(strings.data, offset, `symbol ${index}: name`, file)
    total += length
    if (total > LIMIT.NAMES) throw elfError(file, `symbol names are longer than ${LIMIT.NAMES} bytes together`)
    const name = decoder.decode(strings.data.subarray(offset, offset + length))
    known.set(offset, name)
    return name
  }
}
