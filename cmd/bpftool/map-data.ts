// Keys, values and flags on a command line (map.c: parse_elem, parse_bytes). Bytes are read as strtoul reads them, one word each, and cut to
// eight bits without a word about it.
import { InputError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import { isPrefix, type Words } from '../../pkg/grammar/index.js'
import type { MapInfo } from '../../pkg/request/bpf.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { MAP_TYPE, UPDATE } from '../../pkg/uapi/bpf.js'
import { FAILED } from './failure.js'
import { map, prog, unsigned } from './handle.js'

export type Elem = { key?: Uint8Array; value?: Uint8Array; flags?: number }
/** What a command takes: the others are unnecessary. */
export type Wants = { readonly key: boolean | 'always'; readonly value: boolean; readonly flags: boolean }

const wrong = (message: string): InputError => new InputError(message, FAILED)

export const isPerCpu = (type: number): boolean =>
  type === MAP_TYPE.PERCPU_HASH || type === MAP_TYPE.PERCPU_ARRAY || type === MAP_TYPE.LRU_PERCPU_HASH || type === MAP_TYPE.PERCPU_CGROUP_STORAGE
export const isOfMaps = (type: number): boolean => type === MAP_TYPE.ARRAY_OF_MAPS || type === MAP_TYPE.HASH_OF_MAPS
export const isOfProgs = (type: number): boolean => type === MAP_TYPE.PROG_ARRAY

/** Bytes of one CPU's share of a per-CPU value. */
export const stride = (info: MapInfo): number => Math.ceil(info.valueSize / 8) * 8

/** Everything that is wanted must be there; a key of no bytes counts as given, but where it is 'always' asked for. */
export function readElem(context: Context, kernel: Kernel, info: MapInfo, words: Words, wants: Wants): Elem {
  const elem: Elem = {}
  const open = { key: wants.key === 'always' || (wants.key && info.keySize > 0), value: wants.value, flags: wants.flags }
  while (words.more) {
    const word = words.take()
    if (isPrefix(word, 'key')) {
      if (!open.key) throw wrong(wants.key && info.keySize > 0 ? 'duplicate key' : 'unnecessary key')
      elem.key = bytes(words, 'key', info.keySize)
      open.key = false
    } else if (isPrefix(word, 'value')) {
      if (!open.value) throw wrong(wants.value ? 'duplicate value' : 'unnecessary value')
      elem.value = value(context, kernel, info, words)
      open.value = false
    } else if (isPrefix(word, 'any') || isPrefix(word, 'noexist') || isPrefix(word, 'exist')) {
      if (!open.flags) throw wrong(`flags specified multiple times: ${word}`)
      elem.flags = isPrefix(word, 'any') ? UPDATE.ANY : isPrefix(word, 'noexist') ? UPDATE.NOEXIST : UPDATE.EXIST
      open.flags = false
    } else throw wrong(`expected key or value, got: ${word}`)
  }
  if (open.key || open.value) throw wrong(`did not find ${open.key ? 'key' : 'value'}`)
  return elem
}

function bytes(words: Words, name: string, size: number): Uint8Array {
  const base = words.more && isPrefix(words.peek()!, 'hex') ? 16 : 0
  if (base === 16) words.take()
  const read = new Uint8Array(size)
  let at = 0
  for (; at < size && words.more; at++) {
    const word = words.take()
    const number = unsigned(word, base)
    if (number === undefined) throw wrong(`error parsing byte: ${word}`)
    read[at] = number
  }
  if (at !== size) throw wrong(`${name} expected ${size} bytes got ${at}`)
  return read
}

/** Maps of maps and of programs take a handle, and hold its id. */
function value(context: Context, kernel: Kernel, info: MapInfo, words: Words): Uint8Array {
  if (isOfMaps(info.type)) return handle(words, 'map in map', () => map(context, kernel, words).id)
  if (isOfProgs(info.type)) return handle(words, 'map of progs', () => progValue(context, kernel, words))
  const one = bytes(words, 'value', info.valueSize)
  return isPerCpu(info.type) ? forEachCpu(kernel, info, one) : one
}

function handle(words: Words, what: string, id: () => number): Uint8Array {
  if (words.left < 2) throw wrong(`not enough value arguments for ${what}`)
  const value = new Uint8Array(4)
  new DataView(value.buffer).setUint32(0, id(), true)
  return value
}

function progValue(context: Context, kernel: Kernel, words: Words): number {
  if (isPrefix(words.peek()!, 'id') && !context.out.isJson) {
    context.note('Warning: updating program array via MAP_ID, make sure this map is kept open\n'
      + '         by some process or pinned otherwise update will be lost')
  }
  return prog(context, kernel, words).id
}

/** fill_per_cpu_value: every CPU gets the same. */
function forEachCpu(kernel: Kernel, info: MapInfo, one: Uint8Array): Uint8Array {
  const { cpus } = kernel.request('sys.info', {})
  const all = new Uint8Array(cpus * stride(info))
  for (let cpu = 0; cpu < cpus; cpu++) all.set(one, cpu * stride(info))
  return all
}
