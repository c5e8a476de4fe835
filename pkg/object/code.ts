// The functions of the executable sections, by symbol, and the relocations of their instructions.
import { decodeInsns, INSN_SIZE, type Insn } from '../insn/insn.js'
import { STB, STT, STV, isExecutable, type Elf, type ElfSymbol, type Relocation, type Section } from '../elf/index.js'
import { objectError } from './error.js'

export interface Func {
  readonly name: string
  readonly section: Section
  /** First slot in its section, and how many. */
  readonly start: number
  readonly count: number
  readonly static: boolean
  readonly hidden: boolean
}

/** Aliases share their instructions; more names than this for all of a section are no compiler's work. */
const MAX_OVERLAP = 16

/** All code of an object. */
export class Code {
  readonly elf: Elf
  readonly functions: readonly Func[]
  readonly #starts = new Map<string, Func>()
  readonly #relocations = new Map<number, Map<number, Relocation>>()

  constructor(elf: Elf) {
    this.elf = elf
    this.functions = elf.sections.filter(isExecutable).filter(s => s.size > 0).flatMap(s => functionsOf(elf, s))
    for (const f of this.functions) {
      const key = `${f.section.index}:${f.start}`
      if (!this.#starts.has(key) || !f.static) this.#starts.set(key, f)
    }
  }

  /** The function that begins at a slot of a section. */
  at(section: number, slot: number): Func | undefined {
    return this.#starts.get(`${section}:${slot}`)
  }

  /** Fresh copies of a function's instructions. */
  insns(f: Func): Insn[] {
    return decodeInsns(f.section.data.subarray(f.start * INSN_SIZE, (f.start + f.count) * INSN_SIZE))
  }

  /** The relocation of a slot of a section. */
  relocation(section: Section, slot: number): Relocation | undefined {
    let table = this.#relocations.get(section.index)
    if (!table) {
      table = new Map(this.elf.relocations(section).map(r => [this.#slotOf(r, section), r]))
      this.#relocations.set(section.index, table)
    }
    return table.get(slot)
  }

  #slotOf(r: Relocation, section: Section): number {
    if (r.offset % INSN_SIZE) throw objectError(this.elf.file, `sec '${section.name}'`, `relo at offset ${r.offset} is not at an instruction`)
    return r.offset / INSN_SIZE
  }
}

function functionsOf(elf: Elf, section: Section): Func[] {
  if (section.size % INSN_SIZE) throw objectError(elf.file, `sec '${section.name}'`, `size ${section.size} is not a multiple of ${INSN_SIZE}`)
  const here = elf.symbolsOf(section)
  let symbols = here.filter(s => s.type === STT.FUNC)
  // LLVM before 8 gave functions no type; assembly has none either.
  if (symbols.length === 0) symbols = here.filter(s => s.type === STT.NOTYPE && s.bind !== STB.LOCAL && s.name !== '')
  if (symbols.length === 0) return [wholeSection(section)]
  const starts = [...new Set(symbols.map(s => s.value)), section.size].sort((a, b) => a - b)
  const next = new Map(starts.map((at, i) => [at, starts[i + 1] ?? at]))
  const functions = symbols
    .map(s => functionOf(elf, section, s, s.size || next.get(s.value)! - s.value))
    .sort((a, b) => a.start - b.start)
  const total = functions.reduce((sum, f) => sum + f.count, 0)
  if (total > MAX_OVERLAP * (section.size / INSN_SIZE)) throw objectError(elf.file, `sec '${section.name}'`, 'functions overlap')
  return functions
}

function wholeSection(section: Section): Func {
  const name = section.name.replace(/[^A-Za-z0-9_.]/g, '_')
  return { name, section, start: 0, count: section.size / INSN_SIZE, static: false, hidden: false }
}

function functionOf(elf: Elf, section: Section, s: ElfSymbol, size: number): Func {
  const whose = `sec '${section.name}'`
  if (s.value % INSN_SIZE || size % INSN_SIZE || !(size > 0)) {
    throw objectError(elf.file, whose, `func '${s.name}' of ${s.size} bytes at offset ${s.value} is not made of whole instructions`)
  }
  if (s.value + size > section.size) throw objectError(elf.file, whose, `program at offset ${s.value} crosses section boundary`)
  return {
    name: s.name, section, start: s.value / INSN_SIZE, count: size / INSN_SIZE, static: s.bind === STB.LOCAL,
    hidden: s.visibility === STV.HIDDEN || s.visibility === STV.INTERNAL,
  }
}
