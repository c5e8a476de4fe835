// A command of iproute2's or bpftool's make: global options, objects and verbs by prefix, batch mode, errors and exit status.
import { InputError } from '../bytes/errors.js'
import { EXIT_USAGE } from '../grammar/complaints.js'
import { isPrefix, matches, select } from '../grammar/match.js'
import type { Grammar } from '../grammar/table.js'
import { Words } from '../grammar/words.js'
import { palette } from '../print/color.js'
import { Writer } from '../print/writer.js'
import type { Kernel } from '../request/kernel.js'
import { batchLines, readBatch, runBatch } from './batch.js'
import { COMPLETE_WORD, printCompletions } from './complete.js'
import { describeFailure, type FailureStyle } from './failure.js'
import type { Io } from './io.js'
import { readLongOptions, readOptions, type Options, type OptionStyle } from './options.js'
import { Session } from './session.js'

/** What a command is given. */
export interface Context {
  readonly io: Io
  readonly options: Options
  readonly out: Writer
  /** The machine to look at, without a lock. */
  read(): Kernel
  /** The machine to change: everything until the command's end is one transaction. */
  write(): Kernel
  /** A line on stderr that is no failure ('Warning: …'). */
  note(line: string): void
  /** Ends the transaction before the command does, for commands of many steps (bpftool batch). */
  commit(): void
  rollback(): void
}

/** An object ('link') or a verb ('show'): first match in table order wins. */
export type Entry = {
  readonly word: string
  readonly aliases?: readonly string[]
  /** Spelled out in full only. */
  readonly match?: 'whole'
  /** The exit status; nothing is 0. */
  readonly run: (context: Context, words: Words) => number | void
  /** For completion: an object's verbs, a verb's keyword table. */
  readonly verbs?: readonly Entry[]
  readonly words?: Grammar<never>
}

export type Program = {
  readonly name: string
  readonly style: FailureStyle
  /** iproute2's option table; bpftool's is built in. */
  readonly options?: OptionStyle
  readonly objects: readonly Entry[]
  /** Ends in a line break. */
  readonly usage: string
  /** Exit status of help and of an unknown object. */
  readonly helpStatus: number
  readonly unknownStatus: number
  readonly version: (context: Context) => void
}

/** A whole command line, in this process. */
export function runProgram(program: Program, argv: readonly string[], io: Io): number {
  const session = new Session(io)
  try {
    if (argv[0] === COMPLETE_WORD) return printCompletions(program, argv.slice(1), io) ?? 0
    const { options, words } = splitOptions(program, argv)
    const line = (list: readonly string[]): number => runLine(program, options, list, io, session)
    return options.batch === undefined ? line(words) : runBatch(options.batch, options.force, io, line)
  } catch (error) {
    return complain(program, error, io)
  } finally {
    session.close()
  }
}

function splitOptions(program: Program, argv: readonly string[]): { options: Options; words: readonly string[] } {
  if (program.options !== undefined) return readOptions(program.options, program.name, argv)
  const { options, words, unknown } = readLongOptions(argv)
  if (unknown !== undefined) throw new InputError(`unrecognized option '${unknown}'\n${program.usage.trimEnd()}`, EXIT_USAGE)
  return { options, words }
}

/** One line: run, commit, print; a failure undoes and complains. */
export function runLine(program: Program, options: Options, words: readonly string[], io: Io, session: Session): number {
  const out = new Writer({
    json: options.json, pretty: options.pretty, oneline: options.oneline, style: program.style,
    palette: options.color === 'always' || (options.color === 'auto' && io.tty) ? palette(io.env) : undefined,
  })
  const notes: string[] = []
  const context: Context = {
    io, options, out, read: () => session.kernel('read'), write: () => session.kernel('write'), note: (line) => { notes.push(`${line}\n`) },
    commit: () => session.commit(), rollback: () => session.rollback(),
  }
  try {
    const status = runWords(program, context, words)
    session.commit()
    flush(program, out, io, notes)
    return status
  } catch (error) {
    session.rollback()
    return fail(program, error, out, io, notes)
  }
}

/** The object's command; bpftool's batch calls it for each of its lines. */
export function runWords(program: Program, context: Context, list: readonly string[]): number {
  const { instead } = context.options
  const words = new Words(list)
  if (instead === 'version') return program.version(context) ?? 0
  if (instead === 'help' || !words.more) throw usageOf(program, instead === 'help' && program.style === 'bpftool' ? 0 : program.helpStatus)
  const typed = words.take()
  const entry = pick(program.objects, typed, program.style)
  if (entry !== undefined) return entry.run(context, words) ?? 0
  if (isPrefix(typed, 'help')) throw usageOf(program, program.style === 'bpftool' ? 0 : program.helpStatus)
  if (program.style === 'bpftool') throw usageOf(program, EXIT_USAGE)
  throw new InputError(`Object "${typed}" is unknown, try "${program.name} help".`, program.unknownStatus)
}

