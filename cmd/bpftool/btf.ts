// `bpftool btf` (btf.c).
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import { parseBtf, type Btf } from '../../pkg/btf/btf.js'
import { dumpC } from '../../pkg/btf/dump-c.js'
import { dumpRawType } from '../../pkg/btf/dump-raw.js'
import { runBpftoolVerb, type Context, type Entry } from '../../pkg/cli/index.js'
import { openElf } from '../../pkg/elf/index.js'
import { isPrefix, type Words } from '../../pkg/grammar/index.js'
import type { BtfInfo, MapInfo } from '../../pkg/request/bpf.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { ENOENT, EOPNOTSUPP } from '../../pkg/uapi/errno.js'
import { toolchain } from '../lib/lazy.js'
import { typeRecord } from './btf-json.js'
import { badArgument, exitOf, FAILED, invalid, reason } from './failure.js'
import { map, prog, unsigned } from './handle.js'
import { fileReason } from './paths.js'
import { BTF_HELP, usage } from './usage.js'

// --- show ---

function show(context: Context, words: Words): void {
  const kernel = context.read()
  if (words.left !== 0 && words.left !== 2) throw badArgument(words.take())
  const one = words.more ? infoById(kernel, showWords(words)) : undefined
  const list = one === undefined ? kernel.request('btf.list', {}) : [one]
  if (context.out.isJson) context.out.tree(null, one === undefined ? list.map(record) : record(one))
  else for (const info of list) context.out.text('%s', plain(info))
}

function showWords(words: Words): number {
  const word = words.take()
  if (!isPrefix(word, 'id')) throw new InputError(`expected 'id', got: '${word}'?`, FAILED)
  return idOf(words)
}

function idOf(words: Words): number {
  const text = words.take()
  const id = unsigned(text)
  if (id === undefined) throw new InputError(`can't parse ${text} as ID`, FAILED)
  return id >>> 0
}

function infoById(kernel: Kernel, id: number): BtfInfo {
  try {
    return kernel.request('btf.info', { id })
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    throw new InputError(`can't get BTF object by id (${id}): ${reason(error)}`, FAILED)
  }
}

function record(info: BtfInfo): object {
  const { id, size, progIds: prog_ids, mapIds: map_ids, kernel, name } = info
  return { id, size, prog_ids, map_ids, kernel, ...(name === '' ? {} : { name }) }
}

function plain(info: BtfInfo): string {
  const ids = (word: string, list: readonly number[]): string => (list.length === 0 ? '' : `  ${word} ${list.join(',')}`)
  const name = info.name === '' ? '<anon>' : info.kernel ? `[${info.name}]` : info.name
  return `${info.id}: name ${name}  size ${info.size}B${ids('prog_ids', info.progIds)}${ids('map_ids', info.mapIds)}\n`
}

// --- dump ---

/** A blob, and the types of it that were asked for. */
type Chosen = { readonly btf: Btf; readonly roots?: readonly number[] }

function dump(context: Context, words: Words): void {
  if (words.left < 2) throw tooFew(context, words)
  const kernel = context.read()
  const source = sourceOf(context, kernel, words)
  const format = formatOf(words)
  const { btf, roots } = source()
  const { out } = context
  if (format === 'c') {
    if (out.isJson) throw new InputError('JSON output for C-syntax dump is not supported', exitOf(EOPNOTSUPP))
    return out.text('%s', dumpC(btf, roots))
  }
  const types = roots === undefined ? btf.types : roots.map((id) => btf.type(id))
  if (out.isJson) out.tree(null, { types: types.map(typeRecord) })
  else out.text('%s', types.map((type) => `${dumpRawType(btf, type)}\n`).join(''))
}

/** The complaint and the usage, as it is. */
function tooFew(context: Context, words: Words): InputError {
  const complaint = `'${words.peek(-1) ?? ''}' needs at least 2 arguments, ${words.left} found`
  return new InputError(context.out.isJson ? complaint : `${complaint}\n${usage(BTF_HELP).trimEnd()}`, FAILED)
}

