// .BTF.ext records of functions, moved to where the functions lie in a linked program. Answers to adjust_prog_btf_ext_info of libbpf.
import { parseBtfExt, type Btf, type ExtSection } from '../btf/index.js'
import type { Func } from './code.js'
import { viewOf } from './error.js'
import type { InfoRecords, PlacedCoreRelo } from './spec.js'

/** Functions of a program with their first slots. */
export type Placed = readonly (readonly [Func, number])[]

interface Record {
  /** Slot in its section. */
  readonly slot: number
  readonly bytes: Uint8Array
}

/** Records by ELF section, sorted by slot. */
type Table = { readonly recSize: number; readonly sections: ReadonlyMap<string, readonly Record[]> }

export class ExtInfo {
  readonly #btf: Btf
  readonly #func: Table
  readonly #line: Table
  readonly #core: Table

  constructor(bytes: Uint8Array, btf: Btf, file: string) {
    const ext = parseBtfExt(bytes, btf, file)
    this.#btf = btf
    this.#func = tableOf(ext.funcInfo)
    this.#line = tableOf(ext.lineInfo)
    this.#core = tableOf(ext.coreRelos)
  }

  /** One record a function; none at all when one of them has none, as the kernel wants all or nothing. */
  funcInfo(placed: Placed): InfoRecords | undefined {
    const records = placed.map(([f, at]) => recordsOf(this.#func, f, at).filter(r => r.slot === at))
    return records.every(r => r.length > 0) ? join(this.#func.recSize, records.map(r => r[0]!)) : undefined
  }

  lineInfo(placed: Placed): InfoRecords | undefined {
    const records = placed.flatMap(([f, at]) => recordsOf(this.#line, f, at))
    return records.length ? join(this.#line.recSize, records) : undefined
  }

  coreRelos(placed: Placed): PlacedCoreRelo[] {
    return placed.flatMap(([f, at]) => recordsOf(this.#core, f, at)).map(({ slot, bytes }) => {
      const view = viewOf(bytes)
      const access = this.#btf.strings.at(view.getUint32(8, true))
      return { slot, insnOff: view.getUint32(0, true), typeId: view.getUint32(4, true), access, kind: view.getUint32(12, true) }
    })
  }

  /** Type id of the FUNC of a function. */
  funcType(f: Func): number | undefined {
    const records = this.#func.sections.get(f.section.name) ?? []
    const record = records[lowerBound(records, f.start)]
    return record?.slot === f.start ? viewOf(record.bytes).getUint32(4, true) : undefined
  }
}

function tableOf(sections: readonly ExtSection[]): Table {
  const out = new Map<string, Record[]>()
  for (const s of sections) {
    const records = out.get(s.section) ?? []
    for (let i = 0; i < s.count; i++) {
      const bytes = s.data.subarray(i * s.recordSize, (i + 1) * s.recordSize)
      records.push({ slot: viewOf(bytes).getUint32(0, true) / 8, bytes })
    }
    out.set(s.section, records)
  }
  for (const records of out.values()) records.sort((a, b) => a.slot - b.slot)
  return { recSize: sections[0]?.recordSize ?? 0, sections: out }
}

/** A function's records with slots counted from the start of the program. */
function recordsOf(table: Table, f: Func, at: number): Record[] {
  const all = table.sections.get(f.section.name) ?? []
  const own = all.slice(lowerBound(all, f.start), lowerBound(all, f.start + f.count))
  return own.map(r => ({ slot: r.slot - f.start + at, bytes: r.bytes }))
}

/** First record at or behind a slot. */
function lowerBound(records: readonly Record[], slot: number): number {
  let [low, high] = [0, records.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (records[middle]!.slot < slot) low = middle + 1
    else high = middle
  }
  return low
}

function join(recSize: number, records: readonly Record[]): InfoRecords {
  const bytes = new Uint8Array(recSize * records.length)
  const view = viewOf(bytes)
  records.forEach((r, i) => {
    bytes.set(r.bytes.subarray(0, recSize), i * recSize)
    view.setUint32(i * recSize, r.slot, true)
  })
  return { recSize, bytes }
}
