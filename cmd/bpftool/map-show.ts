// `map show` (map.c: show_map_plain, show_map_json).
import type { Context } from '../../pkg/cli/index.js'
import type { Words } from '../../pkg/grammar/index.js'
import type { MapInfo } from '../../pkg/request/bpf.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { badArgument } from './failure.js'
import { maps } from './handle.js'
import { counterLine, isPifo } from './map-pifo.js'
import { mapTypeName, progTypeName } from './names.js'

export function showMaps(context: Context, words: Words): void {
  const kernel = context.read()
  if (words.left !== 0 && words.left !== 2) throw badArgument(words.take())
  const some = words.more ? maps(context, kernel, words) : undefined
  const list = some ?? kernel.request('map.list', {})
  const records = list.map((info) => record(info, context.options.bpffs))
  if (context.out.isJson) context.out.tree(null, some === undefined || list.length > 1 ? records : records[0])
  else for (const info of list) context.out.text('%s', plain(context, kernel, info))
}

const ownerOf = (info: MapInfo): string | undefined => (info.ownerProgType === undefined ? undefined : progTypeName(info.ownerProgType))

export function mapHead(info: MapInfo): { id: number; type: string | number; name?: string; flags: number } {
  return { id: info.id, type: mapTypeName(info.type) ?? info.type, ...(info.name === '' ? {} : { name: info.name }), flags: info.flags }
}

function record(info: MapInfo, pins: boolean): object {
  return {
    ...mapHead(info), bytes_key: info.keySize, bytes_value: info.valueSize, max_entries: info.maxEntries,
    ...(info.mapExtra === 0 ? {} : { map_extra: info.mapExtra }), bytes_memlock: info.memlock,
    owner_prog_type: ownerOf(info), owner_jited: info.ownerJited, frozen: info.frozen ? 1 : 0,
    ...(info.btfId === 0 ? {} : { btf_id: info.btfId }), ...(pins && info.pins.length > 0 ? { pinned: info.pins } : {}),
  }
}

/** `7: hash  name x  flags 0x0` */
export function mapHeadLine(info: MapInfo): string {
  const name = info.name === '' ? '' : `name ${info.name}  `
  return `${info.id}: ${mapTypeName(info.type) ?? `type ${info.type}`}  ${name}flags 0x${info.flags.toString(16)}`
}

function plain(context: Context, kernel: Kernel, info: MapInfo): string {
  const { btfId, frozen, mapExtra } = info
  return `${mapHeadLine(info)}\n\tkey ${info.keySize}B  value ${info.valueSize}B  max_entries ${info.maxEntries}`
    + `${mapExtra !== 0 && (context.options.debug || isPifo(info)) ? `  map_extra ${mapExtra}` : ''}  memlock ${info.memlock}B`
    + owner(info)
    + (context.options.debug && isPifo(info) ? counterLine(kernel, info) : '')
    + (context.options.bpffs ? info.pins.map((path) => `\n\tpinned ${path}`).join('') : '')
    + (btfId === 0 && !frozen ? '' : `\n\t${btfId === 0 ? '' : `btf_id ${btfId}`}${btfId !== 0 && frozen ? '  ' : ''}${frozen ? 'frozen' : ''}`) + '\n'
}

function owner(info: MapInfo): string {
  if (info.ownerProgType === undefined) return ''
  return `\n\towner_prog_type ${ownerOf(info) ?? info.ownerProgType}  owner${info.ownerJited ? '' : ' not'} jited`
}
