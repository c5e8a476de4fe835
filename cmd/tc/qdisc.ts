// `tc qdisc` (tc/tc_qdisc.c)
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import { runVerb, type Context, type Entry } from '../../pkg/cli/index.js'
import { EXIT_USAGE, grammar, HANDLE, invarg, PARENT, nested, parse, type Grammar, type Words } from '../../pkg/grammar/index.js'
import type { Qdisc } from '../../pkg/request/rtnl.js'
import { ENODEV } from '../../pkg/uapi/errno.js'
import { formatClassid, major, TC_H_CLSACT, TC_H_INGRESS, TC_H_ROOT } from '../../pkg/units/index.js'
import { device } from '../lib/devices.js'
import { parseQdiscOptions, qdiscKind } from './kinds.js'
import { printTcStats } from './stats.js'
import { DEV, FLAGS, KIND, some, whereTwice, type Flags } from './words.js'

// --- add, change, replace, link, delete ---

type Place = { word: 'root' | 'ingress' | 'clsact'; parent: number; handle?: number; kind?: string }
type ModifyWords = { dev?: string; handle?: number; parent?: number; place?: Place; kind?: string; other?: true }

const ROOT: Place = { word: 'root', parent: TC_H_ROOT }
const INGRESS: Place = { word: 'ingress', parent: TC_H_INGRESS, handle: 0xffff0000, kind: 'ingress' }
const CLSACT: Place = { word: 'clsact', parent: TC_H_CLSACT, handle: 0xffff0000, kind: 'clsact' }

const MODIFY = grammar<ModifyWords>({
  name: 'tc qdisc', match: 'whole', helpStatus: 0, rows: [
    DEV,
    { word: 'handle', type: HANDLE, into: 'handle', once: true },
    { word: 'root', into: 'place', value: ROOT, once: true, excludes: ['parent'], twice: () => whereTwice('"root" is duplicate parent ID') },
    { word: 'clsact', into: 'place', value: CLSACT, last: true, excludes: ['root', 'parent'], twice: () => whereTwice('"clsact" is a duplicate parent ID') },
    { word: 'ingress', into: 'place', value: INGRESS, last: true, excludes: ['root', 'parent'], twice: () => whereTwice('"ingress" is a duplicate parent ID') },
    { word: 'parent', type: PARENT, into: 'parent', once: true, excludes: ['root'] },
    ...['ingress_block', 'egress_block', 'estimator', 'stab'].map((word) => ({ word, into: 'other' as const, unsupported: true as const })),
    KIND,
  ],
})

const modify = (flags: Flags, isChange: boolean) => (context: Context, words: Words): void => {
  const { dev, handle, parent, place, kind: spelled } = parse(MODIFY, words, {})
  const kind = spelled ?? place?.kind
  const kernel = context.write()
  if (dev !== undefined) device(kernel, dev)
  const options = kind === undefined ? undefined : parseQdiscOptions(context, kind, words, isChange)
  if (dev === undefined) throw new KernelError(ENODEV)
  kernel.request('qdisc.new', {
    dev, parent: place?.parent ?? parent ?? 0, ...flags, ...some('kind', kind), ...some('handle', place?.handle ?? handle), ...some('options', options),
  })
}

function del(context: Context, words: Words): void {
  const { dev, handle, parent, place, kind: spelled } = parse(MODIFY, words, {})
  const kernel = context.write()
  if (dev === undefined) throw new KernelError(ENODEV)
  device(kernel, dev)
  const kind = spelled ?? place?.kind
  kernel.request('qdisc.del', { dev, parent: place?.parent ?? parent ?? 0, ...some('kind', kind), ...some('handle', place?.handle ?? handle) })
}

// --- show ---

type ShowWords = { dev?: string; handle?: number; parent?: number; invisible?: true }

const PLACES = ['root', 'ingress', 'clsact', 'parent'] as const
const place = { once: true, excludes: PLACES, twice: (text: string) => invarg('parent is already specified', text) } as const

