// `prog load` and `prog loadall` (prog.c: load_with_options), with what libbpf prints on the way.
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import type { Words } from '../../pkg/grammar/index.js'
import type { LoadedObject, LoadOptions, ObjectSpec, ProgSpec } from '../../pkg/object/index.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { objects } from '../lib/lazy.js'
import { FAILED, needs, reason, Silent } from './failure.js'
import { bpffsPath, checkPlace, fileReason, pin } from './paths.js'
import { libbpf, noGuess, readWords, type LoadWords, type Replacement } from './prog-load-words.js'

const STRICT = `Warning: bpftool is now running in libbpf strict mode and has more stringent requirements about BPF programs.
If it used to work for this object file but now doesn't, see --legacy option for more details.
`

/** whole: loadall, every program pinned by its name below PATH; otherwise the first one at PATH. */
export function loadProgs(context: Context, words: Words, whole: boolean): void {
  needs(words, 2)
  const kernel = context.write()
  const read = readWords(context, kernel, words)
  const object = open(context, read.file)
  try {
    settle(context, kernel, object, read, whole)
  } catch (error) {
    throw hinted(context, error)
  }
}

/** p_info: not in JSON. It stands behind the complaint. */
function hinted(context: Context, error: unknown): unknown {
  if (context.options.idle.includes('legacy') || context.out.isJson) return error
  if (error instanceof InputError) return new InputError(`${error.message}\n${STRICT}`, error.status)
  if (error instanceof Silent) context.note(STRICT)
  return error
}

export function open(context: Context, file: string): ObjectSpec {
  let bytes: Uint8Array
  try {
    bytes = context.io.readFile(file)
  } catch (error) {
    libbpf(context, `elf: failed to open ${file}: ${fileReason(error)}`)
    throw new InputError('failed to open object file', FAILED)
  }
  try {
    return objects().openObject(bytes, { file })
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    libbpf(context, error.message)
    throw new InputError('failed to open object file', FAILED)
  }
}

/** Load, pin, attach: everything or nothing. */
function settle(context: Context, kernel: Kernel, object: ObjectSpec, read: LoadWords, whole: boolean): void {
  const chosen = choose(context, object, read)
  const reuse = replaced(object, read.replace)
  const loaded = load(context, kernel, object, read, chosen, reuse)
  checkPlace(context, bpffsPath(context, read.path), read.path)
  if (whole) pinAll(context, kernel, loaded, read.path, chosen)
  else pinFirst(context, kernel, loaded, read.path, chosen)
  if (read.autoattach) noAutoattach(context, whole ? chosen : chosen.slice(0, 1))
  if (read.pinmaps !== undefined) pinMaps(context, kernel, loaded, read.pinmaps)
}

/** What hangs on a device or a qdisc has no place of its own to attach to: bpf_program__attach says ENOTSUP. */
function noAutoattach(context: Context, chosen: readonly ProgSpec[]): void {
  for (const { name } of chosen) context.note(`Program ${name} does not support autoattach, falling back to pinning`)
}

/** Without `type` every program must say by its section what it is. */
function choose(context: Context, object: ObjectSpec, read: LoadWords): readonly ProgSpec[] {
  const isNameless = (one: ProgSpec): boolean => one.type === 0 && objects().tailCallSection(one.section) === undefined
  const nameless = read.type === undefined ? object.progs.find(isNameless) : undefined
  if (nameless !== undefined) throw noGuess(context, nameless.section)
  const loadable = object.progs.filter((one) => one.autoload && !(one.static && object.progs.some((p) => p.section === one.section && !p.static)))
  if (loadable.length === 0) throw new InputError('object file doesn\'t contain any bpf program', FAILED)
  return loadable
}

function replaced(object: ObjectSpec, list: readonly Replacement[]): Map<string, number> {
  const reuse = new Map<string, number>()
  for (const { name, index, id } of list) {
    const spec = name === undefined ? object.maps[index!] : object.maps.find((one) => one.name === name)
    if (spec === undefined) throw new InputError(name === undefined ? `map idx '${index}' not used` : `unable to find map '${name}'`, FAILED)
    reuse.set(spec.name, id)
  }
  return reuse
}

