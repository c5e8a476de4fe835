// One program and every function it calls, as one array of instructions: calls and callbacks are resolved, references to maps
// and kernel symbols are listed. Answers to bpf_object__relocate_calls and bpf_object__reloc_code of libbpf.
import { R_BPF, STT, isExecutable, type ElfSymbol, type Relocation, type Section } from '../elf/index.js'
import { BPF_CALL, BPF_DW, BPF_IMM, BPF_JMP, BPF_LD } from '../insn/opcode.js'
import type { Insn } from '../insn/insn.js'
import { CALL, PSEUDO } from '../uapi/bpf.js'
import type { Code, Func } from './code.js'
import { objectError } from './error.js'
import type { ExtInfo } from './ext-info.js'
import type { Extern } from './externs.js'
import type { KsymRef, LinkedProg, MapRef } from './spec.js'
import type { InputError } from '../bytes/errors.js'

/** What relocations of code can point at besides code. */
export interface Targets {
  /** Map that a symbol of a maps section is, at a byte offset of it. */
  map(section: number, offset: number): number | undefined
  /** Map that holds a data section. */
  data(section: number): number | undefined
  extern(name: string): Extern | undefined
}

const LD_IMM64 = BPF_LD | BPF_IMM | BPF_DW
const CALL_CODE = BPF_JMP | BPF_CALL
/** BPF_COMPLEXITY_LIMIT_INSNS: the kernel takes no longer program. */
const MAX_INSNS = 1_000_000
/** The kernel knows 256 functions a program; a chain of calls can't be longer. */
const MAX_NESTING = 256

/** Links a program; throws InputError whose owner is `prog 'name'`. */
export function linkProgram(main: Func, code: Code, targets: Targets, info: ExtInfo | undefined): LinkedProg {
  const linker = new Linker(main, code, targets)
  linker.place(main)
  const placed = [...linker.placed]
  return {
    insns: linker.insns,
    mapRefs: linker.mapRefs,
    ksymRefs: linker.ksymRefs,
    coreRelos: info?.coreRelos(placed) ?? [],
    funcInfo: info?.funcInfo(placed),
    lineInfo: info?.lineInfo(placed),
    functions: placed.map(([f, slot]) => ({ name: f.name, slot })),
  }
}

class Linker {
  readonly insns: Insn[] = []
  readonly mapRefs: MapRef[] = []
  readonly ksymRefs: KsymRef[] = []
  readonly placed = new Map<Func, number>()
  readonly #code: Code
  readonly #targets: Targets
  readonly #whose: string
  #depth = 0

  constructor(main: Func, code: Code, targets: Targets) {
    this.#code = code
    this.#targets = targets
    this.#whose = `prog '${main.name}'`
  }

  /** Appends a function, then what it calls, in the order of its calls. Returns its first slot. */
  place(f: Func): number {
    const known = this.placed.get(f)
    if (known !== undefined) return known
    const base = this.insns.length
    if (base + f.count > MAX_INSNS) throw this.#fail(`more than ${MAX_INSNS} instructions`)
    if (++this.#depth > MAX_NESTING) throw this.#fail(`calls are nested deeper than ${MAX_NESTING}`)
    this.placed.set(f, base)
    for (const i of this.#code.insns(f)) this.insns.push(i)
    for (let i = 0; i < f.count; i++) {
      const wide = this.insns[base + i]!.code === LD_IMM64
      this.#resolve(f, base, i)
      if (wide) i++
    }
    this.#depth--
    return base
  }

  #fail(reason: string): InputError {
    return objectError(this.#code.elf.file, this.#whose, reason)
  }

  #resolve(f: Func, base: number, index: number): void {
    const insn = this.insns[base + index]!
    const relo = this.#code.relocation(f.section, f.start + index)
    if (!relo) {
      if (insn.code === CALL_CODE && insn.src === CALL.PSEUDO_CALL) {
        this.#call(insn, base + index, f.section.index, f.start + index + 1 + insn.imm, 'itself')
      }
    } else if (insn.code === CALL_CODE) {
      this.#relocateCall(insn, base + index, relo)
    } else if (insn.code === LD_IMM64) {
      if (index + 1 >= f.count) throw this.#fail(`insn #${index}: ldimm64 is cut off`)
      this.#relocateLoad(insn, base + index, relo)
    } else {
      throw this.#fail(`invalid relo for insns[${index}].code 0x${insn.code.toString(16)}`)
    }
  }

  #symbol(relo: Relocation): ElfSymbol {
    return this.#code.elf.symbols[relo.symbol]!
  }