const SHOW: Grammar<ShowWords> = grammar<ShowWords>({
  name: 'tc qdisc show', match: 'whole', helpStatus: 0, unknown: (word) => new InputError(`What is "${word}"? Try "tc qdisc help".`, EXIT_USAGE), rows: [
    { ...DEV },
    { word: 'root', into: 'parent', value: TC_H_ROOT, ...place },
    { word: 'ingress', into: 'parent', value: TC_H_INGRESS, ...place },
    { word: 'clsact', into: 'parent', value: TC_H_CLSACT, ...place },
    { word: 'parent', type: PARENT, into: 'parent', ...place },
    { word: 'handle', type: HANDLE, into: 'handle' },
    { word: 'invisible', match: 'prefix', into: 'invisible' },
  ],
})

function show(context: Context, words: Words): void {
  const { dev, handle, parent } = parse(SHOW, words, {})
  const kernel = context.read()
  if (dev !== undefined) device(kernel, dev)
  const found = kernel.request('qdisc.get', { ...some('dev', dev), ...some('handle', handle), ...some('parent', parent) })
  const shown = found.filter((one) => (handle === undefined || one.handle === handle) && (parent === undefined || one.parent === parent))
  const { out } = context
  out.array(null, () => { for (const qdisc of shown) out.object(null, () => printQdisc(context, qdisc, dev === undefined)) })
}

/** One qdisc, its line break included. (tc -o puts all of them on one line; here each has its own.) */
function printQdisc(context: Context, qdisc: Qdisc, withDev: boolean): void {
  const { out, options } = context
  out.string('kind', 'qdisc %s ', qdisc.kind)
  out.string('handle', '%s ', `${major(qdisc.handle).toString(16)}:`)
  if (withDev) out.string('dev', 'dev %s ', qdisc.dev)
  if (qdisc.parent === TC_H_ROOT) out.flag('root', 'root ', true)
  else if (qdisc.parent !== 0) out.string('parent', 'parent %s ', formatClassid(qdisc.parent))
  if (qdisc.refcnt !== 1) out.uint('refcnt', 'refcnt %u ', qdisc.refcnt)
  out.flag('offloaded', 'offloaded ', qdisc.offloaded ?? false)
  const record = qdiscKind(qdisc.kind)
  out.object('options', () => { if (qdisc.options !== undefined) record?.print?.(context, qdisc.options, qdisc) })
  if (qdisc.options === undefined && record?.kind === 'ingress') record.print?.(context, undefined, qdisc)
  if (options.stats > 0) {
    out.nl()
    printTcStats(out, qdisc.stats)
    if (qdisc.options !== undefined) record?.printStats?.(context, qdisc.options)
  }
  out.text('\n')
}

/** In the order of do_qdisc; no verb means show. */
export const QDISC_VERBS: readonly Entry[] = [
  { word: 'add', run: modify(FLAGS.add, false), words: nested(MODIFY) },
  { word: 'change', run: modify(FLAGS.change, true), words: nested(MODIFY) },
  { word: 'replace', run: modify(FLAGS.replace, false), words: nested(MODIFY) },
  { word: 'link', run: modify(FLAGS.link, false), words: nested(MODIFY) },
  { word: 'delete', run: del, words: nested(MODIFY) },
  { word: 'show', aliases: ['list', 'lst'], run: show, words: nested(SHOW) },
]

const USAGE = `Usage: tc qdisc [ add | del | replace | change | show ] dev STRING
       [ handle QHANDLE ] [ root | ingress | clsact | parent CLASSID ]
       [ [ QDISC_KIND ] [ help | OPTIONS ] ]

       tc qdisc { show | list } [ dev STRING ] [ QDISC_ID ] [ invisible ]
Where:
QDISC_KIND := { [p|b]fifo | pfifo_head_drop | pfifo_fast | mq | noqueue | bpf }
OPTIONS := ... try tc qdisc add <desired QDISC_KIND> help
QDISC_ID := { root | ingress | handle QHANDLE | parent CLASSID }
`

export const runQdisc = (context: Context, words: Words): number => runVerb('tc qdisc', QDISC_VERBS, () => USAGE, 0, context, words)
