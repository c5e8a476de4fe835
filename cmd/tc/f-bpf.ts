// The bpf classifier (tc/f_bpf.c)
import { InputError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import { explain, grammar, parse, PARENT, usage, whatIs, type Words } from '../../pkg/grammar/index.js'
import type { BpfFilterOptions, ProgRef } from '../../pkg/request/rtnl.js'
import { formatClassid } from '../../pkg/units/index.js'
import { BPF_PROG_TYPE_SCHED_CLS, loadBpf, OBJECT, type BpfWords } from '../lib/bpf.js'
import { printProg } from '../lib/prog.js'
import type { FilterKind } from './filter-kinds.js'

type BpfFilterWords = { classid?: number; directAction?: true; other?: true; seen?: true }

const FLAG_ROWS = [
  { word: 'classid', aliases: ['flowid'], type: { ...PARENT, wrong: (text: string) => new InputError(`Illegal "classid": "${text}"`, 1) }, into: 'classid' },
  { word: 'direct-action', aliases: ['da'], into: 'directAction' },
  ...['skip_hw', 'skip_sw', 'action', 'police', 'run'].map((word) => ({ word, into: 'other' as const, unsupported: true as const })),
] as const

/** What stands before, between and after the program's own words. */
const FLAGS = grammar<BpfFilterWords>({ name: 'filter bpf', match: 'prefix', open: true, rows: FLAG_ROWS })
const USAGE = grammar<BpfFilterWords>({ name: '... bpf BPF', match: 'prefix', rows: FLAG_ROWS, where: `\n${explain(OBJECT)}` })

export const bpf: FilterKind = {
  kind: 'bpf',
  parse(context: Context, words: Words): BpfFilterOptions | undefined {
    if (!words.more) return undefined
    const flags: BpfFilterWords = {}
    let source: BpfWords | undefined
    while (words.more) {
      parse(FLAGS, words, flags)
      if (!words.more) break
      if (words.peek() === 'help') throw new InputError(usage(USAGE).trimEnd(), 1)
      if (source !== undefined) throw whatIs(words.take(), usage(USAGE))
      source = readSource(words)
    }
    return source && options(context, source, flags)
  },
  print(context, filter): void {
    const { out } = context
    out.hex0('handle', 'handle %#x ', filter.handle)
    const shown = filter.options as BpfFilterOptions & { prog?: ProgRef; exclusive?: boolean }
    if (shown.classid !== undefined && shown.classid !== 0) out.string('flowid', 'flowid %s ', formatClassid(shown.classid))
    if (shown.name !== '') out.string('bpf_name', '%s ', shown.name)
    out.flag('direct-action', 'direct-action ', shown.directAction ?? false)
    out.flag('not_in_hw', 'not_in_hw ', true)
    if (shown.prog !== undefined) printProg(out, shown.prog, context.options.details > 0)
  },
}

function readSource(words: Words): BpfWords {
  try {
    return parse(OBJECT, words, {})
  } catch (error) {
    if (error instanceof InputError && error.message.startsWith('What mode')) throw new InputError(`${error.message}\nUnable to parse bpf command line`, 1)
    throw error
  }
}

function options(context: Context, source: BpfWords, { classid, directAction }: BpfFilterWords): BpfFilterOptions {
  const loaded = loadBpf(context, source, {
    type: BPF_PROG_TYPE_SCHED_CLS, section: 'classifier', namespace: 'tc', status: 1,
    tail: source.pinned === undefined ? 'Unable to load program' : 'Unable to parse bpf command line',
  })
  return { progId: loaded.id, name: loaded.name, ...(classid === undefined ? {} : { classid }), ...(directAction ? { directAction } : {}) }
}
