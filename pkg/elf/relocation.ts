// SHT_REL and SHT_RELA entries. clang writes REL for BPF; RELA is accepted with its addend apart.
import { elfError } from './header.js'
import type { Section } from './elf.js'
import { SHT } from './uapi.js'

export interface Relocation {
  /** Byte offset in the section it applies to. */
  readonly offset: number
  /** R_BPF_*. */
  readonly type: number
  readonly symbol: number
  /** RELA's own addend; undefined: the addend is in the relocated bytes. */
  readonly addend: number | undefined
}

export function isRelocationTable(section: Section): boolean {
  return section.type === SHT.REL || section.type === SHT.RELA
}

/** Entries of the tables whose sh_info names the target, sorted by offset. */
export function readRelocations(tables: readonly Section[], target: Section, symbols: number, file: string): Relocation[] {
  const out: Relocation[] = []
  for (const table of tables) readTable(table, target, symbols, file, out)
  return out.sort((a, b) => a.offset - b.offset)
}

function readTable(table: Section, target: Section, symbols: number, file: string, out: Relocation[]): void {
  const size = table.type === SHT.REL ? 16 : 24
  const whose = `section '${table.name}'`
  if (table.entsize !== size || table.size % size) throw elfError(file, `${whose}: not a table of ${size}-byte relocations`)
  const view = new DataView(table.data.buffer, table.data.byteOffset, table.data.byteLength)
  for (let at = 0; at < table.size; at += size) {
    const offset = view.getBigUint64(at, true)
    const symbol = view.getUint32(at + 12, true)
    if (offset >= BigInt(target.size)) throw elfError(file, `${whose}: offset ${offset} is outside of section '${target.name}'`)
    if (symbol >= symbols) throw elfError(file, `${whose}: no symbol ${symbol}`)
    const addend = size === 24 ? Number(view.getBigInt64(at + 16, true)) : undefined
    out.push({ offset: Number(offset), type: view.getUint32(at + 8, true), symbol, addend })
  }
}
