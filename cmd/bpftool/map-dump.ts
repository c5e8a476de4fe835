// `map dump` (map.c: do_dump, map_dump). A map that can't be walked prints what it has and leaves with its errno.
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import type { Words } from '../../pkg/grammar/index.js'
import type { MapInfo } from '../../pkg/request/bpf.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { exitOf, FAILED } from './failure.js'
import { maps } from './handle.js'
import { btfOf, failedEntry, jsonEntry, plainEntry, TypedText, typedEntry } from './map-entry.js'
import { mapHead, mapHeadLine } from './map-show.js'
import { MAP_HELP, usage } from './usage.js'

type Row = { readonly key: Uint8Array; readonly value: Uint8Array | undefined; readonly error?: number }

export function dumpMaps(context: Context, words: Words): number {
  if (words.left !== 2) throw new InputError(usage(MAP_HELP).trimEnd(), FAILED)
  const kernel = context.read()
  const list = maps(context, kernel, words)
  if (list.length === 1) return dumpOne(context, kernel, list[0]!)
  return dumpSeveral(context, kernel, list)
}

function dumpSeveral(context: Context, kernel: Kernel, list: readonly MapInfo[]): number {
  const { out } = context
  let status = 0
  out.array(null, () => list.forEach((info, at) => {
    if (status !== 0) return
    out.openObject()
    for (const [key, value] of Object.entries(mapHead(info))) out.tree(key, value)
    out.text('%s\n', mapHeadLine(info))
    out.key('elements')
    status = dumpOne(context, kernel, info)
    out.closeObject()
    if (at < list.length - 1) out.text('\n')
  }))
  return status
}

function dumpOne(context: Context, kernel: Kernel, info: MapInfo): number {
  const { rows, errno } = entries(kernel, info)
  const btf = btfOf(kernel, info)
  const { out } = context
  if (out.isJson) {
    out.array(null, () => rows.forEach(({ key, value, error = 0 }) => {
      if (value) jsonEntry(out, btf, info, { key, value })
      else failedEntry(out, info, key, error)
    }))
  } else if (btf) {
    const typed = new TypedText()
    typed.openArray(null)
    for (const { key, value } of rows) if (value) typedEntry(typed, null, btf, info, { key, value }, true)
    typed.closeArray()
    out.text('%s', typed.take())
  } else plainRows(context, info, rows)
  return errno === 0 ? 0 : exitOf(errno)
}

function plainRows({ out }: Context, info: MapInfo, rows: readonly Row[]): void {
  for (const row of rows) {
    if (row.value) out.text('%s', plainEntry(info, { key: row.key, value: row.value }))
    else failedEntry(out, info, row.key, row.error ?? 0)
  }
  const found = rows.filter((row) => row.value !== undefined).length
  out.text('Found %u element%s\n', found, found === 1 ? '' : 's')
}

function entries(kernel: Kernel, info: MapInfo): { rows: Row[]; errno: number } {
  try {
    return { rows: kernel.request('map.entries', { mapId: info.id }), errno: 0 }
  } catch (error) {
    if (error instanceof KernelError) return { rows: [], errno: error.errno }
    throw error
  }
}
