// .BTF.ext: per ELF section the func_info, line_info and CO-RE records of its instructions (Documentation/bpf/btf.rst, 4.2).
import type { Btf } from './btf.js'
import { btfError, type BtfError } from './error.js'
import { BTF_MAGIC } from './parse.js'

/** Records of one kind for one ELF section; each starts with its u32 instruction offset in bytes. */
export interface ExtSection {
  readonly section: string
  readonly recordSize: number
  readonly count: number
  readonly data: Uint8Array
}

export interface BtfExt {
  /** struct bpf_func_info {insn_off, type_id}. */
  readonly funcInfo: readonly ExtSection[]
  /** struct bpf_line_info {insn_off, file_name_off, line_off, line_col}. */
  readonly lineInfo: readonly ExtSection[]
  /** struct bpf_core_relo {insn_off, type_id, access_str_off, kind}. */
  readonly coreRelos: readonly ExtSection[]
}

export const FUNC_INFO_SIZE = 8
export const LINE_INFO_SIZE = 16
export const CORE_RELO_SIZE = 16

/** Splits the section into records; names come from the strings of the object's own .BTF. */
export function parseBtfExt(bytes: Uint8Array, btf: Btf, file: string): BtfExt {
  const fail = btfError(file, '.BTF.ext')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.byteLength < 24) throw fail('header not found')
  if (view.getUint16(0, true) !== BTF_MAGIC) throw fail(`Invalid BTF.ext magic:${view.getUint16(0, true).toString(16)}`)
  if (view.getUint8(2) !== 1) throw fail(`Unsupported BTF.ext version:${view.getUint8(2)}`)
  if (view.getUint8(3) !== 0) throw fail(`Unsupported BTF.ext flags:${view.getUint8(3)}`)
  const header = view.getUint32(4, true)
  if (header < 24 || header > view.byteLength) throw fail(`invalid header length ${header}`)
  const part = (at: number, minimum: number, what: string): ExtSection[] =>
    at + 8 > header ? [] : readPart(view, header + view.getUint32(at, true), view.getUint32(at + 4, true), minimum, what, btf, fail)
  return {
    funcInfo: part(8, FUNC_INFO_SIZE, 'func_info'),
    lineInfo: part(16, LINE_INFO_SIZE, 'line_info'),
    coreRelos: part(24, CORE_RELO_SIZE, 'core_relo'),
  }
}

function readPart(
  view: DataView, start: number, length: number, minimum: number, what: string, btf: Btf, fail: BtfError,
): ExtSection[] {
  if (length === 0) return []
  if (start % 4) throw fail(`${what} section is not aligned to 4 bytes`)
  if (length < 4 || start + length > view.byteLength) throw fail(`${what} section is beyond the end`)
  const recordSize = view.getUint32(start, true)
  if (recordSize < minimum || recordSize % 4) throw fail(`${what} section has invalid record size ${recordSize}`)
  const out: ExtSection[] = []
  for (let at = start + 4; at < start + length;) {
    if (at + 8 > start + length) throw fail(`${what} section header is not found`)
    const [name, count] = [btf.strings.at(view.getUint32(at, true)), view.getUint32(at + 4, true)]
    const size = count * recordSize
    if (count === 0) throw fail(`${what} section '${name}' has no records`)
    if (at + 8 + size > start + length) throw fail(`${what} section '${name}' is cut off`)
    out.push({ section: name, recordSize, count, data: new Uint8Array(view.buffer, view.byteOffset + at + 8, size) })
    at += 8 + size
  }
  return out
}
