// Programs from the command line (iproute2 lib/bpf_libbpf.c, lib/bpf_legacy.c bpf_parse_common): `obj FILE [section S] [program P] [verbose]` or
// `pinned PATH`, loaded through pkg/object, and the sentences said when that fails.
import { basename, resolve } from 'node:path'
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import { kernelText, type Context, type Io } from '../../pkg/cli/index.js'
import { EXIT_USAGE, FILE, grammar, string } from '../../pkg/grammar/index.js'
import type { LoadOptions, LoadedProg, ObjectSpec, Pinning, ProgSpec } from '../../pkg/object/index.js'
import { PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { RFC_PROG_TYPE } from '../../pkg/uapi/rfc.js'
import { EINVAL, ENOENT, strerror } from '../../pkg/uapi/errno.js'
import { objects } from './lazy.js'

export const BPF_PROG_TYPE_SOCKET_FILTER = PROG_TYPE.SOCKET_FILTER
export const BPF_PROG_TYPE_SCHED_CLS = PROG_TYPE.SCHED_CLS
export const BPF_PROG_TYPE_XDP = PROG_TYPE.XDP

/** Where a program comes from. */
export type BpfWords = {
  off?: true
  file?: string
  section?: string
  program?: string
  verbose?: true
  pinned?: string
  unsupported?: true
}

const whatMode = (word: string): InputError => new InputError(`What mode is "${word}"?`, EXIT_USAGE)
const source = { once: true, excludes: ['object-file', 'object-pinned'] } as const

/** In bpf_parse_common's order: section, program, verbose. */
const OBJECT_ROWS = [
  { word: 'bytecode', into: 'unsupported', unsupported: true },
  { word: 'bytecode-file', aliases: ['bcf'], into: 'unsupported', unsupported: true },
  { word: 'object-file', aliases: ['object', 'obj'], type: FILE, into: 'file', ...source },
  { word: 'object-pinned', aliases: ['pinned', 'fd'], type: FILE, into: 'pinned', ...source },
  { word: 'section', type: string('NAME'), into: 'section', once: true, needs: 'object-file', excludes: ['program', 'verbose'] },
  { word: 'program', match: 'whole', type: string('NAME'), into: 'program', once: true, needs: 'object-file', excludes: ['verbose'] },
  { word: 'export', into: 'unsupported', needs: 'object-file', unsupported: true },
  { word: 'verbose', into: 'verbose', once: true, needs: 'object-file' },
] as const

export const OBJECT = grammar<BpfWords>({ name: 'bpf', title: 'BPF', match: 'prefix', open: true, start: whatMode, rows: OBJECT_ROWS })

/** Where a program can also be taken away; the word is known only at the end of the line, as ip has it. */
export const OBJECT_OR_OFF = grammar<BpfWords>({
  name: 'bpf', title: 'BPF', match: 'prefix', open: true, start: whatMode, rows: [
    { word: 'off', aliases: ['none'], match: 'whole', into: 'off', final: true, last: true },
    ...OBJECT_ROWS,
  ],
})

/** The commands' own manner of loading. */
export type LoadManner = {
  /** Name space of pinned maps below /sys/fs/bpf: 'tc', 'xdp', 'xps'. */
  readonly namespace: string
  /** Exit status of ip (255) and tc (1) when loading fails. */
  readonly status: number
  /** What tc adds to a failure. */
  readonly tail?: string
  /** What is said of a file that is no object. */
  readonly noObject?: string
}

export type LoadAs = LoadManner & {
  readonly type: number
  /** Taken when none is named. */
  readonly section: string | ((object: ObjectSpec) => string)
}

export type Attached = {
  readonly id: number
  /** `x.o:[section]`, `x.o:[*fsobj]` for a pinned one. */
  readonly name: string
}

/** Loads what the words name, or finds it pinned. */
export function loadBpf(context: Context, words: BpfWords, as: LoadAs): Attached {
  if (words.pinned !== undefined) return pinnedProgram(context, words.pinned, as)
  const { file = '' } = words
  const object = openFile(context, file, as)
  const prog = choose(object, words.section ?? (words.program === undefined ? sectionOf(as, object) : undefined), words.program, as)
  const [loaded] = loadPrograms(context, object, [typed(prog, as.type)], as, { type: as.type }, words.verbose)
  return { id: loaded!.id, name: annotation(file, prog.section) }
}

const sectionOf = ({ section }: LoadAs, object: ObjectSpec): string => (typeof section === 'string' ? section : section(object))

export const annotation = (file: string, section: string): string => `${basename(file)}:[${section}]`

/** The program as another type than its section says: the section's attach type then means nothing. */
function typed(prog: ProgSpec, type: number): ProgSpec {
  return prog.type === type ? prog : { ...prog, link: () => prog.link(), type, expectedAttachType: 0 }
}

/** The first program of the section, or the one of that name. */
function choose(object: ObjectSpec, section: string | undefined, name: string | undefined, manner: LoadManner): ProgSpec {
  const found = objects().findProgs(object, { ...(section === undefined ? {} : { section }), ...(name === undefined ? {} : { name }) })[0]
  if (found !== undefined) return found
  throw failure(`object file doesn't contain ${name === undefined ? `sec ${section ?? ''}` : `prog ${name}`}`, manner)
}

/** A failure of loading: the reason, then what the command adds. */
export function failure(reason: string, { tail, status }: LoadManner): InputError {
  return new InputError(tail === undefined ? reason : `${reason}\n${tail}`, status)
}

/** Reads an object file; one line says what is wrong with it, the next is the real tool's. */
export function openFile({ io }: Context, file: string, manner: LoadManner): ObjectSpec {
  const say = (reason: string): InputError => failure(`${reason}\n${manner.noObject ?? 'Cannot initialize ELF context!'}`, manner)
  let bytes: Uint8Array
  try {
    bytes = io.readFile(file)
  } catch (error) {
    throw say(`${file}: ${readReason(error)}`)
  }
  try {
    return objects().openObject(bytes, { file })
  } catch (error) {
    throw error instanceof InputError ? say(error.message) : error
  }
}

const READ_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory', EISDIR: 'Is a directory', EACCES: 'Permission denied', EPERM: 'Operation not permitted', ENOTDIR: 'Not a directory',
}

