// Undefined symbols: variables of .kconfig, kernel functions and variables of .ksyms. Answers to bpf_object__collect_externs.
import { INT_BOOL, INT_SIGNED, KIND, type Btf, type BtfType } from '../btf/index.js'
import { STB, type Elf, type ElfSymbol } from '../elf/index.js'
import { objectError } from './error.js'
import type { KconfigSpec } from './spec.js'

export type Extern =
  | { readonly kind: 'kconfig'; readonly map: number; readonly offset: number }
  | { readonly kind: 'func' | 'var'; readonly weak: boolean; readonly typeId: number }

export interface Externs {
  readonly kconfig: readonly KconfigSpec[]
  readonly kconfigSize: number
  readonly ksyms: ReadonlyMap<string, { kind: 'func' | 'var'; weak: boolean; typeId: number }>
}

/** Undefined symbols that BTF describes; others are an error once code refers to them. */
export function collectExterns(elf: Elf, btf: Btf | undefined): Externs {
  const ksyms = new Map<string, { kind: 'func' | 'var'; weak: boolean; typeId: number }>()
  const kconfig: Omit<KconfigSpec, 'offset'>[] = []
  const section = btf ? sectionsOfExterns(btf) : new Map<string, { section: string; t: BtfType }>()
  for (const symbol of elf.symbols) {
    if (symbol.section !== 0 || (symbol.bind !== STB.GLOBAL && symbol.bind !== STB.WEAK)) continue
    const found = section.get(symbol.name)
    if (!btf || !found) continue
    if (found.section === '.kconfig') kconfig.push(kconfigOf(elf, btf, symbol, found.t))
    else if (found.section === '.ksyms') ksyms.set(symbol.name, ksymOf(btf, symbol, found.t))
    else throw objectError(elf.file, `extern '${symbol.name}'`, `unrecognized extern section '${found.section}'`)
  }
  return { ...layout(kconfig, elf.file), ksyms }
}

function sectionsOfExterns(btf: Btf): Map<string, { section: string; t: BtfType }> {
  const out = new Map<string, { section: string; t: BtfType }>()
  for (const sec of btf.types) {
    if (sec.kind !== KIND.DATASEC) continue
    for (const v of sec.vars) {
      const t = btf.type(v.type)
      if ((t.kind === KIND.VAR || t.kind === KIND.FUNC) && t.linkage === 2) out.set(t.name, { section: sec.name, t })
    }
  }
  return out
}

function ksymOf(btf: Btf, symbol: ElfSymbol, t: BtfType): { kind: 'func' | 'var'; weak: boolean; typeId: number } {
  const weak = symbol.bind === STB.WEAK
  if (t.kind === KIND.FUNC) return { kind: 'func', weak, typeId: t.type }
  const type = t.kind === KIND.VAR ? t.type : 0
  return { kind: 'var', weak, typeId: btf.resolve(type).kind === KIND.UNKN ? 0 : type }
}

function kconfigOf(elf: Elf, btf: Btf, symbol: ElfSymbol, t: BtfType): Omit<KconfigSpec, 'offset'> {
  const size = btf.sizeof(t.id)
  const kind = t.kind === KIND.VAR ? kconfigKind(btf, t.type) : undefined
  if (size === undefined || !kind) throw objectError(elf.file, `extern (kcfg) '${symbol.name}'`, 'type is unsupported')
  return { name: symbol.name, size, ...kind, weak: symbol.bind === STB.WEAK }
}

function kconfigKind(btf: Btf, id: number): Pick<KconfigSpec, 'kind' | 'signed'> | undefined {
  const t = btf.resolve(id)
  if (t.kind === KIND.INT) {
    const signed = (t.encoding & INT_SIGNED) !== 0
    if (t.encoding & INT_BOOL) return t.size === 1 ? { kind: 'bool', signed } : undefined
    if (t.size === 1) return { kind: 'char', signed }
    return t.size <= 8 ? { kind: 'int', signed } : undefined
  }
  if (t.kind === KIND.ENUM) return t.size === 4 && t.name === 'libbpf_tristate' ? { kind: 'tristate', signed: false } : undefined
  if (t.kind !== KIND.ARRAY || t.count === 0) return undefined
  return kconfigKind(btf, t.element)?.kind === 'char' ? { kind: 'string', signed: false } : undefined
}

/** As libbpf lays them out: strictest alignment first, then the smaller, then by name. */
function layout(entries: readonly Omit<KconfigSpec, 'offset'>[], file: string): { kconfig: KconfigSpec[]; kconfigSize: number } {
  const align = (e: { kind: string; size: number }): number => (e.kind === 'string' ? 1 : e.size)
  const sorted = [...entries].sort((a, b) => align(b) - align(a) || a.size - b.size || (a.name < b.name ? -1 : 1))
  let end = 0
  const kconfig = sorted.map(e => {
    const offset = Math.ceil(end / align(e)) * align(e)
    end = offset + e.size
    return { ...e, offset }
  })
  if (end > 1 << 20) throw objectError(file, `sec '.kconfig'`, `${end} bytes of externs are too many`)
  return { kconfig, kconfigSize: end }
}
