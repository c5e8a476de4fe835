// `bpftool map` (map.c): the verbs, and those that touch one entry.
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import { runBpftoolVerb, type Context, type Entry } from '../../pkg/cli/index.js'
import type { Words } from '../../pkg/grammar/index.js'
import type { MapInfo } from '../../pkg/request/bpf.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { MAP_TYPE } from '../../pkg/uapi/bpf.js'
import { ENOENT } from '../../pkg/uapi/errno.js'
import { attempt, badArgument, exitOf, FAILED, invalid, needs, reason, unsupported } from './failure.js'
import { map } from './handle.js'
import { hexLines, hexWords } from './hex.js'
import { createMap } from './map-create.js'
import { readElem } from './map-data.js'
import { dumpMaps } from './map-dump.js'
import { btfOf, jsonEntry, plainEntry, TypedText, typedEntry, type Entry as MapEntry } from './map-entry.js'
import { isPifo, peekRank, pushRanked } from './map-pifo.js'
import { showMaps } from './map-show.js'
import { pin } from './paths.js'
import { MAP_HELP, usage } from './usage.js'

/** The verbs that say their usage when MAP is missing. */
function handleOf(context: Context, kernel: Kernel, words: Words): MapInfo {
  if (words.left < 2) throw new InputError(usage(MAP_HELP).trimEnd(), FAILED)
  return map(context, kernel, words)
}

function update(context: Context, words: Words): void {
  const kernel = context.write()
  const info = handleOf(context, kernel, words)
  change(context, kernel, info, words)
}

/** push and enqueue: a PIFO map takes a rank. */
function push(context: Context, words: Words): void {
  const kernel = context.write()
  const info = handleOf(context, kernel, words)
  if (isPifo(info)) pushRanked(context, kernel, info, words)
  else change(context, kernel, info, words)
}

function change(context: Context, kernel: Kernel, info: MapInfo, words: Words): void {
  const elem = readElem(context, kernel, info, words, { key: true, value: true, flags: true })
  const { key = new Uint8Array(), value = new Uint8Array(), flags = 0 } = elem
  attempt('update failed', () => kernel.request('map.update', { mapId: info.id, key, value, flags }), 'errno')
}

function peek(context: Context, words: Words): number {
  const kernel = context.read()
  const info = handleOf(context, kernel, words)
  return isPifo(info) ? peekRank(context, kernel, info) : look(context, kernel, info, words)
}

function lookup(context: Context, words: Words): number {
  const kernel = context.read()
  return look(context, kernel, handleOf(context, kernel, words), words)
}

function look(context: Context, kernel: Kernel, info: MapInfo, words: Words): number {
  const { key = new Uint8Array() } = readElem(context, kernel, info, words, { key: true, value: false, flags: false })
  try {
    printEntry(context, kernel, info, { key, value: kernel.request('map.lookup', { mapId: info.id, key }) })
    return 0
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    if (error.errno !== ENOENT) throw new InputError(`lookup failed: ${reason(error)}`, exitOf(error.errno))
    context.out.null(null, '')
    context.out.text('key:\n%s\n\nNot found\n', hexLines(key))
    return exitOf(ENOENT)
  }
}

function printEntry({ out }: Context, kernel: Kernel, info: MapInfo, entry: MapEntry): void {
  const btf = btfOf(kernel, info)
  if (out.isJson) return jsonEntry(out, btf, info, entry)
  if (!btf) return out.text('%s', plainEntry(info, entry))
  const typed = new TypedText()
  typedEntry(typed, null, btf, info, entry, true)
  out.text('%s', typed.take())
}

function getnext(context: Context, words: Words): void {
  const kernel = context.read()
  const info = handleOf(context, kernel, words)
  const { key } = words.more ? readElem(context, kernel, info, words, { key: 'always', value: false, flags: false }) : {}
  const request = { mapId: info.id, ...(key === undefined ? {} : { key }) }
  const next = attempt("can't get next key", () => kernel.request('map.next_key', request), 'errno')
  if (next === undefined) throw new InputError("can't get next key: No such file or directory", exitOf(ENOENT))
  const { out } = context
  out.tree(null, { key: key === undefined ? null : hexWords(key), next_key: hexWords(next) })
  out.text('%s', `${key === undefined ? 'key: None\n' : `key:\n${hexLines(key)}\n`}next key:\n${hexLines(next)}\n`)
}

function remove(context: Context, words: Words): void {
  const kernel = context.write()
  const info = handleOf(context, kernel, words)
  const { key = new Uint8Array() } = readElem(context, kernel, info, words, { key: 'always', value: false, flags: false })
  attempt('delete failed', () => kernel.request('map.delete', { mapId: info.id, key }), 'errno')
}

/** A map with keys is asked for an entry that it hasn't: bpftool hands in a key of chance. */
function pop(context: Context, words: Words): number {
  const kernel = context.write()
  const info = handleOf(context, kernel, words)
  try {
    if (info.keySize > 0 && !isPifo(info)) throw new KernelError(ENOENT)
    const key = new Uint8Array()
    printEntry(context, kernel, { ...info, keySize: 0 }, { key, value: kernel.request('map.lookup_and_delete', { mapId: info.id, key }) })
    return 0
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    if (error.errno !== ENOENT) throw new InputError(`pop failed: ${reason(error)}`, exitOf(error.errno))
    context.out.null(null, 'Error: empty map\n')
    return exitOf(ENOENT)
  }
}

function freeze(context: Context, words: Words): void {
  needs(words, 2)
  const kernel = context.write()
  const { id } = map(context, kernel, words)
  if (words.more) throw badArgument(words.take())
  attempt('failed to freeze map', () => kernel.request('map.freeze', { mapId: id }))
}

function pinMap(context: Context, words: Words): void {
  if (words.left < 3) throw invalid(needsText(words, 3))
  const kernel = context.write()
  const { id } = map(context, kernel, words)
  pin(context, kernel, 'map', id, words.take())
}

const needsText = (words: Words, wanted: number): string => `'${words.peek(-1) ?? ''}' needs at least ${wanted} arguments, ${words.left} found`

function eventPipe(context: Context, words: Words): never {
  const { type } = map(context, context.read(), words)
  if (type !== MAP_TYPE.PERF_EVENT_ARRAY) throw new InputError('map is not a perf event array', FAILED)
  throw unsupported('map event_pipe')
}

/** In upstream's order: `p` is pin, `l` is list, `e` is event_pipe. */
export const MAP_VERBS: readonly Entry[] = [
  { word: 'show', run: showMaps },
  { word: 'list', run: showMaps },
  { word: 'help', run: () => { throw new InputError(usage(MAP_HELP).trimEnd(), 0) } },
  { word: 'dump', run: dumpMaps },
  { word: 'update', run: update },
  { word: 'lookup', run: lookup },
  { word: 'getnext', run: getnext },
  { word: 'delete', run: remove },
  { word: 'pin', run: pinMap },
  { word: 'event_pipe', run: eventPipe },
  { word: 'create', run: createMap },
  { word: 'peek', run: peek },
  { word: 'push', run: push },
  { word: 'enqueue', run: push },
  { word: 'pop', run: pop },
  { word: 'dequeue', run: pop },
  { word: 'freeze', run: freeze },
]

export const runMap = (context: Context, words: Words): number => runBpftoolVerb(MAP_VERBS, usage(MAP_HELP), context, words)
