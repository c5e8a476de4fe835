// `tc class` (tc/tc_class.c). Unlike iproute2 6.1 it prints JSON with -j, as later releases do.
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import { runVerb, type Context, type Entry } from '../../pkg/cli/index.js'
import { CLASSID, EXIT_USAGE, grammar, HANDLE, nested, PARENT, parse, type Words } from '../../pkg/grammar/index.js'
import type { TcClass } from '../../pkg/request/rtnl.js'
import { ENODEV } from '../../pkg/uapi/errno.js'
import { formatClassid, major, TC_H_ROOT } from '../../pkg/units/index.js'
import { device } from '../lib/devices.js'
import { parseClassOptions, qdiscKind } from './kinds.js'
import { printTcStats } from './stats.js'
import { DEV, FLAGS, KIND, some, whereTwice, type Flags } from './words.js'

type ModifyWords = { dev?: string; classid?: number; parent?: number; root?: true; kind?: string; other?: true }

const MODIFY = grammar<ModifyWords>({
  name: 'tc class', match: 'whole', helpStatus: 0, rows: [
    DEV,
    { word: 'classid', type: CLASSID, into: 'classid', once: true },
    { word: 'root', into: 'root', once: true, excludes: ['parent'], twice: () => whereTwice('"root" is duplicate parent ID.') },
    { word: 'parent', type: PARENT, into: 'parent', once: true, excludes: ['root'] },
    { word: 'estimator', into: 'other', unsupported: true },
    KIND,
  ],
})

const modify = (flags: Flags) => (context: Context, words: Words): void => {
  const { dev, classid = 0, parent, root, kind } = parse(MODIFY, words, {})
  const kernel = context.write()
  if (dev !== undefined) device(kernel, dev)
  const options = kind === undefined ? undefined : parseClassOptions(context, kind, words)
  if (dev === undefined) throw new KernelError(ENODEV)
  kernel.request('class.new', { dev, kind: kind ?? '', classid, parent: root ? TC_H_ROOT : parent ?? 0, ...flags, ...some('options', options) })
}

function del(context: Context, words: Words): void {
  const { dev, classid = 0, parent, root } = parse(MODIFY, words, {})
  const kernel = context.write()
  if (dev === undefined) throw new KernelError(ENODEV)
  device(kernel, dev)
  kernel.request('class.del', { dev, classid, ...some('parent', root ? TC_H_ROOT : parent) })
}

type ShowWords = { dev?: string; classid?: number; parent?: number; qdisc?: number }

const SHOW = grammar<ShowWords>({
  name: 'tc class show', match: 'whole', helpStatus: 0, unknown: (word) => new InputError(`What is "${word}"? Try "tc class help".`, EXIT_USAGE), rows: [
    DEV,
    { word: 'qdisc', type: HANDLE, into: 'qdisc', once: true },
    { word: 'classid', type: CLASSID, into: 'classid', once: true },
    { word: 'root', into: 'parent', value: TC_H_ROOT },
    { word: 'parent', type: PARENT, into: 'parent' },
  ],
})

/** Without a device there is nothing to list, as in the real tool. */
function show(context: Context, words: Words): void {
  const { dev, classid, parent, qdisc } = parse(SHOW, words, {})
  if (dev === undefined) return
  const kernel = context.read()
  device(kernel, dev)
  const found = kernel.request('class.get', { dev, ...some('classid', classid), ...some('parent', parent) })
  const shown = found.filter((one) => (classid === undefined || one.classid === classid) && (qdisc === undefined || major(one.classid) === major(qdisc)))
  const { out } = context
  out.array(null, () => { for (const cls of shown) out.object(null, () => printClass(context, cls)) })
}

function printClass(context: Context, cls: TcClass): void {
  const { out, options } = context
  out.string('class', 'class %s ', cls.kind)
  if (cls.classid !== 0) out.string('handle', '%s ', formatClassid(cls.classid))
  if (cls.parent === TC_H_ROOT) out.flag('root', 'root ', true)
  else out.string('parent', 'parent %s ', formatClassid(cls.parent))
  if (cls.leaf !== 0) out.string('leaf', 'leaf %s ', `${major(cls.leaf).toString(16)}:`)
  if (cls.options !== undefined) out.object('options', () => qdiscKind(cls.kind)?.printClass?.(context, cls.options, cls))
  const { stats } = cls
  if (options.stats > 0 && stats !== undefined) {
    out.nl()
    out.object('stats', () => printTcStats(out, stats))
  }
  out.text('\n')
}

/** In the order of do_class; no verb means show. */
export const CLASS_VERBS: readonly Entry[] = [
  { word: 'add', run: modify(FLAGS.add), words: nested(MODIFY) },
  { word: 'change', run: modify(FLAGS.change), words: nested(MODIFY) },
  { word: 'replace', run: modify(FLAGS.replace), words: nested(MODIFY) },
  { word: 'delete', run: del, words: nested(MODIFY) },
  { word: 'show', aliases: ['list', 'lst'], run: show, words: nested(SHOW) },
]

const USAGE = `Usage: tc class [ add | del | change | replace | show ] dev STRING
       [ classid CLASSID ] [ root | parent CLASSID ]
       [ [ QDISC_KIND ] [ help | OPTIONS ] ]

       tc class show [ dev STRING ] [ root | parent CLASSID ]
Where:
QDISC_KIND := { bpf }
OPTIONS := ... try tc class add <desired QDISC_KIND> help
`

export const runClass = (context: Context, words: Words): number => runVerb('tc class', CLASS_VERBS, () => USAGE, 0, context, words)