function load(
  context: Context, kernel: Kernel, object: ObjectSpec, { type }: LoadWords, progs: readonly ProgSpec[], reuse: ReadonlyMap<string, number>,
): LoadedObject {
  const dialect = context.io.env['HOOKPOINT_DIALECT']
  const options: LoadOptions = {
    progs, reuse, ...(type === undefined ? {} : { type: type.type, expectedAttachType: type.attach }), ...(dialect ? { dialect } : {}),
  }
  const verbose = { ...options, logLevel: context.options.debug ? 1 | 2 | 4 : 1 }
  try {
    const loaded = context.options.debug ? once(context, kernel, object, verbose) : twice(context, kernel, object, options, verbose)
    for (const one of loaded.progs) tell(context, one)
    return loaded
  } catch (error) {
    if (!(error instanceof KernelError || error instanceof InputError)) throw error
    const explain = error instanceof KernelError ? error.explain : undefined
    if (explain !== undefined) context.note(explain.trimEnd())
    throw new InputError('failed to load object file', FAILED)
  }
}

/** libbpf asks a second time, with a log, when the kernel refused without one. */
export function twice(context: Context, kernel: Kernel, object: ObjectSpec, options: LoadOptions, verbose: LoadOptions): LoadedObject {
  const lines: string[] = []
  try {
    const loaded = objects().loadObject(object, kernel, { ...options, warn: (line) => lines.push(line) })
    for (const line of lines) libbpf(context, line)
    return loaded
  } catch (error) {
    if (error instanceof KernelError && !error.log) return once(context, kernel, object, verbose)
    for (const line of lines) libbpf(context, line)
    throw said(context, error)
  }
}

export function once(context: Context, kernel: Kernel, object: ObjectSpec, options: LoadOptions): LoadedObject {
  try {
    return objects().loadObject(object, kernel, { ...options, warn: (line) => libbpf(context, line) })
  } catch (error) {
    throw said(context, error)
  }
}

/** What is wrong with the object, or not there yet, in a line of its own; what the kernel refused was told by then. */
function said(context: Context, error: unknown): unknown {
  if (error instanceof InputError) libbpf(context, error.message)
  else if (error instanceof KernelError && error.extack !== undefined) libbpf(context, reason(error))
  return error
}

export function tell(context: Context, { name, log, notes }: LoadedObject['progs'][number]): void {
  for (const note of notes) context.note(note)
  if (context.options.debug && log !== '') libbpf(context, `prog '${name}': -- BEGIN PROG LOAD LOG --\n${log}-- END PROG LOAD LOG --`)
}

function idOf(loaded: LoadedObject, spec: ProgSpec): number {
  return loaded.progs.find((one) => one.name === spec.name && one.section === spec.section)!.id
}

function pinFirst(context: Context, kernel: Kernel, loaded: LoadedObject, path: string, [first]: readonly ProgSpec[]): void {
  try {
    pin(context, kernel, 'prog', idOf(loaded, first!), path)
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`failed to pin program ${first!.section}`, FAILED)
    throw error
  }
}

function pinAll(context: Context, kernel: Kernel, loaded: LoadedObject, directory: string, chosen: readonly ProgSpec[]): void {
  for (const one of chosen) pinUnder(context, kernel, 'prog', idOf(loaded, one), one.name, directory, 'failed to pin all programs')
}

/** bpf_object__pin_maps: dots of names like .rodata become underscores. Those that are pinned already stay where they are. */
function pinMaps(context: Context, kernel: Kernel, loaded: LoadedObject, directory: string): void {
  for (const one of loaded.maps) {
    if (one.path !== undefined) continue
    pinUnder(context, kernel, 'map', one.id, one.name.replaceAll('.', '_'), directory, 'failed to pin all maps')
  }
}

function pinUnder(context: Context, kernel: Kernel, kind: 'prog' | 'map', id: number, name: string, directory: string, complaint: string): void {
  const path = `${directory}/${name}`
  try {
    kernel.request('obj.pin', { kind, id, path: bpffsPath(context, path) })
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    libbpf(context, kind === 'map' ? `failed to pin map: ${reason(error)}` : `prog '${name}': failed to pin at '${path}': ${reason(error)}`)
    throw new InputError(complaint, FAILED)
  }
}
