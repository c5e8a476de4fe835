// The bpf qdisc of the sch_bpf proposals (v1 and v2 here): `tc qdisc … bpf obj FILE`, or each program by itself. No iproute2 ever had it.
import { InputError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import { FILE, grammar, nested, oneOf, parse, u32, usage, whatIs, type Grammar, type Words } from '../../pkg/grammar/index.js'
import type { BpfQdiscOptions, BpfQdiscProg, QdiscDump } from '../../pkg/request/rtnl.js'
import { OBJECT, type BpfWords } from '../lib/bpf.js'
import { loadQdiscPrograms, PROGRAMS, QDISC_DIALECTS, type ProgramWord, type QdiscDialect } from '../lib/qdisc-programs.js'
import { printProg } from '../lib/prog.js'
import type { QdiscKind } from './kinds.js'

type QdiscWords = { [P in ProgramWord]?: BpfWords } & {
  file?: string; verbose?: true; order?: 'min' | 'max'; limit?: number; direct?: true; dialect?: QdiscDialect
}

const one = { sub: nested(OBJECT), once: true } as const

const WORDS: Grammar<QdiscWords> = grammar<QdiscWords>({
  name: '... bpf', match: 'prefix', helpStatus: 1, unknown: (word) => whatIs(word, usage(WORDS)),
  wrong: (text, key) => new InputError(`bpf: Illegal value for "${key}": "${text}"`, 1),
  rows: [
    { word: 'object-file', aliases: ['object', 'obj'], type: FILE, into: 'file', once: true, excludes: [...PROGRAMS] },
    { word: 'verbose', into: 'verbose' },
    { word: 'enqueue', into: 'enqueue', ...one },
    { word: 'dequeue', into: 'dequeue', ...one },
    { word: 'reset', into: 'reset', ...one },
    { word: 'init', into: 'init', ...one },
    { word: 'order', type: oneOf(['min', 'max'] as const), into: 'order', once: true },
    { word: 'limit', type: u32('NUMBER'), into: 'limit', once: true },
    { word: 'direct', match: 'whole', into: 'direct' },
    { word: 'dialect', type: oneOf(QDISC_DIALECTS), into: 'dialect', once: true },
  ],
})

type Dump = QdiscDump['bpf']
type Shown = NonNullable<Dump['enqueue']>

export const bpf: QdiscKind = {
  kind: 'bpf',
  /** Options are sent even when there are none: to change nothing is an error, not a success. */
  parse(context: Context, words: Words): BpfQdiscOptions {
    const { order, limit, direct, ...source } = parse(WORDS, words, {})
    const programs: { [P in ProgramWord]?: BpfQdiscProg } = loadQdiscPrograms(context, source)
    return {
      ...programs, ...(order === undefined ? {} : { order }), ...(limit === undefined ? {} : { limit }), ...(direct === undefined ? {} : { direct }),
    }
  },
  print(context, options): void {
    const dump = options as Dump
    for (const word of PROGRAMS) {
      const shown = dump[word]
      if (shown !== undefined) printProgram(context, word, shown)
    }
    printSettings(context, dump)
  },
  printStats(context, options): void {
    const { tcStats = [] } = options as Dump
    printTcStats(context, tcStats)
  },
  parseClass(_, words): undefined {
    if (words.peek() === 'help') throw new InputError('Usage: ... bpf', 1)
    if (words.more) throw whatIs(words.take(), 'Usage: ... bpf')
    return undefined
  },
}

function printProgram({ out, options }: Context, word: ProgramWord, shown: Shown): void {
  out.object(word, () => {
    out.text('%s ', word)
    if (shown.name !== '') out.string('bpf_name', '%s ', shown.name)
    printProg(out, shown.prog, options.details > 0)
  })
}

/** What differs from the defaults; everything with -d. */
function printSettings({ out, options }: Context, dump: Dump): void {
  const all = options.details > 0
  if (all || dump.order !== 'min') out.string('order', 'order %s ', dump.order)
  if (all || dump.limit !== 1000) out.uint('limit', 'limit %up ', dump.limit)
  out.flag('direct', 'direct ', dump.direct)
  if (all) out.string('dialect', 'dialect %s ', dump.dialect)
}

/** The maps that a program offers as its statistics (sch_bpf.md section 9): `  NAME { field value ... }`. */
function printTcStats({ out }: Context, maps: NonNullable<Dump['tcStats']>): void {
  if (maps.length === 0) return
  out.object('tc_stats', () => {
    for (const { name, fields } of maps) {
      out.text('\n')
      out.object(name, () => {
        out.text('  %s {', name)
        for (const [field, value] of fields) printField(out, field, value)
        out.text(' }')
      })
    }
  })
}

/** A number where JSON can hold it. */
function printField(out: Context['out'], field: string, value: string): void {
  const name = field.replaceAll('%', '%%')
  if (/^\d+$/.test(value) && Number.isSafeInteger(Number(value))) out.uint(field, ` ${name} %u`, Number(value))
  else out.string(field, ` ${name} %s`, value)
}
