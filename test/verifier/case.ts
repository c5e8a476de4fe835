// Verifier cases as text: fixtures/verifier/cases/*.txt. A file holds cases; a case is
//   case A SENTENCE
//   type NAME [attach N] [flags N] [license L] [dialect D]
//   map NAME TYPE KEY VALUE MAX [flags N] [inner NAME] [field KIND OFFSET] [value HEX] [frozen]
//   func NAME static|global KIND...      one a function in order of address; kinds: int ctx mem:BYTES
//   code
//     assembler text
//   gap WHY                              what we refuse with `not supported yet` though the kernel takes it
//   want accept | ERRNO: the last line of the log
import { asm } from '../../pkg/insn/asm.js'
import type { Insn } from '../../pkg/insn/insn.js'
import type { MapAttr } from '../../pkg/map/types.js'
import { MAP_TYPE, PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { BtfWriter } from './btf-writer.js'

export interface CaseMap {
  readonly name: string
  readonly attr: MapAttr
  readonly inner: string | undefined
  readonly value: Uint8Array | undefined
  readonly frozen: boolean
}

export interface Case {
  readonly file: string
  readonly title: string
  readonly type: number
  readonly attach: number
  readonly flags: number
  readonly license: string
  readonly dialect: string | undefined
  readonly maps: readonly CaseMap[]
  readonly insns: readonly Insn[]
  readonly btf: Uint8Array | undefined
  readonly funcInfo: Uint8Array | undefined
  readonly want: string
  readonly gap: string | undefined
  /** Line of `want` in the file, from 0. */
  readonly line: number
}

const RFC_TYPES: Readonly<Record<string, number>> = { SCHED_QDISC: 0x4011, PHYS_DEV: 0x4021 }

export function parseCases(file: string, text: string): Case[] {
  const lines = text.split('\n')
  const starts = lines.flatMap((l, n) => (l.startsWith('case ') ? [n] : []))
  return starts.map((start, k) => parseCase(file, lines, start, starts[k + 1] ?? lines.length))
}

interface Draft { fields: Record<string, string>; maps: CaseMap[]; funcs: string[][]; code: string[]; want: string; line: number; fieldMaps: (readonly [number, string, number])[] }

function parseCase(file: string, lines: readonly string[], start: number, end: number): Case {
  const d: Draft = { fields: {}, maps: [], funcs: [], code: [], want: '', line: end, fieldMaps: [] }
  let inCode = false
  for (let n = start + 1; n < end; n++) {
    const line = lines[n]!
    if (line.startsWith('want ')) [d.want, d.line, inCode] = [line.slice(5), n, false]
    else if (line === 'code') inCode = true
    else if (inCode) d.code.push(line)
    else directive(d, line.trim().split(/\s+/))
  }
  return finish(file, lines[start]!.slice(5), d)
}

function directive(d: Draft, words: readonly string[]): void {
  const [word, ...rest] = words
  if (word === 'type') {
    d.fields['type'] = rest[0]!
    for (let n = 1; n + 1 < rest.length; n += 2) d.fields[rest[n]!] = rest[n + 1]!
  } else if (word === 'gap') d.fields['gap'] = rest.join(' ')
  else if (word === 'map') addMap(d, rest)
  else if (word === 'func') d.funcs.push([...rest])
}

function addMap(d: Draft, words: readonly string[]): void {
  const [name, type, key, value, max] = words
  const after = (w: string): string | undefined => (words.includes(w) ? words[words.indexOf(w) + 1] : undefined)
  const id = d.maps.length + 1
  if (words.includes('field')) d.fieldMaps.push([id, after('field')!, Number(words[words.indexOf('field') + 2])])
  const hex = after('value')
  d.maps.push({
    name: name!,
    attr: {
      id, type: (MAP_TYPE as Readonly<Record<string, number>>)[type!.toUpperCase()] ?? Number(type), name: name!, keySize: Number(key), valueSize: Number(value),
      maxEntries: Number(max), flags: Number(after('flags') ?? 0), mapExtra: 0,
      innerMapId: after('inner') === undefined ? 0 : d.maps.findIndex(m => m.name === after('inner')) + 1,
      btfId: words.includes('field') ? 1 : 0, btfKeyTypeId: 0, btfValueTypeId: 0,
    },
    inner: after('inner'), value: hex === undefined ? undefined : Uint8Array.from(Buffer.from(hex, 'hex')), frozen: words.includes('frozen'),
  })
}

function finish(file: string, title: string, d: Draft): Case {
  const typeName = d.fields['type']!.toUpperCase()
  const insns = asm(d.code.join('\n'), { maps: Object.fromEntries(d.maps.map(m => [m.name, m.attr.id])) })
  const btf = d.funcs.length + d.fieldMaps.length > 0 ? buildBtf(d, insns, typeName) : undefined
  return {
    file, title, type: (PROG_TYPE as Readonly<Record<string, number>>)[typeName] ?? RFC_TYPES[typeName]!, attach: Number(d.fields['attach'] ?? 0),
    flags: Number(d.fields['flags'] ?? 0), license: d.fields['license'] ?? 'GPL', dialect: d.fields['dialect'],
    maps: btf?.maps ?? d.maps, insns, btf: btf?.bytes, funcInfo: btf?.funcInfo, want: d.want, gap: d.fields['gap'], line: d.line,
  }
}

const CTX_STRUCT: Readonly<Record<string, string>> = { XDP: 'xdp_md', SK_LOOKUP: 'bpf_sk_lookup' }

function buildBtf(d: Draft, insns: readonly Insn[], typeName: string): { bytes: Uint8Array, funcInfo: Uint8Array | undefined, maps: CaseMap[] } {
  const w = new BtfWriter()
  const int = w.int('int', 4)
  const kind = (word: string): number => {
    if (word === 'int') return int
    if (word === 'ctx') return w.pointer(w.struct(CTX_STRUCT[typeName] ?? '__sk_buff', 4, []))
    if (word === 'void') return w.pointer(0)
    return w.pointer(w.struct('mem', Number(word.slice(4)), []))
  }
  const funcs = d.funcs.map(([name, linkage, ...args]) => w.func(name!, linkage === 'global' ? 1 : 0, int, args.map(kind)))
  const maps = d.maps.map(m => {
    const field = d.fieldMaps.find(([id]) => id === m.attr.id)
    if (field === undefined) return m
    const inner = w.struct(field[1], field[1] === 'bpf_spin_lock' ? 4 : 16, [['x', int, 0]])
    const value = w.struct(`value_${m.name}`, m.attr.valueSize, [['f', inner, field[2]]])
    return { ...m, attr: { ...m.attr, btfKeyTypeId: int, btfValueTypeId: value } }
  })
  return { bytes: w.finish(), funcInfo: funcs.length > 0 ? funcRecords(insns, funcs) : undefined, maps }
}

function funcRecords(insns: readonly Insn[], funcs: readonly number[]): Uint8Array {
  const starts = new Set([0])
  insns.forEach((i, n) => {
    if ((i.code === 0x85 && i.src === 1) || (i.code === 0x18 && i.src === 4)) starts.add(n + 1 + i.imm)
  })
  const sorted = [...starts].sort((a, b) => a - b)
  const out = new DataView(new ArrayBuffer(sorted.length * 8))
  sorted.forEach((start, n) => {
    out.setUint32(n * 8, start, true)
    out.setUint32(n * 8 + 4, funcs[n] ?? funcs[funcs.length - 1]!, true)
  })
  return new Uint8Array(out.buffer)
}
