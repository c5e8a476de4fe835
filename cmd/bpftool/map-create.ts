// `map create` (map.c: do_create). `extra` is map_extra, which 7.1 has no word for.
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import { isPrefix, type Words } from '../../pkg/grammar/index.js'
import type { MapCreate } from '../../pkg/request/bpf.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { BPF_OBJ_NAME_LEN } from '../../pkg/uapi/bpf.js'
import { EINVAL } from '../../pkg/uapi/errno.js'
import { attempt, FAILED, needs, unsupported } from './failure.js'
import { map, unsigned } from './handle.js'
import { isOfMaps } from './map-data.js'
import { mapTypeOf } from './names.js'
import { pin } from './paths.js'

type CreateWords = {
  type?: number; name?: string; key?: number; value?: number; entries?: number; flags?: number; extra?: number; inner?: number
}

const wrong = (message: string): InputError => new InputError(message, FAILED)

/** In do_create's order: `e` is entries, `i` is inner_map. */
const NUMBERS = [['key', 'key size'], ['value', 'value size'], ['entries', 'max entries'], ['flags', 'flags'], ['extra', 'extra']] as const

export function createMap(context: Context, words: Words): void {
  needs(words, 7)
  const path = words.take()
  const kernel = context.write()
  const read = readWords(context, kernel, words)
  if (read.name === undefined) throw wrong('map name not specified')
  const request = requestOf(read, read.name)
  const { id } = attempt('map create failed', () => {
    // Without inner_map the real one hands in descriptor 0, which is open and no map.
    if (isOfMaps(request.type) && request.innerMapId === undefined) throw new KernelError(EINVAL)
    return kernel.request('map.create', request)
  })
  pin(context, kernel, 'map', id, path)
}

function readWords(context: Context, kernel: Kernel, words: Words): CreateWords {
  const read: CreateWords = {}
  while (words.more) {
    needs(words, 2)
    const word = words.take()
    const number = NUMBERS.find(([name]) => isPrefix(word, name))
    if (isPrefix(word, 'type')) readType(read, words.take())
    else if (isPrefix(word, 'name')) read.name = words.take()
    else if (number !== undefined) readNumber(read, number, words.take())
    else if (isPrefix(word, 'dev')) throw unsupported(`maps of a device (dev ${words.take()})`)
    else if (isPrefix(word, 'inner_map')) read.inner = map(context, kernel, words).id
    else throw wrong(`unknown arg ${word}`)
  }
  return read
}

function readType(read: CreateWords, name: string): void {
  if (read.type !== undefined) throw wrong('map type already specified')
  const type = mapTypeOf(name)
  if (type === undefined) throw wrong(`unrecognized map type: ${name}`)
  read.type = type
}

function readNumber(read: CreateWords, [word, what]: (typeof NUMBERS)[number], text: string): void {
  if (read[word]) throw wrong(`${what} already specified`)
  const value = unsigned(text)
  if (value === undefined) throw wrong(`can't parse ${text} as ${what}`)
  read[word] = value >>> 0
}

/** libbpf cuts names to what the kernel keeps. */
function requestOf(read: CreateWords, name: string): MapCreate {
  return {
    type: read.type ?? 0, name: name.slice(0, BPF_OBJ_NAME_LEN - 1), keySize: read.key ?? 0, valueSize: read.value ?? 0,
    maxEntries: read.entries ?? 0, flags: read.flags ?? 0,
    ...(read.extra === undefined ? {} : { mapExtra: read.extra }), ...(read.inner === undefined ? {} : { innerMapId: read.inner }),
  }
}
