// func_info and line_info of .BTF.ext, re-based to this program: check_btf_func(), check_btf_line(), verbose_linfo() (kernel/bpf/verifier.c).
import type { Btf } from '../btf/btf.js'
import type { FuncLine } from './input.js'
import type { Env } from './env.js'

export interface LineInfo {
  readonly insn: number
  readonly file: number
  readonly text: number
  readonly line: number
}

export interface FuncInfo { readonly insn: number, readonly typeId: number }

function records(info: FuncLine, words: number): number[][] {
  const view = new DataView(info.bytes.buffer, info.bytes.byteOffset, info.bytes.byteLength)
  const out: number[][] = []
  for (let at = 0; at + info.recSize <= info.bytes.length; at += info.recSize) {
    out.push(Array.from({ length: words }, (_, n) => view.getUint32(at + n * 4, true)))
  }
  return out
}

export const readLines = (info: FuncLine): LineInfo[] =>
  records(info, 4).map(([insn, file, text, line]) => ({ insn: insn!, file: file!, text: text!, line: line! >>> 10 }))

export const readFuncs = (info: FuncLine): FuncInfo[] => records(info, 2).map(([insn, typeId]) => ({ insn: insn!, typeId: typeId! }))

/** The record that covers an instruction: the last one not behind it. */
export function lineAt(env: Env, insn: number): LineInfo | undefined {
  const lines = env.lineInfo
  if (lines.length === 0 || insn >= env.insns.length) return undefined
  let low = 0
  let high = lines.length - 1
  while (low < high) {
    const mid = (low + high + 1) >> 1
    if (lines[mid]!.insn <= insn) low = mid
    else high = mid - 1
  }
  return lines[low]!.insn <= insn ? lines[low] : undefined
}

/** verbose_linfo(): the source line, when it is another than the last one printed. */
export function printLine(env: Env, insn: number, prefix: string): void {
  if (env.level === 0) return
  const line = lineAt(env, insn)
  const btf = env.input.btf
  if (line === undefined || btf === undefined) return
  const last = env.prevLine
  if (last !== undefined && line.line === last.line && line.file === last.file && line.text === last.text) return
  const text = string(btf, line.text).replace(/^\s+/, '')
  const file = string(btf, line.file).replace(/^.*\//, '')
  env.verbose(`${prefix}${text} @ ${file}:${line.line}\n`)
  env.prevLine = line
}

export function string(btf: Btf, offset: number): string {
  try {
    return btf.strings.at(offset)
  } catch {
    return ''
  }
}

/** Moves records to the slots that instructions have after fixup; a record whose instructions are all gone is dropped, as bpf_adj_linfo_after_remove() does. */
export function remap(info: FuncLine | undefined, places: Int32Array, length: number): FuncLine | undefined {
  if (info === undefined) return undefined
  const view = new DataView(info.bytes.buffer, info.bytes.byteOffset, info.bytes.byteLength)
  const kept: { at: number, insn: number }[] = []
  for (let at = 0; at + info.recSize <= info.bytes.length; at += info.recSize) {
    const insn = places[view.getUint32(at, true)]
    if (insn === undefined || insn >= length) continue
    if (kept.length > 0 && kept[kept.length - 1]!.insn === insn) kept.pop()
    kept.push({ at, insn })
  }
  const bytes = new Uint8Array(kept.length * info.recSize)
  const out = new DataView(bytes.buffer)
  kept.forEach(({ at, insn }, n) => {
    bytes.set(info.bytes.subarray(at, at + info.recSize), n * info.recSize)
    out.setUint32(n * info.recSize, insn, true)
  })
  return { recSize: info.recSize, bytes }
}