  #relocateCall(insn: Insn, slot: number, relo: Relocation): void {
    const symbol = this.#symbol(relo)
    if (symbol.section === 0) return this.#externCall(insn, slot, symbol)
    const section = this.#code.elf.sections[symbol.section]
    if (!section || !isExecutable(section)) throw this.#fail(`bad call relo against '${nameOf(symbol, section)}'`)
    if (insn.src !== CALL.PSEUDO_CALL) throw this.#fail(`incorrect bpf_call opcode`)
    const addend = relo.addend === undefined ? insn.imm + 1 : relo.addend / 8
    this.#call(insn, slot, section.index, symbol.value / 8 + addend, nameOf(symbol, section))
  }

  #call(insn: Insn, slot: number, section: number, target: number, name: string): void {
    const callee = this.#code.at(section, target)
    if (!callee) throw this.#fail(`insn #${slot}: call of '${name}' goes to no function`)
    insn.imm = this.place(callee) - slot - 1
  }

  #externCall(insn: Insn, slot: number, symbol: ElfSymbol): void {
    const extern = this.#need(symbol)
    if (extern.kind !== 'func') throw this.#fail(`extern '${symbol.name}' is not a function`)
    insn.src = CALL.PSEUDO_KFUNC
    insn.imm = 0
    this.ksymRefs.push({ slot, name: symbol.name, kind: 'call', weak: extern.weak, typeId: extern.typeId })
  }

  #relocateLoad(insn: Insn, slot: number, relo: Relocation): void {
    if (relo.type !== R_BPF.R64_64) throw this.#fail(`insn #${slot}: unexpected relocation type ${relo.type}`)
    const symbol = this.#symbol(relo)
    const section = this.#code.elf.sections[symbol.section]
    if (symbol.section === 0) return this.#externLoad(insn, slot, symbol)
    if (!section) throw this.#fail(`invalid relo against '${symbol.name}' in special section 0x${symbol.section.toString(16)}`)
    const offset = symbol.value + (relo.addend ?? insn.imm)
    if (isExecutable(section)) return this.#callback(insn, slot, section, offset, nameOf(symbol, section))
    const map = this.#targets.map(section.index, symbol.type === STT.SECTION ? offset : symbol.value)
    if (map !== undefined) return this.#load(insn, slot, { slot, map, kind: 'fd', off: 0 })
    const data = this.#targets.data(section.index)
    if (data === undefined) throw this.#fail(`bad data relo against section '${section.name}'`)
    this.#load(insn, slot, { slot, map: data, kind: 'value', off: offset })
  }

  #load(insn: Insn, slot: number, ref: MapRef): void {
    insn.src = ref.kind === 'fd' ? PSEUDO.MAP_FD : PSEUDO.MAP_VALUE
    insn.imm = 0
    this.insns[slot + 1]!.imm = ref.off | 0
    this.mapRefs.push(ref)
  }

  #callback(insn: Insn, slot: number, section: Section, offset: number, name: string): void {
    const callee = offset % 8 ? undefined : this.#code.at(section.index, offset / 8)
    if (!callee) throw this.#fail(`insn #${slot}: address of '${name}' is no function`)
    insn.src = PSEUDO.FUNC
    insn.imm = this.place(callee) - slot - 1
    this.insns[slot + 1]!.imm = 0
  }

  #externLoad(insn: Insn, slot: number, symbol: ElfSymbol): void {
    const extern = this.#need(symbol)
    if (extern.kind === 'kconfig') {
      return this.#load(insn, slot, { slot, map: extern.map, kind: 'value', off: extern.offset })
    }
    insn.imm = 0
    this.insns[slot + 1]!.imm = 0
    this.ksymRefs.push({ slot, name: symbol.name, kind: extern.kind, weak: extern.weak, typeId: extern.typeId })
  }

  #need(symbol: ElfSymbol): Extern {
    const extern = this.#targets.extern(symbol.name)
    if (!extern) throw this.#fail(`extern relo failed to find extern for '${symbol.name}' (${symbol.index})`)
    return extern
  }
}

function nameOf(symbol: ElfSymbol, section: Section | undefined): string {
  return symbol.name || section?.name || `symbol ${symbol.index}`
}
