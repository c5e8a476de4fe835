// A BPF object file as sections, symbols and relocations: a typed wrapper around elfy, which gives names and bytes; every number
// is re-read at its right offset. Answers to the part of libelf that libbpf uses.
import elfy from 'elfy'
import { elfError, readHeaders, type SectionHeader } from './header.js'
import { isRelocationTable, readRelocations, type Relocation } from './relocation.js'
import { readSymbols, type ElfSymbol } from './symbol.js'
import { SHF, SHT } from './uapi.js'

export interface Section {
  readonly index: number
  readonly name: string
  /** SHT_* as the file has it. */
  readonly type: number
  readonly flags: bigint
  readonly size: number
  readonly link: number
  readonly info: number
  readonly align: number
  readonly entsize: number
  /** A view of the file: copy before changing. Empty for SHT_NOBITS, whose `size` bytes are all zero. */
  readonly data: Uint8Array
}

export interface Elf {
  readonly file: string
  readonly sections: readonly Section[]
  readonly symbols: readonly ElfSymbol[]
  /** The first section of that name. */
  section(name: string): Section | undefined
  /** Symbols defined in a section, in file order. */
  symbolsOf(section: Section): readonly ElfSymbol[]
  /** REL and RELA entries that apply to a section, by offset. */
  relocations(target: Section): readonly Relocation[]
}

/** Opens a relocatable BPF object; `file` is the name that errors carry. Throws InputError and nothing else. */
export function openElf(bytes: Uint8Array, file: string): Elf {
  const headers = readHeaders(bytes, file)
  const sections = readSections(bytes, headers, file)
  const symbols = readSymbols(sections, file)
  const [names, owners] = [groupBy(sections, s => s.name), groupBy(symbols, s => s.section)]
  const tables = groupBy(sections.filter(isRelocationTable), s => s.info)
  return {
    file,
    sections,
    symbols,
    section: name => names.get(name)?.[0],
    symbolsOf: section => owners.get(section.index) ?? [],
    relocations: target => readRelocations(tables.get(target.index) ?? [], target, symbols.length, file),
  }
}

/** Items by key, in their order. */
export function groupBy<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const out = new Map<K, T[]>()
  for (const item of items) {
    const group = out.get(key(item))
    if (group) group.push(item)
    else out.set(key(item), [item])
  }
  return out
}

function readSections(bytes: Uint8Array, headers: readonly SectionHeader[], file: string): Section[] {
  const parsed = parse(bytes, file)
  if (parsed.length !== headers.length) throw elfError(file, `${parsed.length} sections read, the header says ${headers.length}`)
  return headers.map((h, index): Section => {
    const { name, data: buffer } = parsed[index]!
    // A plain view: slice() of a Buffer would not copy.
    const data = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
    return {
      index, name, type: h.type, flags: h.flags, size: h.size, link: h.link, info: h.info, align: h.align, entsize: h.entsize,
      data: h.type === SHT.NOBITS || h.type === SHT.NULL ? new Uint8Array(0) : data,
    }
  })
}

function parse(bytes: Uint8Array, file: string): { name: string; data: Uint8Array }[] {
  try {
    return elfy.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).body.sections
  } catch (cause) {
    throw elfError(file, `not a proper ELF object (${cause instanceof Error ? cause.name : 'unknown reason'})`)
  }
}

/** A section that holds instructions. */
export function isExecutable(section: Section): boolean {
  return section.type === SHT.PROGBITS && (section.flags & SHF.EXECINSTR) !== 0n
}
