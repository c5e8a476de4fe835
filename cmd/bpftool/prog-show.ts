// `prog show` (prog.c: show_prog_plain, show_prog_json). Times are the machine's virtual clock.
import type { Context } from '../../pkg/cli/index.js'
import type { Words } from '../../pkg/grammar/index.js'
import type { ProgInfo } from '../../pkg/request/bpf.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { badArgument } from './failure.js'
import { progs } from './handle.js'
import { headLine, progHead } from './prog-name.js'

const SECOND = 1e9

export function showProgs(context: Context, words: Words): void {
  const kernel = context.read()
  if (words.left !== 0 && words.left !== 2) throw badArgument(words.take())
  const some = words.more ? progs(context, kernel, words) : undefined
  const list = some ?? kernel.request('prog.list', {})
  const asArray = some === undefined || some.length > 1
  if (context.out.isJson) context.out.tree(null, asArray ? list.map((info) => record(context, kernel, info)) : record(context, kernel, list[0]!))
  else for (const info of list) context.out.text('%s', plain(context, kernel, info))
}

function record(context: Context, kernel: Kernel, info: ProgInfo): object {
  return {
    ...progHead(kernel, info), loaded_at: Math.floor(info.loadTime / SECOND), uid: info.uid, bytes_xlated: info.xlatedLen, jited: info.jited,
    ...(info.jited ? { bytes_jited: info.jitedLen } : {}), bytes_memlock: info.memlock,
    ...(info.mapIds.length > 0 ? { map_ids: info.mapIds } : {}), ...(info.btfId === 0 ? {} : { btf_id: info.btfId }),
    ...(context.options.bpffs && info.pins.length > 0 ? { pinned: info.pins } : {}),
  }
}

function plain(context: Context, kernel: Kernel, info: ProgInfo): string {
  const maps = info.mapIds.length > 0 ? `  map_ids ${info.mapIds.join(',')}` : ''
  return `${headLine(progHead(kernel, info))}\n\tloaded_at ${date(info.loadTime)}  uid ${info.uid}\n`
    + `\txlated ${info.xlatedLen}B  ${info.jited ? `jited ${info.jitedLen}B` : 'not jited'}  memlock ${info.memlock}B${maps}`
    + (context.options.bpffs ? info.pins.map((path) => `\n\tpinned ${path}`).join('') : '')
    + (info.btfId === 0 ? '' : `\n\tbtf_id ${info.btfId}`) + '\n'
}

const date = (ns: number): string => new Date(Math.floor(ns / SECOND) * 1000).toISOString().replace(/\.\d+Z$/, '+0000')