const usageOf = (program: Program, status: number): InputError => new InputError(program.usage.trimEnd(), status)

function pick(table: readonly Entry[], typed: string, style: FailureStyle): Entry | undefined {
  return style === 'iproute2' ? select(table, typed) : table.find((entry) => isPrefix(typed, entry.word))
}

/** iproute2's verbs of an object: none means 'show', unknown is 'Command "x" is unknown'. */
export function runVerb(name: string, verbs: readonly Entry[], usage: () => string, helpStatus: number, context: Context, words: Words): number {
  const typed = words.more ? words.take() : undefined
  const entry = typed === undefined ? verbs.find((one) => one.word === 'show') : select(verbs, typed)
  if (entry !== undefined) return entry.run(context, words) ?? 0
  if (typed !== undefined && matches(typed, 'help')) throw new InputError(usage().trimEnd(), helpStatus)
  throw new InputError(`Command "${typed ?? ''}" is unknown, try "${name} help".`, EXIT_USAGE)
}

/** bpftool's cmd_select: none means the first of the table, 'help' and anything unknown is the usage text (status 0 and 255). */
export function runBpftoolVerb(verbs: readonly Entry[], usage: string, context: Context, words: Words): number {
  const typed = words.more ? words.take() : undefined
  const entry = typed === undefined ? verbs[0] : verbs.find((one) => isPrefix(typed, one.word))
  if (entry !== undefined) return entry.run(context, words) ?? 0
  throw new InputError(usage.trimEnd(), typed !== undefined && isPrefix(typed, 'help') ? 0 : EXIT_USAGE)
}

/** bpftool batch (main.c do_batch): stops at the first failure; JSON is one array of {command, output}. */
export function bpftoolBatch(program: Program, context: Context, file: string): number {
  const lines = [...batchLines(readBpftoolBatch(file, context.io))]
  if (lines.length === 0) return 0
  const { out } = context
  out.openArray()
  let status = 0
  lines.some((line) => (status = batchStep(program, context, line.words)) !== 0)
  out.closeArray()
  if (status === 0) out.text('processed %u commands\n', lines.length)
  return status
}

/** The line's own exit status. */
function batchStep(program: Program, context: Context, words: readonly string[]): number {
  const { out } = context
  out.openObject()
  out.array('command', () => words.forEach((word) => out.string(null, '', word)))
  out.key('output')
  const before = out.elements
  try {
    const status = runWords(program, context, words)
    if (out.elements === before) out.null(null, '')
    context.commit()
    return status
  } catch (error) {
    context.rollback()
    const failure = describeFailure(error, program.style)
    if (failure.usage) out.null(null, '')
    else out.tree(null, { error: failure.message })
    if (!out.isJson) context.note(failure.lines)
    return failure.status
  } finally {
    out.closeObject()
  }
}

function readBpftoolBatch(file: string, io: Io): string {
  try {
    return readBatch(file, io)
  } catch {
    throw new InputError(`Can't open file (${file}): No such file or directory`, EXIT_USAGE)
  }
}

function flush(program: Program, out: Writer, io: Io, notes: readonly string[]): void {
  if (notes.length > 0) io.stderr(notes.join(''))
  if (program.style === 'bpftool' && out.isJson && !out.started) out.null(null, '')
  out.finish()
  const text = out.take()
  if (text !== '') io.stdout(text)
}

/** Prints what was written so far and then the complaint. bpftool with -j says {"error": …} on stdout. */
function fail(program: Program, error: unknown, out: Writer, io: Io, notes: readonly string[]): number {
  const failure = describeFailure(error, program.style, io.env['HOOKPOINT_DEBUG'] === '1')
  const inJson = program.style === 'bpftool' && out.isJson
  if (inJson && !failure.usage) out.tree(null, { error: failure.message })
  flush(program, out, io, notes)
  if (!inJson) io.stderr(`${failure.lines}\n`)
  return failure.status
}

function complain(program: Program, error: unknown, io: Io): number {
  const failure = describeFailure(error, program.style, io.env['HOOKPOINT_DEBUG'] === '1')
  io.stderr(`${failure.lines}\n`)
  return failure.status
}