/** Words are read first: a wrong one behind is told before a source that isn't there. */
function sourceOf(context: Context, kernel: Kernel, words: Words): () => Chosen {
  const word = words.take()
  if (isPrefix(word, 'map')) {
    const info = map(context, kernel, words)
    const roots = mapRoots(info, words)
    return () => ({ btf: loaded(context, kernel, info.btfId), ...(roots === undefined ? {} : { roots }) })
  }
  if (isPrefix(word, 'prog')) {
    const { btfId } = prog(context, kernel, words)
    return () => ({ btf: loaded(context, kernel, btfId) })
  }
  if (isPrefix(word, 'id')) {
    const id = idOf(words)
    return () => ({ btf: loaded(context, kernel, id) })
  }
  if (isPrefix(word, 'file')) return fileSource(context, words.take())
  throw new InputError(`unrecognized BTF source specifier: '${word}'`, FAILED)
}

/** key, value, kv or nothing at all (both), all (no roots). */
function mapRoots(info: MapInfo, words: Words): number[] | undefined {
  const [key, value] = [info.btfKeyTypeId, info.btfValueTypeId]
  const which = words.more ? ['key', 'value', 'all', 'kv'].find((one) => isPrefix(words.peek()!, one)) : undefined
  if (which !== undefined) words.take()
  if (which === 'all') return undefined
  if (which === 'key') return [key]
  if (which === 'value') return [value]
  return key === 0 ? [value] : [key, value]
}

function loaded(context: Context, kernel: Kernel, id: number): Btf {
  try {
    if (id === 0) throw new KernelError(ENOENT)
    return parseBtf(kernel.request('btf.bytes', { id }), 'BTF')
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    if (!context.out.isJson) context.note(`Error: can't get BTF object by id (${id}): ${reason(error)}`)
    throw new InputError(`get btf by id (${id}): ${reason(error)}`, exitOf(error.errno))
  }
}

const SYSFS = '/sys/kernel/btf/'
const BTF_MAGIC = [0x9f, 0xeb]
/** LIBBPF_ERRNO__FORMAT, and the byte of it that is left as an exit status. */
const NO_ELF = 'Unknown error 4001'
const NO_ELF_STATUS = -4001 & 255

/** An ELF object's .BTF, raw BTF, or the emulated kernel's own. */
function fileSource(context: Context, name: string): () => Chosen {
  if (name.startsWith(SYSFS)) return () => ({ btf: sysfs(name) })
  return () => {
    const bytes = read(context, name)
    if (bytes[0] === BTF_MAGIC[0] && bytes[1] === BTF_MAGIC[1]) return { btf: parseBtf(bytes, name) }
    return { btf: ofObject(context, name, bytes) }
  }
}

function sysfs(name: string): Btf {
  if (name === `${SYSFS}vmlinux`) return toolchain().vmlinuxBtf()
  throw new InputError(`failed to load BTF from ${name}: No such file or directory`, exitOf(ENOENT))
}

function read(context: Context, name: string): Uint8Array {
  try {
    return context.io.readFile(name)
  } catch (error) {
    throw new InputError(`failed to load BTF from ${name}: ${fileReason(error)}`, exitOf(ENOENT))
  }
}

function ofObject(context: Context, name: string, bytes: Uint8Array): Btf {
  if (bytes[0] !== 0x7f || bytes[1] !== 0x45) {
    context.note(`libbpf: failed to get EHDR from ${name}`)
    throw new InputError(`failed to load BTF from ${name}: ${NO_ELF}`, NO_ELF_STATUS)
  }
  const section = openElf(bytes, name).section('.BTF')
  if (section === undefined) throw new InputError(`failed to load BTF from ${name}: No such file or directory`, exitOf(ENOENT))
  return parseBtf(section.data, name)
}

function formatOf(words: Words): 'raw' | 'c' {
  let format: 'raw' | 'c' = 'raw'
  while (words.more) {
    const word = words.take()
    if (!isPrefix(word, 'format')) throw invalid(`unrecognized option: '${word}'`)
    if (!words.more) throw invalid("expecting value for 'format' option\n")
    const value = words.take()
    if (value !== 'raw' && value !== 'c') throw invalid(`unrecognized format specifier: '${value}', possible values: raw, c`)
    format = value
  }
  return format
}

export const BTF_VERBS: readonly Entry[] = [
  { word: 'show', run: show },
  { word: 'list', run: show },
  { word: 'help', run: () => { throw new InputError(usage(BTF_HELP).trimEnd(), 0) } },
  { word: 'dump', run: dump },
]

export const runBtf = (context: Context, words: Words): number => runBpftoolVerb(BTF_VERBS, usage(BTF_HELP), context, words)
