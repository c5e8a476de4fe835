// `tc filter` (tc/tc_filter.c)
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import { describeFailure, runVerb, type Context, type Entry } from '../../pkg/cli/index.js'
import { EXIT_USAGE, grammar, invarg, nested, PARENT, parse, string, u32, type Grammar, type Row, type Type, type Words } from '../../pkg/grammar/index.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import type { Filter, FilterNew } from '../../pkg/request/rtnl.js'
import { EINVAL, ENODEV, ENOENT } from '../../pkg/uapi/errno.js'
import { formatClassid, parseUnsigned, TC_H_ROOT } from '../../pkg/units/index.js'
import { device } from '../lib/devices.js'
import { formatProtocol, parseProtocol } from '../lib/ll-proto.js'
import { filterKind, parseFilterOptions } from './filter-kinds.js'
import { DEV, FLAGS, KIND, some, TC_H_FILTER_EGRESS, TC_H_FILTER_INGRESS, whereTwice, type Flags } from './words.js'

const ETH_P_ALL = 3

type FilterWords = {
  dev?: string; parent?: number; protocol?: number; pref?: number; chain?: number; handle?: string; kind?: string; other?: true
}

const PREF: Type<number> = { name: 'PRIO', parse: (text) => parseUnsigned(text, 16), wrong: (text) => invarg('invalid priority value', text) }
const PROTOCOL: Type<number> = { name: 'PROTO', parse: parseProtocol, wrong: (text) => invarg('invalid protocol', text) }
const CHAIN: Type<number> = { ...u32('CHAIN_INDEX'), wrong: (text) => invarg('invalid chain index value', text) }

const PLACES = ['root', 'ingress', 'egress', 'parent'] as const
const place = (word: string) => ({ once: true, excludes: PLACES, twice: () => whereTwice(`"${word}" is a duplicate parent ID.`) } as const)

const ROWS: readonly Row<FilterWords>[] = [
  DEV as Row<FilterWords>,
  { word: 'block', into: 'other', unsupported: true },
  { word: 'root', into: 'parent', value: TC_H_ROOT, ...place('root') },
  { word: 'ingress', into: 'parent', value: TC_H_FILTER_INGRESS, ...place('ingress') },
  { word: 'egress', into: 'parent', value: TC_H_FILTER_EGRESS, ...place('egress') },
  { word: 'parent', type: PARENT, into: 'parent', once: true, excludes: PLACES },
  { word: 'handle', match: 'whole', type: string('FILTERID'), into: 'handle', once: true },
  { word: 'preference', aliases: ['priority'], match: 'prefix', type: PREF, into: 'pref', once: true },
  { word: 'protocol', match: 'prefix', type: PROTOCOL, into: 'protocol', once: true },
  { word: 'chain', match: 'prefix', type: CHAIN, into: 'chain', once: true },
  { word: 'estimator', into: 'other', unsupported: true },
]

const MODIFY: Grammar<FilterWords> = grammar<FilterWords>({ name: 'tc filter', match: 'whole', helpStatus: 0, rows: [...ROWS, KIND as Row<FilterWords>] })

const SHOW: Grammar<FilterWords> = grammar<FilterWords>({
  name: 'tc filter show', match: 'whole', helpStatus: 0, unknown: (word) => new InputError(` What is "${word}"? Try "tc filter help"`, EXIT_USAGE), rows: ROWS,
})

/** A handle as the filter's kind writes it. */
function handleNumber(text: string | undefined, kind: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const handle = (filterKind(kind ?? '')?.handle ?? parseUnsigned)(text)
  if (handle === undefined) throw new InputError('Illegal "handle"', 1)
  return handle
}

/** What the kernel refuses, tc ends with a sentence of its own. */
function talk<R>(call: () => R): R {
  try {
    return call()
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    throw new InputError(`${describeFailure(error, 'iproute2').lines}\nWe have an error talking to the kernel`, 2)
  }
}

const modify = (flags: Flags) => (context: Context, words: Words): void => {
  const { dev, parent = 0, protocol = ETH_P_ALL, pref, chain, handle, kind } = parse(MODIFY, words, {})
  const kernel = context.write()
  if (dev !== undefined) device(kernel, dev)
  const options = kind === undefined ? undefined : parseFilterOptions(context, kind, words)
  const number = handleNumber(handle, kind)
  talk(() => {
    if (dev === undefined) throw new KernelError(ENODEV)
    if (kind !== undefined && options === undefined && filterKind(kind) !== undefined) throw new KernelError(EINVAL)
    const request = { dev, parent, protocol, kind: kind ?? '', options, ...flags, ...some('pref', pref), ...some('chain', chain), ...some('handle', number) }
    for (const note of newFilter(kernel, request).notes) context.note(`Warning: ${note}`)
  })
}

