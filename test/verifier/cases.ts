// fixtures/verifier/*.txt: many cases a file, one theme each. What stands in front of the first case holds for all of them. A case is
//   -- TITLE
//   prog TYPE [attach=NAME] [flags=NUMBER]      license NAME      strict: BPF_F_STRICT_ALIGNMENT is flags=1
//   map NAME TYPE KEY VALUE MAX [flags=N] [inner=NAME] [value=STRUCT] [key=TYPE] [extra=N] [frozen=HEX]
//   maps N NAME …                     N maps: NAME0, NAME1 …
//   struct …, func …                  BTF: see case-btf.ts
//   each X: a | b | c                 as many cases; {X} stands for the word. Several lines: all combinations
//   assembler lines, and
//     .lookup MAP        r0 = lookup of key 0           .data      r2 = data, r3 = data_end, by r1
//     .rept N … .endr    N times; {i} is 0, 1, 2 …, {j} in a block inside a block      .raw CODE DST SRC OFF IMM      a slot that no assembler would write
//     kcall NAME         call of a kernel function
//   = [VARIANT:] ok INSNS                              the real kernel's verdict, with the instructions that it processed
//   = [VARIANT:] ERRNO the telling line of the log     (test/oracle/verifier.ts records them)
import { readdirSync, readFileSync } from 'node:fs'
import { KIND, type Btf } from '../../pkg/btf/index.js'
import { asm } from '../../pkg/insn/asm.js'
import { insn, type Insn } from '../../pkg/insn/insn.js'
import type { MapCreate } from '../../pkg/request/bpf.js'
import { ATTACH_TYPE, MAP_TYPE, PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { root } from '../support/root.js'
import { CaseBtf } from './case-btf.js'
import type { Load } from './load.js'

export interface Case {
  /** theme: title (variant) */
  readonly name: string
  readonly theme: string
  /** What its verdict line begins with: '' or the variant's words and a colon. */
  readonly prefix: string
  readonly title: string
  /** Recorded: `ok 12`, `EACCES R0 !read_ok`; undefined: not yet. */
  readonly verdict: string | undefined
  /** The program against a kernel's BTF, which numbers its functions. */
  load(kernel: Btf): Load
}

export const caseFolder = (): string => root('fixtures', 'verifier')
export const caseFiles = (): string[] => readdirSync(caseFolder()).filter(name => /^(?!disagreements).*\.txt$/.test(name)).sort()

export function readCases(file: string): Case[] {
  const [head = '', ...parts] = readFileSync(`${caseFolder()}/${file}`, 'utf8').split(/^-- /m)
  const common = head.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return parts.flatMap(part => variantsOf(file.replace('.txt', ''), common, part))
}

function variantsOf(theme: string, common: readonly string[], part: string): Case[] {
  const [title = '', ...rest] = part.trimEnd().split('\n')
  const verdicts = rest.filter(line => line.startsWith('= ')).map(line => line.slice(2))
  const each = rest.filter(line => line.startsWith('each '))
  const lines = [...common, ...rest.filter(line => !/^(= |each )/.test(line))]
  return combinations(each).map(words => {
    const variant = words.map(([, word]) => word).join(', ')
    const prefix = words.length === 0 ? '' : `${variant}: `
    const own = words.reduce((all, [name, word]) => all.map(line => line.replaceAll(`{${name}}`, word).replaceAll('+-', '-')), lines)
    return {
      theme, title, prefix, name: `${theme}: ${title}${prefix === '' ? '' : ` (${variant})`}`,
      verdict: verdicts.find(one => one.startsWith(prefix))?.slice(prefix.length),
      load: kernel => named(`${theme}: ${title} (${variant})`, () => loadOf(own, kernel)),
    }
  })
}

function named<T>(name: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`)
  }
}

function combinations(each: readonly string[]): (readonly [name: string, word: string])[][] {
  return each.reduce<(readonly [string, string])[][]>((all, line) => {
    const m = /^each (\w+): (.*)$/.exec(line)!
    return all.flatMap(one => m[2]!.split(' | ').map(word => [...one, [m[1]!, word.trim()] as const]))
  }, [[]])
}

function loadOf(lines: readonly string[], kernel: Btf): Load {
  const btf = new CaseBtf()
  const code: string[] = []
  const maps: string[] = []
  let prog = 'prog socket_filter'
  let license = 'GPL'
  for (const raw of lines) {
    const line = raw.trim()
    if (line.startsWith('prog ')) prog = line
    else if (line.startsWith('license ')) license = line.slice(8)
    else if (line.startsWith('map ')) maps.push(line)
    else if (line.startsWith('maps ')) maps.push(...manyMaps(line))
    else if (!btf.declare(line)) code.push(line)
  }
  const repeats = repeated(code)
  const used = neededMaps(maps, repeats.join('\n'))
  const type = prog.split(' ')[1]!.toUpperCase() as keyof typeof PROG_TYPE
  const { insns, labels } = assemble(expand(repeats, used, type), used.map(one => one.split(' ')[1]!), kernel)
  const attach = /attach=(\w+)/.exec(prog)?.[1]?.toUpperCase() as keyof typeof ATTACH_TYPE | undefined
  const infos = btf.funcs.length === 0 ? undefined : funcInfo(btf, labels)
  const created = used.map(line => mapOf(line, used, btf))
  return {
    maps: created, values: used.flatMap((line, n) => frozenValue(line, n + 1)), btf: btf.empty ? undefined : btf.bytes(),
    prog: {
      type: PROG_TYPE[type], insns, license, ...(attach === undefined ? {} : { expectedAttachType: ATTACH_TYPE[attach] }),
      flags: Number(/flags=(\w+)/.exec(prog)?.[1] ?? 0), ...(btf.empty ? {} : { btfId: 1 }), ...(infos ? { funcInfo: infos } : {}),
    },
  }
}

function manyMaps(line: string): string[] {
  const [, count, name = '', ...rest] = line.split(' ')
  return Array.from({ length: Number(count) }, (_, n) => ['map', `${name}${n}`, ...rest].join(' '))
}

/** Only maps that the code, or a needed map, names. Inner maps come first. */
function neededMaps(maps: readonly string[], code: string): string[] {
  const named = (name: string): boolean => code.includes(`map[${name}]`) || new RegExp(`\\.lookup ${name}\\b`).test(code)
  const direct = maps.filter(line => named(line.split(' ')[1]!))
  const inner = maps.filter(line => direct.some(one => new RegExp(`inner=${line.split(' ')[1]!}\\b`).test(one)))
  return [...new Set([...inner, ...direct])]
}

function mapOf(line: string, all: readonly string[], btf: CaseBtf): MapCreate {
  const [, name = '', type = '', key, value, max] = line.split(' ')
  const option = (word: string): string | undefined => new RegExp(` ${word}=(\\w+)`).exec(line)?.[1]
  const inner = option('inner')
  const struct = option('value')
  return {
    name, type: MAP_TYPE[type.toUpperCase() as keyof typeof MAP_TYPE], keySize: Number(key), valueSize: Number(value), maxEntries: Number(max),
    flags: Number(option('flags') ?? 0), mapExtra: Number(option('extra') ?? 0),
    ...(inner === undefined ? {} : { innerMapId: all.findIndex(one => one.split(' ')[1] === inner) + 1 }),
    ...(struct === undefined ? {} : { btfId: 1, btfKeyTypeId: btf.type(option('key') ?? 'u32'), btfValueTypeId: btf.type(struct) }),
  }
}

function frozenValue(line: string, map: number): Load['values'] {
  const hex = / frozen=(\w+)/.exec(line)?.[1]
  return hex === undefined ? [] : [{ map, bytes: new Uint8Array(Buffer.from(hex, 'hex')), frozen: true }]
}

/** ctx fields that hold a packet's start and end. */
const DATA: Partial<Record<keyof typeof PROG_TYPE, readonly [number, number]>> = { XDP: [0, 4] }

function expand(lines: readonly string[], maps: readonly string[], type: keyof typeof PROG_TYPE): string[] {
  return lines.flatMap(line => {
    const [label = '', word = '', arg = ''] = /^([\w.]+:\s*)?(\.\w+)?\s*(.*)$/.exec(line)!.slice(1).map(one => one ?? '')
    if (word === '.lookup') return [label, ...lookup(arg, maps)]
    if (word !== '.data') return [line]
    const [data, end] = DATA[type] ?? [76, 80]
    return [label, `r2 = *(u32 *)(r1 +${data})`, `r3 = *(u32 *)(r1 +${end})`]
  })
}

function lookup(name: string, maps: readonly string[]): string[] {
  const size = Number(maps.find(line => line.split(' ')[1] === name)!.split(' ')[3])
  const store = size === 8 ? '*(u64 *)(r10 -8) = 0' : '*(u32 *)(r10 -4) = 0'
  return [store, 'r2 = r10', `r2 += -${size}`, `r1 = map[${name}]`, 'call bpf_map_lookup_elem']
}

function repeated(lines: readonly string[]): string[] {
  const from = lines.findLastIndex(line => line.startsWith('.rept '))
  if (from < 0) return [...lines]
  const to = lines.indexOf('.endr', from)
  const times = Number(lines[from]!.slice(6))
  const body = lines.slice(from + 1, to)
  const mark = lines.slice(0, from).some(line => line.startsWith('.rept ')) ? '{j}' : '{i}'
  const copies = Array.from({ length: times }, (_, i) => body.map(line => line.replaceAll(mark, `${i}`))).flat()
  return repeated([...lines.slice(0, from), ...copies, ...lines.slice(to + 1)])
}

const RAW_MARK = 0x7ead0000
const WIDE = /^r\d+ = (.* ll$|map\[|btf\[|subprog\[)/

/** Slots, and where the labels are. */
function assemble(lines: readonly string[], maps: readonly string[], kernel: Btf): { insns: Insn[], labels: Map<string, number> } {
  const raws: Insn[] = []
  const kfuncs: Record<string, number> = {}
  const labels = new Map<string, number>()
  let slot = 0
  const text = lines.map(line => {
    let body = line.replace(/(^|\s)(\/\/|;|#).*$/, '').trim()
    const label = /^([A-Za-z_]\w*):\s*/.exec(body)
    if (label) labels.set(label[1]!, slot)
    body = body.slice(label?.[0].length ?? 0)
    if (body !== '') slot += WIDE.test(body) ? 2 : 1
    if (body.startsWith('.raw ')) return `${label?.[0] ?? ''}r0 = ${RAW_MARK + raws.push(rawInsn(body)) - 1}`
    const kfunc = /^kcall (\w+)$/.exec(body)?.[1]
    if (kfunc === undefined) return line
    kfuncs[kfunc] = kernel.find(kfunc, KIND.FUNC)?.id ?? 0
    return `${label?.[0] ?? ''}call ${kfunc}`
  }).join('\n')
  const numbers = Object.fromEntries(maps.map((name, n) => [name, n + 1]))
  const insns = asm(text, { maps: numbers, kfuncs }).map(i => (i.code === 0xb7 && i.imm >= RAW_MARK ? raws[i.imm - RAW_MARK] ?? i : i))
  return { insns, labels }
}

function rawInsn(text: string): Insn {
  const [code = 0, dst = 0, src = 0, off = 0, imm = 0] = text.slice(5).split(/\s+/).map(Number)
  return insn(code, dst, src, off, imm)
}

function funcInfo(btf: CaseBtf, labels: ReadonlyMap<string, number>): { recSize: number, bytes: Uint8Array } {
  const words = btf.funcs.map(({ name, id }) => [labels.get(name) ?? 0, id] as const).sort((a, b) => a[0] - b[0]).flat()
  return { recSize: 8, bytes: new Uint8Array(Uint32Array.from(words).buffer) }
}
