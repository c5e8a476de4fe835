// PROG, MAP and LINK on a command line (tools/bpf/bpftool/common.c: prog_parse_fds, map_parse_fds; link.c: link_parse_fd).
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import { isPrefix, type Words } from '../../pkg/grammar/index.js'
import type { LinkInfo, MapInfo, ProgInfo } from '../../pkg/request/bpf.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { BPF_OBJ_NAME_LEN } from '../../pkg/uapi/bpf.js'
import { exitOf, FAILED, reason, Silent } from './failure.js'
import { pinnedId } from './paths.js'

const MAX_FULL_NAME = 128

/** The number of strtoul(text, &end, 0), undefined when the text goes on behind it. */
export function unsigned(text: string, base = 0): number | undefined {
  const found = /^\s*([+-]?)(0[xX])?([0-9a-fA-F]*)$/.exec(text)
  if (found === null) return undefined
  const [, sign, prefix, digits = ''] = found
  const radix = base !== 0 ? base : prefix ? 16 : digits.startsWith('0') ? 8 : 10
  if ((prefix !== undefined && radix !== 16) || !DIGITS[radix]!.test(digits)) return undefined
  const value = digits === '' ? 0 : Number.parseInt(digits, radix)
  return sign === '-' ? -value : value
}

const DIGITS: Readonly<Record<number, RegExp>> = { 8: /^[0-7]*$/, 10: /^[0-9]*$/, 16: /^[0-9a-fA-F]*$/ }

function idOf(words: Words): number {
  const word = words.take()
  const id = unsigned(word)
  if (id === undefined) throw new InputError(`can't parse ${word} as ID`, FAILED)
  return id >>> 0
}

/** By id, tag, name or pin; several where tags and names are not unique. */
export function progs(context: Context, kernel: Kernel, words: Words): ProgInfo[] {
  const how = words.more ? words.take() : '(null)'
  if (isPrefix(how, 'id')) return [byId(idOf(words), 'get by id', (id) => kernel.request('prog.info', { id }))]
  if (isPrefix(how, 'tag')) return some(byTag(kernel, words.take()))
  if (isPrefix(how, 'name')) return some(byName(words.take(), kernel.request('prog.list', {})))
  if (isPrefix(how, 'pinned')) return [kernel.request('prog.info', { id: pinnedId(context, kernel, 'prog', words.take()) })]
  throw new InputError(`expected 'id', 'tag', 'name' or 'pinned', got: '${how}'?`, FAILED)
}

export function maps(context: Context, kernel: Kernel, words: Words): MapInfo[] {
  const how = words.more ? words.take() : '(null)'
  if (isPrefix(how, 'id')) return [byId(idOf(words), 'get map by id', (id) => kernel.request('map.info', { id }))]
  if (isPrefix(how, 'name')) return some(byName(words.take(), kernel.request('map.list', {})))
  if (isPrefix(how, 'pinned')) return [kernel.request('map.info', { id: pinnedId(context, kernel, 'map', words.take()) })]
  throw new InputError(`expected 'id', 'name' or 'pinned', got: '${how}'?`, FAILED)
}

export const prog = (context: Context, kernel: Kernel, words: Words): ProgInfo => single(progs(context, kernel, words), 'programs')
export const map = (context: Context, kernel: Kernel, words: Words): MapInfo => single(maps(context, kernel, words), 'maps')

/** failed: what a link that isn't there is worth to the caller. */
export function link(context: Context, kernel: Kernel, words: Words, failed?: number): LinkInfo {
  const how = words.more ? words.take() : '(null)'
  if (isPrefix(how, 'id')) return linkById(kernel, idOf(words), failed)
  if (isPrefix(how, 'pinned')) return kernel.request('bpf_link.info', { id: pinnedId(context, kernel, 'link', words.take()) })
  throw new InputError(`expected 'id' or 'pinned', got: '${how}'?`, FAILED)
}

function linkById(kernel: Kernel, id: number, failed: number | undefined): LinkInfo {
  try {
    return kernel.request('bpf_link.info', { id })
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    throw new InputError(`failed to get link with ID ${id | 0}: ${reason(error)}`, failed ?? exitOf(error.errno))
  }
}

function byId<T>(id: number, words: string, get: (id: number) => T): T {
  try {
    return get(id)
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    throw new InputError(`${words} (${id}): ${reason(error)}`, FAILED)
  }
}

function byTag(kernel: Kernel, tag: string): ProgInfo[] {
  if (!/^[0-9a-fA-F]{16}$/.test(tag)) throw new InputError("can't parse tag", FAILED)
  return kernel.request('prog.list', {}).filter((info) => info.tag === tag.toLowerCase())
}

/** The kernel keeps 15 characters of a name; a longer one finds what it begins as. */
function byName<T extends { readonly name: string }>(name: string, all: readonly T[]): T[] {
  if (name.length >= MAX_FULL_NAME) throw new InputError("can't parse name", FAILED)
  return all.filter((one) => one.name === name || (name.length >= BPF_OBJ_NAME_LEN && one.name === name.slice(0, BPF_OBJ_NAME_LEN - 1)))
}

function some<T>(found: T[]): T[] {
  if (found.length === 0) throw new Silent()
  return found
}

function single<T>(found: readonly T[], what: string): T {
  if (found.length > 1) throw new InputError(`several ${what} match this handle`, FAILED)
  return found[0]!
}