/** A request without a kind is a fault of its own, found after the place was. */
function newFilter(kernel: Kernel, request: FilterNew): { notes: string[] } {
  try {
    return kernel.request('filter.new', request)
  } catch (error) {
    const noKind = error instanceof KernelError && error.errno === ENOENT && request.kind === ''
    throw noKind && error.extack === 'TC classifier not found' ? new KernelError(EINVAL, 'Filter kind and protocol must be specified') : error
  }
}

function del(context: Context, words: Words): void {
  const { dev, parent = 0, protocol, pref, chain, handle, kind } = parse(MODIFY, words, {})
  const kernel = context.write()
  if (dev !== undefined) device(kernel, dev)
  const number = handleNumber(handle, kind)
  talk(() => {
    if (dev === undefined) throw new KernelError(ENODEV)
    kernel.request('filter.del', {
      dev, parent, ...some('protocol', protocol), ...some('pref', pref), ...some('chain', chain), ...some('handle', number), ...some('kind', kind),
    })
  })
}

/** Without a device there is nothing to list, as in the real tool. */
function show(context: Context, words: Words): void {
  const { dev, parent = 0, protocol, pref, chain } = parse(SHOW, words, {})
  if (dev === undefined) return
  const kernel = context.read()
  device(kernel, dev)
  const found = kernel.request('filter.get', { dev, parent, ...some('protocol', protocol), ...some('pref', pref), ...some('chain', chain) })
  const { out } = context
  out.array(null, () => { for (const filter of found) out.object(null, () => printFilter(context, filter, parent)) })
}

function get(context: Context, words: Words): void {
  const { dev, parent = 0, protocol, pref, chain, handle, kind } = parse(MODIFY, words, {})
  if (dev === undefined) throw new InputError('Must specify netdevice "dev" or block index "block"', EXIT_USAGE)
  if (handle === undefined) throw new InputError('Must specify filter "handle"', EXIT_USAGE)
  const kernel = context.read()
  device(kernel, dev)
  const wanted = { dev, parent, ...some('protocol', protocol), ...some('pref', pref), ...some('chain', chain), ...some('handle', handleNumber(handle, kind)) }
  const found = talk(() => kernel.request('filter.get', wanted)).find((one) => one.hasHandle)
  if (found === undefined) throw new InputError('Error: Filter with specified priority/protocol not found.\nWe have an error talking to the kernel', 2)
  printFilter(context, found, undefined)
}

/** `listedAt`: the place that was asked for, which goes without saying. */
function printFilter(context: Context, filter: Filter, listedAt: number | undefined): void {
  const { out } = context
  out.text('filter ')
  if (listedAt === undefined || listedAt !== filter.parent) printParent(context, filter)
  out.string('protocol', 'protocol %s ', formatProtocol(filter.protocol))
  out.uint('pref', 'pref %u ', filter.pref)
  out.string('kind', '%s ', filter.kind)
  out.uint('chain', 'chain %u ', filter.chain)
  if (filter.hasHandle) {
    const kind = filterKind(filter.kind)
    out.object('options', () => (kind === undefined ? out.hex0('handle', 'handle %#x ', filter.handle) : kind.print(context, filter)))
  }
  out.text('\n')
}

function printParent({ out }: Context, { parent }: Filter): void {
  if (parent === TC_H_ROOT) out.flag('root', 'root ', true)
  else if (parent === TC_H_FILTER_INGRESS) out.flag('ingress', 'ingress ', true)
  else if (parent === TC_H_FILTER_EGRESS) out.flag('egress', 'egress ', true)
  else out.string('parent', 'parent %s ', formatClassid(parent))
}

/** In the order of do_filter; no verb means show. */
export const FILTER_VERBS: readonly Entry[] = [
  { word: 'add', run: modify(FLAGS.add), words: nested(MODIFY) },
  { word: 'change', run: modify(FLAGS.change), words: nested(MODIFY) },
  { word: 'replace', run: modify(FLAGS.create), words: nested(MODIFY) },
  { word: 'delete', run: del, words: nested(MODIFY) },
  { word: 'get', run: get, words: nested(MODIFY) },
  { word: 'show', aliases: ['list', 'lst'], run: show, words: nested(SHOW) },
]

const USAGE = `Usage: tc filter [ add | del | change | replace | show ] [ dev STRING ]
       tc filter get dev STRING parent CLASSID protocol PROTO handle FILTERID pref PRIO FILTER_TYPE
       [ pref PRIO ] protocol PROTO [ chain CHAIN_INDEX ]
       [ root | ingress | egress | parent CLASSID ]
       [ handle FILTERID ] [ [ FILTER_TYPE ] [ help | OPTIONS ] ]

       tc filter show [ dev STRING ] [ root | ingress | egress | parent CLASSID ]
Where:
FILTER_TYPE := { bpf | u32 }
FILTERID := ... format depends on classifier, see there
OPTIONS := ... try tc filter add <desired FILTER_KIND> help
`

export const runFilter = (context: Context, words: Words): number => runVerb('tc filter', FILTER_VERBS, () => USAGE, 0, context, words)
