// `prog run` (prog.c: do_run). Numbers from `duration` are real nanoseconds: the one thing here that a second run does not repeat.
import { InputError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import { isPrefix, type Words } from '../../pkg/grammar/index.js'
import type { TestRun, TestRunResult } from '../../pkg/request/bpf.js'
import { ENOSPC } from '../../pkg/uapi/errno.js'
import { attempt, exitOf, FAILED, needs } from './failure.js'
import { prog, unsigned } from './handle.js'
import { hexDump } from './hex.js'
import { fileReason, readInput } from './paths.js'

type RunWords = {
  data_in?: string; data_out?: string; data_size_out?: number; ctx_in?: string; ctx_out?: string; ctx_size_out?: number; repeat?: number
}

const KEYWORDS = ['data_in', 'data_out', 'data_size_out', 'ctx_in', 'ctx_out', 'ctx_size_out', 'repeat'] as const
const NUMBERS: Readonly<Record<string, string>> = { data_size_out: 'output data size', ctx_size_out: 'output context size', repeat: 'repeat number' }

export function runProg(context: Context, words: Words): void {
  needs(words, 4)
  const kernel = context.write()
  const { id } = prog(context, kernel, words)
  const read = readWords(words)
  const request = requestOf(context, id, read)
  const result = attempt('failed to run program', () => kernel.request('prog.test_run', request), 'errno')
  if (result.truncated) throw new InputError('failed to run program: No space left on device', exitOf(ENOSPC))
  print(context, read, result)
}

function readWords(words: Words): RunWords {
  const read: RunWords = {}
  while (words.more) {
    const typed = words.take()
    const keyword = KEYWORDS.find((one) => isPrefix(typed, one))
    if (keyword === undefined) throw unknown(typed)
    needs(words, 1)
    const value = words.take()
    if (keyword === 'data_size_out' || keyword === 'ctx_size_out' || keyword === 'repeat') read[keyword] = number(keyword, value)
    else read[keyword] = value
  }
  return read
}

function unknown(typed: string): InputError {
  const list = KEYWORDS.map((one) => `'${one}'`)
  return new InputError(`expected no more arguments, ${list.slice(0, -1).join(', ')} or ${list.at(-1)}, got: '${typed}'?`, FAILED)
}

function number(keyword: string, text: string): number {
  const value = unsigned(text)
  if (value === undefined) throw new InputError(`can't parse ${text} as ${NUMBERS[keyword]}`, FAILED)
  return value >>> 0
}

function requestOf(context: Context, progId: number, read: RunWords): TestRun {
  const file = (name: string | undefined): Uint8Array | undefined => (name === undefined ? undefined : readInput(context, name))
  const [dataIn, ctxIn] = [file(read.data_in), file(read.ctx_in)]
  return {
    progId, repeat: read.repeat ?? 1,
    ...(dataIn === undefined ? {} : { dataIn }), ...(ctxIn === undefined ? {} : { ctxIn }),
    ...(read.data_size_out === undefined ? {} : { dataSizeOut: read.data_size_out }),
    ...(read.ctx_size_out === undefined ? {} : { ctxSizeOut: read.ctx_size_out }),
  }
}

function print(context: Context, read: RunWords, result: TestRunResult): void {
  const { out } = context
  const { retval, duration } = result
  out.object(null, () => {
    printBytes(context, 'data_out', read.data_out, result.dataOut)
    printBytes(context, 'ctx_out', read.ctx_out, result.ctxOut)
    out.tree('retval', retval)
    out.tree('duration', duration)
  })
  out.text('Return value: %u, duration%s: %uns\n', retval, (read.repeat ?? 1) > 1 ? ' (average)' : '', duration)
}

function printBytes(context: Context, key: string, name: string | undefined, bytes: Uint8Array | undefined): void {
  if (name === undefined || bytes === undefined) return
  if (name !== '-') return save(context, name, bytes)
  context.out.tree(key, [...bytes])
  context.out.text('%s', hexDump(bytes))
}

function save(context: Context, name: string, bytes: Uint8Array): void {
  try {
    context.io.writeFile(name, bytes)
  } catch (error) {
    throw new InputError(`failed to open ${name}: ${fileReason(error)}`, FAILED)
  }
}
