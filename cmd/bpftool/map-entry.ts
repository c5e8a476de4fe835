// One entry of a map in the three ways that bpftool has (map.c: print_entry_plain, print_entry_json, do_dump_btf): bytes, JSON with bytes and
// `formatted`, and, where the map has BTF, typed values.
import { parseBtf, type Btf } from '../../pkg/btf/btf.js'
import { readValue, type BtfValue } from '../../pkg/btf/print-value.js'
import { Json, type Writer } from '../../pkg/print/index.js'
import type { MapInfo } from '../../pkg/request/bpf.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { ENOENT, strerror } from '../../pkg/uapi/errno.js'
import { toolchain } from '../lib/lazy.js'
import { hexLines, hexWords } from './hex.js'
import { isOfMaps, isOfProgs, isPerCpu, stride } from './map-data.js'

export type Entry = { readonly key: Uint8Array; readonly value: Uint8Array }

/** The map's types, when it has any. */
export function btfOf(kernel: Kernel, info: MapInfo): Btf | undefined {
  if (info.btfVmlinuxId !== 0) return toolchain().vmlinuxBtf()
  return info.btfId === 0 || info.btfValueTypeId === 0 ? undefined : parseBtf(kernel.request('btf.bytes', { id: info.btfId }), 'BTF')
}

/** What is written to: the output's JSON, or the pretty JSON that plain text with types is. */
export interface Sink {
  openObject(key: string | null): void
  closeObject(): void
  openArray(key: string | null): void
  closeArray(): void
  tree(key: string | null, value: unknown): void
  raw(key: string | null, text: string): void
}

/** Plain output of typed values: JSON but for pointers, bit fields and odd characters. */
export class TypedText implements Sink {
  readonly #json = new Json('bpftool', true)

  openObject(key: string | null): void { this.#json.startObject(key ?? undefined) }
  closeObject(): void { this.#json.endObject() }
  openArray(key: string | null): void { this.#json.startArray(key ?? undefined) }
  closeArray(): void { this.#json.endArray() }
  tree(key: string | null, value: unknown): void { this.#json.tree(value, key ?? undefined) }
  raw(key: string | null, text: string): void { this.#json.raw(text, key ?? undefined) }

  take(): string {
    this.#json.finish()
    return this.#json.take()
  }
}

export const writerSink = (out: Writer): Sink => ({
  openObject: (key) => out.openObject(key), closeObject: () => out.closeObject(),
  openArray: (key) => out.openArray(key), closeArray: () => out.closeArray(),
  tree: (key, value) => out.tree(key, value), raw: (key, text) => out.tree(key, text),
})

export function writeValue(sink: Sink, key: string | null, value: BtfValue): void {
  if (value.kind === 'scalar') sink.tree(key, value.value)
  else if (value.kind === 'raw') sink.raw(key, value.text)
  else if (value.kind === 'array') {
    sink.openArray(key)
    for (const item of value.items) writeValue(sink, null, item)
    sink.closeArray()
  } else {
    sink.openObject(key)
    for (const [name, member] of value.members) writeValue(sink, name, member)
    sink.closeObject()
  }
}

/** Each CPU's own part of a value; one part when the map is not per CPU. */
function shares(info: MapInfo, value: Uint8Array): Uint8Array[] {
  const step = stride(info)
  const cpus = step === 0 ? 0 : Math.floor(value.length / step)
  return Array.from({ length: cpus }, (_, cpu) => value.subarray(cpu * step, cpu * step + info.valueSize))
}

/** `{"key": …, "value": …}` with types. */
export function typedEntry(sink: Sink, key: string | null, btf: Btf, info: MapInfo, entry: Entry, plain: boolean): void {
  sink.openObject(key)
  const valueType = info.btfVmlinuxValueTypeId ?? info.btfValueTypeId
  if (info.btfKeyTypeId !== 0) writeValue(sink, 'key', readValue(btf, info.btfKeyTypeId, entry.key, plain))
  if (!isPerCpu(info.type)) writeValue(sink, 'value', readValue(btf, valueType, entry.value, plain))
  else {
    sink.openArray('values')
    shares(info, entry.value).forEach((share, cpu) => {
      sink.openObject(null)
      sink.tree('cpu', cpu)
      writeValue(sink, 'value', readValue(btf, valueType, share, plain))
      sink.closeObject()
    })
    sink.closeArray()
  }
  sink.closeObject()
}

/** JSON: bytes, and what they mean. */
export function jsonEntry(out: Writer, btf: Btf | undefined, info: MapInfo, { key, value }: Entry): void {
  out.openObject()
  out.tree('key', hexWords(key))
  if (isPerCpu(info.type)) out.tree('values', shares(info, value).map((share, cpu) => ({ cpu, value: hexWords(share) })))
  else out.tree('value', hexWords(value))
  if (btf) typedEntry(writerSink(out), 'formatted', btf, info, { key, value }, false)
  out.closeObject()
}

export function plainEntry(info: MapInfo, { key, value }: Entry): string {
  if (isPerCpu(info.type)) return perCpuEntry(info, key, value)
  const wide = info.keySize > 16 || info.valueSize > 16
  const oneLine = info.keySize + info.valueSize <= 24 && !wide
  const gap = wide ? '\n' : ' '
  const keyText = info.keySize > 0 ? `key:${gap}${hexLines(key)}${oneLine ? '  ' : '\n'}` : ''
  return `${keyText}${info.valueSize > 0 ? `value:${gap}${hexLines(value)}` : ''}\n`
}

function perCpuEntry(info: MapInfo, key: Uint8Array, value: Uint8Array): string {
  const head = info.keySize > 0 ? `key:\n${hexLines(key)}\n` : ''
  const gap = info.valueSize > 16 ? '\n' : ' '
  return head + shares(info, value).map((share, cpu) => `value (CPU ${String(cpu).padStart(2, '0')}):${gap}${hexLines(share)}\n`).join('')
}

/** A key whose value could not be read: said, but for empty slots of maps that hold maps or programs. */
export function failedEntry(out: Writer, info: MapInfo, key: Uint8Array, errno: number): void {
  if ((isOfMaps(info.type) || isOfProgs(info.type)) && errno === ENOENT) return
  if (out.isJson) return out.tree(null, { key: hexWords(key), value: { error: strerror(errno) } })
  const text = errno === ENOENT ? '<no entry>' : strerror(errno)
  const wide = info.keySize > 16 || text.length > 16
  const gap = wide ? '\n' : ' '
  out.text('%s', `key:${gap}${hexLines(key)}${info.keySize + text.length <= 24 && !wide ? '  ' : '\n'}value:${gap}${text}\n`)
}
