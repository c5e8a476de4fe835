// Instructions as records: what both layouts of `prog dump xlated` print (xlated_dumper.c: dump_xlated_plain, dump_xlated_json).
import { parseBtf, type Btf } from '../../pkg/btf/btf.js'
import { disasm, type DisasmNames } from '../../pkg/insn/disasm.js'
import { encodeInsns, type Insn } from '../../pkg/insn/insn.js'
import type { ProgDump } from '../../pkg/request/bpf.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { CALL, PSEUDO } from '../../pkg/uapi/bpf.js'
import { hexLines, hexWords } from './hex.js'
import { signature } from './signature.js'

export type XlatedOptions = { readonly opcodes: boolean; readonly linum: boolean }

type Source = { readonly src: string; readonly file: string; readonly line_num: number; readonly line_col: number }

export type XlatedLine = {
  readonly slot: number
  readonly proto?: string | undefined
  readonly source?: Source | undefined
  readonly disasm: string
  readonly insn: Insn
  /** All bytes: 8, or 16 of a load of two slots. */
  readonly bytes: Uint8Array
}

const LD_IMM64 = 0x18

/** One record an instruction. */
export function xlatedLines(kernel: Kernel, dump: ProgDump): XlatedLine[] {
  const btf = dump.info.btfId === 0 ? undefined : parseBtf(kernel.request('btf.bytes', { id: dump.info.btfId }), 'BTF')
  const protos = btf && dump.funcInfo ? records(dump.funcInfo, (view, at) => signature(btf, view.getUint32(at + 4, true))) : undefined
  const sources = btf && dump.lineInfo ? records(dump.lineInfo, (view, at) => sourceAt(btf, view, at)) : undefined
  const names = symbols(dump, btf)
  const lines: XlatedLine[] = []
  const insns = dump.xlated
  for (let slot = 0; slot < insns.length; slot++) {
    const insn = insns[slot]!
    const size = insn.code === LD_IMM64 ? 2 : 1
    lines.push({
      slot, proto: protos?.get(slot) || undefined, source: sources?.get(slot), disasm: disasm(insns, slot, names), insn,
      bytes: encodeInsns(insns.slice(slot, slot + size)),
    })
    slot += size - 1
  }
  return lines
}

/** By their first slot. */
function records<T>(info: { recSize: number; bytes: Uint8Array }, read: (view: DataView, at: number) => T): Map<number, T> {
  const { recSize, bytes } = info
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found = new Map<number, T>()
  for (let at = 0; recSize >= 8 && at + recSize <= bytes.length; at += recSize) found.set(view.getUint32(at, true), read(view, at))
  return found
}

const LINE_SHIFT = 10
const COLUMN_MASK = 0x3ff

/** struct bpf_line_info; no text, no record. */
function sourceAt(btf: Btf, view: DataView, at: number): Source | undefined {
  const src = btf.strings.at(view.getUint32(at + 8, true)).replace(/^\s+/, '')
  const place = view.getUint32(at + 12, true)
  if (src === '') return undefined
  return { src, file: btf.strings.at(view.getUint32(at + 4, true)), line_num: place >>> LINE_SHIFT, line_col: place & COLUMN_MASK }
}

/** print_imm and print_call of xlated_dumper.c. */
export function symbols(dump: Pick<ProgDump, 'subprogs' | 'funcInfo'>, btf?: Btf): DisasmNames {
  const functions = btf && dump.funcInfo ? records(dump.funcInfo, (view, at) => btf.type(view.getUint32(at + 4, true)).name) : undefined
  const tags = new Map(dump.subprogs?.map(({ slot, tag }) => [slot, tag]))
  return {
    imm64: (i, next) => imm64(i, next),
    call: (i, pc) => {
      if (i.src !== CALL.PSEUDO_CALL) return undefined
      const [to, offset] = [pc + 1 + i.imm, i.imm < 0 ? `${i.imm}` : `+${i.imm}`]
      const tag = tags.get(to)
      return tag === undefined ? `pc${offset}` : `pc${offset}#bpf_prog_${tag}_${functions?.get(to) ?? 'F'}`
    },
  }
}

function imm64(i: Insn, next: Insn): string | undefined {
  switch (i.src) {
    case PSEUDO.MAP_FD: return `map[id:${i.imm >>> 0}]`
    case PSEUDO.MAP_VALUE: return `map[id:${i.imm >>> 0}][0]+${next.imm >>> 0}`
    case PSEUDO.FUNC: return `subprog[${i.imm < 0 ? '' : '+'}${i.imm}]`
    default: return undefined
  }
}

/** `% 4d: ` */
export const slotText = (slot: number): string => `${` ${slot}`.padStart(4)}: `

export function xlatedPlain(lines: readonly XlatedLine[], { opcodes, linum }: XlatedOptions): string {
  return lines.map(({ slot, proto, source, disasm, bytes }) => {
    const place = source && linum ? ` [file:${source.file} line_num:${source.line_num} line_col:${source.line_col}]` : ''
    return (proto ? `${proto}:\n` : '') + (source ? `; ${source.src}${place}\n` : '') + `${slotText(slot)}${disasm}\n`
      + (opcodes ? `       ${hexLines(bytes.subarray(0, 8))}${bytes.length > 8 ? ` ${hexLines(bytes.subarray(8))}` : ''}\n` : '')
  }).join('')
}

export function xlatedJson(lines: readonly XlatedLine[], { opcodes, linum }: XlatedOptions): object[] {
  return lines.map(({ proto, source, disasm, insn, bytes }) => ({
    proto, src: source?.src, ...(linum && source ? placeOf(source) : {}), disasm,
    ...(opcodes ? { opcodes: opcodeFields(insn, bytes) } : {}),
  }))
}

/** Numbers that are 0 are left out. */
function placeOf({ file, line_num, line_col }: Source): object {
  return { file, ...(line_num === 0 ? {} : { line_num }), ...(line_col === 0 ? {} : { line_col }) }
}

function opcodeFields(insn: Insn, bytes: Uint8Array): object {
  const hex = (value: number): string => `0x${value.toString(16)}`
  return {
    code: hexWords(bytes.subarray(0, 1))[0], src_reg: hex(insn.src), dst_reg: hex(insn.dst),
    off: hexWords(bytes.subarray(2, 4)), imm: hexWords(bytes.subarray(4)),
  }
}
