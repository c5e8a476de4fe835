// The object's BTF as it is loaded: data sections get the sizes and offsets that only the ELF file knows, externs become plain
// variables, hidden functions static ones. Answers to btf_fixup_datasec and bpf_object__sanitize_btf of libbpf.
import { BtfPatch, KIND, LINKAGE, type Btf, type BtfDatasec, type BtfSecVar } from '../btf/index.js'
import { STT, type Elf } from '../elf/index.js'
import type { Func } from './code.js'
import type { Externs } from './externs.js'

export function fixBtf(btf: Btf, elf: Elf, externs: Externs, functions: readonly Func[]): Uint8Array {
  const patch = new BtfPatch(btf)
  for (const t of btf.types) {
    if (t.kind === KIND.DATASEC) fixDatasec(patch, btf, elf, externs, t)
  }
  const hidden = new Set(functions.filter(f => f.hidden).map(f => f.name))
  for (const t of btf.types) {
    if (t.kind === KIND.FUNC && t.linkage === LINKAGE.GLOBAL && hidden.has(t.name)) patch.funcLinkage(t.id, LINKAGE.STATIC)
  }
  return patch.bytes
}

function fixDatasec(patch: BtfPatch, btf: Btf, elf: Elf, externs: Externs, t: BtfDatasec): void {
  if (t.name === '.kconfig' || t.name === '.ksyms') return fixExterns(patch, btf, externs, t)
  const section = elf.section(t.name)
  if (!section) return
  const values = new Map(elf.symbolsOf(section).filter(s => s.type !== STT.SECTION).map(s => [s.name, s.value]))
  const vars = t.vars.map((v): BtfSecVar => {
    const variable = btf.type(v.type)
    const known = variable.kind === KIND.VAR && variable.linkage !== LINKAGE.STATIC ? values.get(variable.name) : undefined
    return known === undefined ? v : { ...v, offset: known }
  })
  patch.datasec(t.id, section.size, vars.sort((a, b) => a.offset - b.offset))
}

function fixExterns(patch: BtfPatch, btf: Btf, externs: Externs, t: BtfDatasec): void {
  let at = 0
  const vars = t.vars.map((v): BtfSecVar => {
    const extern = btf.type(v.type)
    if (extern.kind === KIND.VAR) patch.varLinkage(extern.id, LINKAGE.GLOBAL)
    if (extern.kind === KIND.FUNC) patch.funcLinkage(extern.id, LINKAGE.GLOBAL)
    const config = externs.kconfig.find(e => e.name === extern.name)
    at += 4
    return config ? { ...v, offset: config.offset, size: config.size } : { ...v, offset: at - 4, size: 4 }
  })
  const size = t.name === '.kconfig' ? externs.kconfigSize : at
  patch.datasec(t.id, size, vars.sort((a, b) => a.offset - b.offset))
}
