// `bpftool struct_ops dump`: map info and value as typed JSON, function pointers as prototype, program name and id
// (struct_ops.c: __do_dump; btf_dumper.c: btf_dumper_ptr with prog_id_as_func_ptr).
import type { Btf, BtfComposite, BtfValue } from '../../pkg/btf/index.js'
import { KIND } from '../../pkg/btf/types.js'
import { KernelError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import type { MapInfo } from '../../pkg/request/bpf.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { toolchain } from '../lib/lazy.js'
import { TypedText, writerSink, writeValue } from './map-entry.js'

const VALUE_PREFIX = 'bpf_struct_ops_'

const valueType = (info: MapInfo): BtfComposite => toolchain().vmlinuxBtf().type(info.btfVmlinuxValueTypeId ?? 0) as BtfComposite

/** tcp_congestion_ops */
export const tableName = (info: MapInfo): string => valueType(info).name.slice(VALUE_PREFIX.length)

export function dumpTables(context: Context, kernel: Kernel, list: readonly MapInfo[]): void {
  const text = new TypedText()
  const sink = context.out.isJson ? writerSink(context.out) : text
  sink.openArray(null)
  for (const info of list) {
    sink.openObject(null)
    writeValue(sink, 'bpf_map_info', infoValue(info))
    sink.closeObject()
    sink.openObject(null)
    writeValue(sink, valueType(info).name, tableValue(kernel, info, !context.out.isJson))
    sink.closeObject()
  }
  sink.closeArray()
  if (!context.out.isJson) context.out.text('%s', text.take())
}

/** struct bpf_map_info, as 6.18 has it. */
function infoValue(info: MapInfo): BtfValue {
  const rows: readonly (readonly [string, number | string])[] = [
    ['type', info.type], ['id', info.id], ['key_size', info.keySize], ['value_size', info.valueSize], ['max_entries', info.maxEntries],
    ['map_flags', info.flags], ['name', info.name], ['ifindex', 0], ['btf_vmlinux_value_type_id', info.btfVmlinuxValueTypeId ?? 0],
    ['netns_dev', 0], ['netns_ino', 0], ['btf_id', info.btfId], ['btf_key_type_id', info.btfKeyTypeId], ['btf_value_type_id', info.btfValueTypeId],
    ['btf_vmlinux_id', info.btfVmlinuxId], ['map_extra', info.mapExtra], ['hash', 0], ['hash_size', 0],
  ]
  return { kind: 'struct', members: rows.map(([name, value]) => [name, scalar(typeof value === 'number' ? BigInt(value) : value)]) }
}

const scalar = (value: string | bigint): BtfValue => ({ kind: 'scalar', value })

function tableValue(kernel: Kernel, info: MapInfo, plain: boolean): BtfValue {
  const btf = toolchain().vmlinuxBtf()
  const type = valueType(info)
  const bytes = kernel.request('map.lookup', { mapId: info.id, key: new Uint8Array(4) })
  const data = type.members.find(m => m.name === 'data')!
  const table = btf.resolve(data.type) as BtfComposite
  const value = toolchain().readValue(btf, type.id, bytes, plain)
  if (value.kind !== 'struct') return value
  const callbacks = (member: BtfValue): BtfValue => withCallbacks(kernel, btf, table, bytes.subarray(data.bitOffset / 8), member)
  return { kind: 'struct', members: value.members.map(([name, member]) => [name, name === 'data' ? callbacks(member) : member]) }
}

function withCallbacks(kernel: Kernel, btf: Btf, table: BtfComposite, bytes: Uint8Array, value: BtfValue): BtfValue {
  if (value.kind !== 'struct') return value
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    kind: 'struct',
    members: value.members.map(([name, member], index) => {
      const { type, bitOffset } = table.members[index]!
      const proto = prototype(btf, type)
      return [name, proto === undefined ? member : scalar(proto + callback(kernel, view.getUint32(bitOffset / 8, true)))]
    }),
  }
}

function callback(kernel: Kernel, id: number): string {
  if (id === 0) return '0'
  try {
    const { name } = kernel.request('prog.info', { id })
    return `${name}/prog_id:${id}`
  } catch (error) {
    if (error instanceof KernelError) return `prog_id:${id}`
    throw error
  }
}

/** `u32 (struct sock *) ` for a pointer to such a function. */
function prototype(btf: Btf, id: number): string | undefined {
  const pointer = btf.resolve(id)
  const proto = pointer.kind === KIND.PTR ? btf.resolve(pointer.type) : pointer
  if (proto.kind !== KIND.FUNC_PROTO) return undefined
  return `${typeText(btf, proto.ret)}(${proto.params.map(({ type }) => typeText(btf, type).trimEnd()).join(', ')}) `
}

const KEYWORD: Readonly<Record<number, string>> = {
  [KIND.STRUCT]: 'struct ', [KIND.UNION]: 'union ', [KIND.ENUM]: 'enum ', [KIND.ENUM64]: 'enum ', [KIND.FWD]: 'struct ',
}

/** __btf_dumper_type_only: a type in words, pointers close to their star. */
function typeText(btf: Btf, id: number): string {
  const t = btf.type(id)
  switch (t.kind) {
    case KIND.UNKN: return 'void '
    case KIND.PTR: return `${typeText(btf, t.type)}* `.replace(/\* \* $/, '** ')
    case KIND.CONST: return `const ${typeText(btf, t.type)}`
    case KIND.VOLATILE: return `volatile ${typeText(btf, t.type)}`
    case KIND.RESTRICT: case KIND.TYPE_TAG: return typeText(btf, t.type)
    case KIND.FWD: return `${t.union ? 'union' : 'struct'} ${t.name} `
    default: return `${KEYWORD[t.kind] ?? ''}${t.name} `
  }
}