function readReason(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  return READ_REASONS[code ?? ''] ?? message ?? String(error)
}

/** Loads programs of one object, which share its maps, with libbpf's warnings and the kernel's log. */
export function loadPrograms(
  context: Context, object: ObjectSpec, progs: readonly ProgSpec[], manner: LoadManner, options: LoadOptions, verbose?: true,
): readonly LoadedProg[] {
  const root = `/sys/fs/bpf/${manner.namespace}`
  const warnings: string[] = []
  const whole: LoadOptions = {
    ...environment(context.io, options.type), ...options, progs, pinRoot: `${root}/globals`, elfPin: (pinning, name) => elfPinPath(context, object, root, pinning, name),
    warn: (line) => { warnings.push(`libbpf: ${line}`) },
    ...(verbose ? { logLevel: 1 } : {}),
  }
  try {
    const { progs: loaded } = objects().loadObject(object, context.write(), whole)
    tell(context, warnings, loaded, verbose)
    return progs.map((prog) => loaded.find((one) => one.name === prog.name && one.section === prog.section)!)
  } catch (error) {
    throw loadFailure(error, warnings, manner, () => objects().loadObject(object, context.write(), { ...whole, logLevel: 1 }))
  }
}

const DIALECTS = ['schbpf1', 'schbpf2', 'schbpf4', 'schbpf5', 'schbpf6', 'schbpf7', 'physdev1', 'physdev2', 'pifo2022', 'emu', 'upstream']

/** HOOKPOINT_DIALECT where it speaks of this family of proposals ('' are all but the qdisc's). */
export function environmentDialect({ env }: Io, family: 'schbpf' | ''): string | undefined {
  const said = env['HOOKPOINT_DIALECT']
  if (!said) return undefined
  if (!DIALECTS.includes(said)) throw new InputError(`HOOKPOINT_DIALECT: unknown dialect "${said}", known are ${DIALECTS.join(', ')}`, 1)
  return said.startsWith('schbpf') === (family === 'schbpf') ? said : undefined
}

function environment(io: Io, type: number | undefined): Pick<LoadOptions, 'dialect'> {
  const dialect = environmentDialect(io, type === RFC_PROG_TYPE.SCHED_QDISC ? 'schbpf' : '')
  return dialect === undefined ? {} : { dialect }
}

function tell(context: Context, warnings: readonly string[], loaded: readonly LoadedProg[], verbose: true | undefined): void {
  for (const line of warnings) context.note(line)
  for (const note of new Set(loaded.flatMap((one) => one.notes))) context.note(note)
  if (verbose) for (const { log } of loaded) if (log !== '') context.note(log.trimEnd())
}

/** libbpf asks a second time, with a log, when the kernel refused without one. */
function loadFailure(error: unknown, warnings: string[], manner: LoadManner, again: () => void): unknown {
  if (error instanceof InputError) return failure(error.message, manner)
  if (!(error instanceof KernelError)) return error
  if (!error.log && warnings.length > 0) {
    warnings.length = 0
    try {
      again()
    } catch (second) {
      if (!(second instanceof KernelError)) return second
    }
  }
  if (error.extack?.startsWith('not supported yet')) warnings.push(`libbpf: ${error.extack}`)
  const said = warnings.length > 0 ? warnings.join('\n') : `libbpf: ${kernelText(error)}`
  return failure(error.explain === undefined ? said : `${said}\n${error.explain.trimEnd()}`, manner)
}

/** PIN_OBJECT_NS has a directory an object file, PIN_GLOBAL_NS is shared; iproute2's private name spaces need its configuration file. */
function elfPinPath({ io }: Context, object: ObjectSpec, root: string, pinning: Pinning, name: string): string | undefined {
  if (pinning === 'global') return `${root}/globals/${name}`
  if (pinning !== 'object') return undefined
  const { createHash } = process.getBuiltinModule('node:crypto')
  return `${root}/${createHash('sha1').update(io.readFile(object.file)).digest('hex')}/${name}`
}

/** A program found by its name below /sys/fs/bpf. */
export function pinnedProgram(context: Context, path: string, manner: LoadManner): Attached {
  const kernel = context.write()
  const say = (errno: number): InputError => {
    const tail = manner.tail === undefined ? {} : { tail: 'Unable to parse bpf command line' }
    return failure(`Couldn't retrieve pinned program '${path}': ${strerror(errno)}`, { ...manner, ...tail })
  }
  const { dir } = kernel.request('sys.info', {})
  const whole = resolve(context.io.cwd, path)
  const inside = dir !== undefined && whole.startsWith(`${dir}/sys/fs/bpf`) ? whole.slice(dir.length) : path
  if (!inside.startsWith('/sys/fs/bpf/')) throw say(ENOENT)
  try {
    const { kind, id } = kernel.request('obj.get', { path: inside })
    if (kind !== 'prog') throw new KernelError(EINVAL)
    return { id, name: `${basename(path)}:[*fsobj]` }
  } catch (error) {
    throw error instanceof KernelError ? say(error.errno) : error
  }
}
