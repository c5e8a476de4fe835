// `prog dump` (prog.c: do_dump, prog_dump). Options may be combined, as later bpftool versions have it.
import { InputError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import { isPrefix, type Words } from '../../pkg/grammar/index.js'
import { encodeInsns } from '../../pkg/insn/insn.js'
import type { ProgDump, ProgInfo } from '../../pkg/request/bpf.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { graph } from './cfg.js'
import { FAILED, unsupported } from './failure.js'
import { progs } from './handle.js'
import { hexDump } from './hex.js'
import { fileReason } from './paths.js'
import { headLine, progHead } from './prog-name.js'
import { PROG_HELP, usage } from './usage.js'
import { xlatedJson, xlatedLines, xlatedPlain } from './xlated.js'

type DumpWords = { file?: string; opcodes: boolean; linum: boolean; visual: boolean }

export function dumpProg(context: Context, words: Words): void {
  const jited = readKind(words)
  if (words.left < 2) throw new InputError(usage(PROG_HELP).trimEnd(), FAILED)
  const kernel = context.read()
  const list = progs(context, kernel, words)
  const read = readWords(words, list.length)
  const { out } = context
  if (list.length === 1) return dumpOne(context, kernel, list[0]!, jited, read)
  out.array(null, () => list.forEach((info, at) => {
    if (at > 0) out.text('\n')
    dumpAmong(context, kernel, info, jited, read)
  }))
}

function readKind(words: Words): boolean {
  const kind = words.more ? words.take() : '(null)'
  if (isPrefix(kind, 'jited')) return true
  if (isPrefix(kind, 'xlated')) return false
  throw new InputError(`expected 'xlated' or 'jited', got: ${kind}`, FAILED)
}

function readWords(words: Words, found: number): DumpWords {
  const read: DumpWords = { opcodes: false, linum: false, visual: false }
  while (words.more) {
    const word = words.take()
    if (isPrefix(word, 'file')) {
      if (!words.more) throw new InputError('expected file path', FAILED)
      read.file = words.take()
    } else if (isPrefix(word, 'opcodes')) read.opcodes = true
    else if (isPrefix(word, 'visual')) read.visual = true
    else if (isPrefix(word, 'linum')) read.linum = true
    else throw new InputError(usage(PROG_HELP).trimEnd(), FAILED)
  }
  if (found > 1 && (read.file !== undefined || read.visual)) throw new InputError('several programs matched', FAILED)
  return read
}

/** One of several: with its head, in JSON as a member of an object. */
function dumpAmong(context: Context, kernel: Kernel, info: ProgInfo, jited: boolean, read: DumpWords): void {
  const { out } = context
  const head = progHead(kernel, info)
  out.object(null, () => {
    for (const [key, value] of Object.entries(head)) out.tree(key, value)
    out.text('%s\n', headLine(head))
    out.key('insns')
    dumpOne(context, kernel, info, jited, read)
  })
}

function dumpOne(context: Context, kernel: Kernel, info: ProgInfo, jited: boolean, read: DumpWords): void {
  const dump = kernel.request('prog.dump', { id: info.id })
  if (jited) dumpJited(context, dump, read)
  else dumpXlated(context, kernel, dump, read)
}

function dumpXlated(context: Context, kernel: Kernel, dump: ProgDump, read: DumpWords): void {
  const { out } = context
  if (read.file !== undefined) return save(context, read.file, encodeInsns(dump.xlated))
  if (read.visual) return out.isJson ? out.null(null, '') : out.text('%s', graph(dump.xlated))
  const lines = xlatedLines(kernel, dump)
  if (out.isJson) out.tree(null, xlatedJson(lines, read))
  else out.text('%s', xlatedPlain(lines, read))
}

/** The machine's code is a WebAssembly module: it has no lines of its own to print. */
function dumpJited(context: Context, { jited }: ProgDump, read: DumpWords): void {
  const { out } = context
  if (jited === undefined) throw new InputError('no instructions returned', FAILED)
  if (read.file !== undefined) return save(context, read.file, jited)
  if (!read.opcodes) throw unsupported('a listing of a WebAssembly module; `file FILE` writes it, `opcodes` prints its bytes')
  if (out.isJson) out.tree(null, { opcodes: Array.from(jited, (byte) => `0x${byte.toString(16).padStart(2, '0')}`) })
  else out.text('%s', hexDump(jited))
}

function save(context: Context, name: string, bytes: Uint8Array): void {
  try {
    context.io.writeFile(name, bytes)
  } catch (error) {
    throw new InputError(`can't open file ${name}: ${fileReason(error)}`, FAILED)
  }
  context.out.null(null, '')
}
