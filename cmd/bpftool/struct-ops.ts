// `bpftool struct_ops` (struct_ops.c): tables of callbacks that programs fill, and the maps that hold them.
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import { runBpftoolVerb, type Context, type Entry } from '../../pkg/cli/index.js'
import { isPrefix, type Words } from '../../pkg/grammar/index.js'
import type { LoadedObject, LoadedTable } from '../../pkg/object/index.js'
import type { MapInfo } from '../../pkg/request/bpf.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { MAP_TYPE } from '../../pkg/uapi/bpf.js'
import { objects } from '../lib/lazy.js'
import { FAILED, needs, reason, Silent } from './failure.js'
import { unsigned } from './handle.js'
import { bpffsPath } from './paths.js'
import { once, open, tell, twice } from './prog-load.js'
import { dumpTables, tableName } from './struct-ops-dump.js'
import { STRUCT_OPS_HELP, usage } from './usage.js'

const wrong = (message: string): InputError => new InputError(message, FAILED)

/** do_one_id, do_search: the struct_ops maps that the words name, all without words. */
function tables(kernel: Kernel, words: Words): MapInfo[] {
  if (!words.more) return kernel.request('map.list', {}).filter(isTable)
  const how = words.take()
  if (isPrefix(how, 'id')) return [byId(kernel, words.take())]
  if (!isPrefix(how, 'name')) throw wrong(`expected 'id' or 'name', got: '${how}'?`)
  const name = words.take()
  const found = kernel.request('map.list', {}).filter(info => isTable(info) && info.name === name)
  if (found.length === 0) throw wrong(`no struct_ops found for ${name}`)
  return found
}

const isTable = (info: MapInfo): boolean => info.type === MAP_TYPE.STRUCT_OPS

function byId(kernel: Kernel, word: string): MapInfo {
  const id = unsigned(word)
  if (id === undefined) throw wrong(`invalid id ${word}`)
  const info = infoOf(kernel, id)
  if (!isTable(info)) throw wrong(`${info.name} id ${id} is not a struct_ops map`)
  return info
}

function infoOf(kernel: Kernel, id: number): MapInfo {
  try {
    return kernel.request('map.info', { id })
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    throw wrong(`can't get map by id (${id}): ${reason(error)}`)
  }
}

function checkWords(words: Words): void {
  if (words.left !== 0 && words.left !== 2) throw wrong(usage(STRUCT_OPS_HELP).trimEnd())
}

function show(context: Context, words: Words): void {
  checkWords(words)
  const kernel = context.read()
  const one = words.more
  const rows = tables(kernel, words).map(info => ({ id: info.id, name: info.name, kernel_struct_ops: tableName(info) }))
  if (context.out.isJson) return context.out.tree(null, one ? rows[0] : rows)
  for (const row of rows) context.out.text('%u: %-15s %-32s\n', row.id, row.name, row.kernel_struct_ops)
}

function dump(context: Context, words: Words): void {
  checkWords(words)
  const kernel = context.read()
  const byName = words.more && isPrefix(words.peek()!, 'name')
  try {
    dumpTables(context, kernel, tables(kernel, words))
  } catch (error) {
    // The writer was begun before the table was looked for.
    if (error instanceof InputError) context.out.text(byName ? '[]\n' : '\n')
    throw error
  }
}

function unregister(context: Context, words: Words): void {
  if (words.left !== 2) throw wrong(usage(STRUCT_OPS_HELP).trimEnd())
  const kernel = context.write()
  for (const info of tables(kernel, words)) {
    const what = `${tableName(info)} ${info.name} id ${info.id}`
    try {
      kernel.request('map.delete', { mapId: info.id, key: new Uint8Array(4) })
    } catch (error) {
      if (!(error instanceof KernelError)) throw error
      throw wrong(`can't unload ${what}: ${reason(error)}`)
    }
    inform(context, `Unregistered ${what}`)
  }
  if (context.out.isJson) context.out.tree(null, null)
}

/** p_info: on standard error, and nothing in JSON. */
function inform(context: Context, line: string): void {
  if (!context.out.isJson) context.note(line)
}

function register(context: Context, words: Words): number {
  needs(words, 1)
  const file = words.take()
  const directory = words.more ? words.take() : undefined
  if (words.more) throw wrong(usage(STRUCT_OPS_HELP).trimEnd())
  const kernel = context.write()
  const loaded = loadTables(context, kernel, file)
  let [done, failed] = [0, 0]
  for (const table of loaded.tables) {
    if (registerOne(context, kernel, table, directory)) done += 1
    else failed += 1
  }
  if (loaded.tables.length === 0) throw wrong(`no struct_ops found in ${file}`)
  if (context.out.isJson && failed === 0) context.out.tree(null, null)
  if (done === 0 && failed > 0) context.rollback()
  return failed > 0 ? FAILED : 0
}

function loadTables(context: Context, kernel: Kernel, file: string): LoadedObject {
  try {
    const object = open(context, file)
    const verbose = { logLevel: context.options.debug ? 1 | 2 | 4 : 1 }
    const loaded = context.options.debug ? once(context, kernel, object, verbose) : twice(context, kernel, object, {}, verbose)
    for (const prog of loaded.progs) tell(context, prog)
    return loaded
  } catch (error) {
    if (error instanceof KernelError && error.explain !== undefined) context.note(error.explain.trimEnd())
    const told = error instanceof KernelError || (error instanceof InputError && error.status === undefined)
    throw told || error instanceof InputError ? new Silent() : error
  }
}

function registerOne(context: Context, kernel: Kernel, table: LoadedTable, directory: string | undefined): boolean {
  try {
    const { linkId } = objects().attachStructOps(kernel, table)
    if (linkId === undefined) inform(context, `Registered ${table.struct} ${table.name} id ${table.mapId}`)
    else linked(context, kernel, table, linkId, directory)
    return true
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    context.out.isJson ? context.out.tree(null, { error: complaint(table, error) }) : context.note(`Error: ${complaint(table, error)}`)
    return false
  }
}

const complaint = (table: LoadedTable, error: KernelError): string => `can't register struct_ops ${table.name}: ${reason(error)}`

/** Without a name in the bpf file system the link ends with the command, and the registration with it. */
function linked(context: Context, kernel: Kernel, table: LoadedTable, linkId: number, directory: string | undefined): void {
  inform(context, `Registered ${table.struct} ${table.name} map id ${table.mapId} link id ${linkId}`)
  if (directory === undefined) return inform(context, 'note: no LINK_DIR, link is released on exit')
  const path = `${directory}/${table.name}`
  try {
    kernel.request('obj.pin', { kind: 'link', id: linkId, path: bpffsPath(context, path) })
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    throw wrong(`can't pin link ${linkId} for ${table.name}: ${reason(error)}`)
  }
}

export const STRUCT_OPS_VERBS: readonly Entry[] = [
  { word: 'show', run: show },
  { word: 'list', run: show },
  { word: 'register', run: register },
  { word: 'unregister', run: unregister },
  { word: 'dump', run: dump },
  { word: 'help', run: () => { throw new InputError(usage(STRUCT_OPS_HELP).trimEnd(), 0) } },
]

export const runStructOps = (context: Context, words: Words): number => runBpftoolVerb(STRUCT_OPS_VERBS, usage(STRUCT_OPS_HELP), context, words)
