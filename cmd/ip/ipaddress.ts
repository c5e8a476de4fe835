// `ip address` (ip/ipaddress.c): show, add, del, flush.
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import { runVerb, type Context, type Entry } from '../../pkg/cli/index.js'
import {
  DEVICE, duparg2, EXIT_USAGE, grammar, nested, notSupported, oneOf, parse, PREFIX, string, usage, type Grammar, type Words,
} from '../../pkg/grammar/index.js'
import type { Writer } from '../../pkg/print/index.js'
import type { Address, Link } from '../../pkg/request/rtnl.js'
import { EINVAL } from '../../pkg/uapi/errno.js'
import { AF_INET, AF_INET6, AF_UNSPEC, formatAddress, parseAddress, type Prefix } from '../../pkg/units/index.js'
import { device, shownDevice } from '../lib/devices.js'
import { peerOf } from './iplink.js'
import { printBrief, printLink, printStats, type LinkView } from './link-print.js'

const garbage = (word: string): InputError => duparg2('dev', word)

// --- show ---

type ShowWords = { dev?: string; up?: boolean; kind?: string; scope?: string; label?: string }

const SHOW = grammar<ShowWords>({
  name: 'ip address show', match: 'whole', rows: [
    { word: 'up', into: 'up' },
    { word: 'type', type: string('TYPE'), into: 'kind' },
    { word: 'scope', type: string('SCOPE'), into: 'scope' },
    { word: 'label', type: string('LABEL'), into: 'label' },
    ...['to', 'master', 'nomaster', 'vrf', 'dynamic', 'permanent', 'primary', 'secondary', 'group'].map((word) => ({ word, into: 'dev' as const, unsupported: true as const })),
    { word: 'dev', type: DEVICE, into: 'dev', bare: true, once: 'either' },
  ],
})

function show(context: Context, words: Words): void {
  const filter = parse(SHOW, words, {})
  const kernel = context.read()
  const { out, options } = context
  const listed = filter.dev === undefined ? kernel.request('link.get', {}) : [shownDevice(kernel, filter.dev)]
  const addresses = kernel.request('addr.get', filter.dev === undefined ? {} : { dev: filter.dev }).filter((one) => wanted(one, filter, options.family))
  const shown = listed.filter((link) => (!filter.up || link.flags & 1) && (filter.kind === undefined || link.kind === filter.kind))
  out.array(null, () => {
    for (const link of shown) {
      const own = addresses.filter((one) => one.ifindex === link.ifindex)
      const narrowed = options.family === AF_INET || options.family === AF_INET6 || filter.scope !== undefined || filter.label !== undefined
      if (narrowed && own.length === 0) continue
      const hidden = filter.label !== undefined && filter.label !== link.name
      const view = { isLinkCommand: false, options, peer: peerOf(kernel, link, listed), hidden }
      out.object(null, () => printDevice(out, link, own, view))
    }
  })
}

function wanted(address: Address, filter: ShowWords, family: number): boolean {
  if (family !== AF_UNSPEC && family !== (address.family === 'inet' ? AF_INET : AF_INET6)) return false
  return (filter.scope === undefined || filter.scope === address.scope) && (filter.label === undefined || filter.label === address.label)
}

function printDevice(w: Writer, link: Link, addresses: readonly Address[], view: LinkView & { hidden: boolean }): void {
  const { brief, stats } = view.options
  if (brief) printBrief(w, link, view)
  else if (!view.hidden && (w.isJson || !w.oneline)) {
    printLink(w, link, view)
    w.text('\n')
  }
  w.array('addr_info', () => {
    for (const address of addresses) w.object(null, () => (brief ? printShort(w, address) : printAddress(w, link, address)))
  })
  if (brief) w.text('\n')
  else if (stats > 0) {
    printStats(w, link, view.options)
    w.text('\n')
  }
}

function printShort(w: Writer, address: Address): void {
  w.string('local', '%s', address.local, address.family)
  w.uint('prefixlen', '/%u ', address.prefixlen)
}

const FOREVER = 0xffffffff

function printAddress(w: Writer, link: Link, address: Address): void {
  if (w.oneline) w.text('%u: %s', link.ifindex, link.name)
  w.string('family', '    %s ', address.family)
  w.string('local', '%s', address.local, address.family)
  w.uint('prefixlen', '/%u ', address.prefixlen)
  if (address.broadcast !== undefined) {
    w.text('brd ')
    w.string('broadcast', '%s ', address.broadcast, address.family)
  }
  w.string('scope', 'scope %s ', address.scope)
  if (address.label !== undefined) w.string('label', '%s', address.label)
  w.nl()
  w.shown('valid_life_time', '       valid_lft %s ', FOREVER, 'forever')
  w.shown('preferred_life_time', 'preferred_lft %s', FOREVER, 'forever')
  w.text('\n')
}

// --- add, del ---

type ModifyWords = { dev?: string; local?: Prefix; broadcast?: string; scope?: string; label?: string; lifetime?: string; other?: true }

const MODIFY = grammar<ModifyWords>({
  name: 'ip address { add | change | replace | del }', match: 'whole', unknown: (word) => duparg2('local', word), rows: [
    { word: 'broadcast', aliases: ['brd'], type: string('{ ADDR | + | - }'), into: 'broadcast', once: true },
    { word: 'scope', type: oneOf(['global', 'site', 'link', 'host', 'nowhere'], 'invalid scope value.'), into: 'scope', once: true },
    { word: 'label', type: string('LABEL'), into: 'label' },
    { word: 'valid_lft', type: oneOf(['forever'], 'not supported yet: addresses that expire'), into: 'lifetime' },
    { word: 'preferred_lft', type: oneOf(['forever'], 'not supported yet: addresses that expire'), into: 'lifetime' },
    ...['peer', 'remote', 'anycast', 'metric', 'priority', 'proto', 'home', 'nodad', 'mngtmpaddr', 'noprefixroute', 'autojoin']
      .map((word) => ({ word, into: 'other' as const, unsupported: true as const })),
    { word: 'dev', type: DEVICE, into: 'dev' },
    { word: 'local', type: PREFIX, into: 'local', bare: true, once: 'either' },
  ],
})

type Modify = { readonly dev: string; readonly prefix: Prefix; readonly read: ModifyWords }

function readModify(context: Context, words: Words): Modify {
  const read = parse(MODIFY, words, {})
  const { dev, local } = read
  if (dev === undefined) throw new InputError('Not enough information: "dev" argument is required.', 1)
  if (read.label !== undefined && !read.label.startsWith(dev)) {
    throw new InputError(`"dev" (${dev}) must match "label" (${read.label}).`, 1)
  }
  device(context.write(), dev)
  if (local === undefined) throw new KernelError(EINVAL)
  return { dev, prefix: local, read }
}

const familyName = (prefix: Prefix): 'inet' | 'inet6' => (prefix.family === AF_INET ? 'inet' : 'inet6')

const add = (replace: boolean) => (context: Context, words: Words): void => {
  const { dev, prefix, read } = readModify(context, words)
  const broadcast = broadcastOf(prefix, read.broadcast)
  const inet = prefix.family === AF_INET
  context.write().request('addr.new', {
    dev, family: familyName(prefix), local: formatAddress(prefix.bytes), prefixlen: prefix.bits, scope: read.scope ?? defaultScope(prefix), replace,
    ...(broadcast === undefined ? {} : { broadcast }), ...(inet ? { label: read.label ?? dev } : {}),
  })
}

/** '+': all host bits set; '-': none set. */
function broadcastOf(prefix: Prefix, word: string | undefined): string | undefined {
  if (word === undefined) return undefined
  if (word !== '+' && word !== '-') {
    const address = parseAddress(word, AF_INET)
    if (address === undefined) throw new InputError(`Error: inet address is expected rather than "${word}".`, 1)
    return formatAddress(address.bytes)
  }
  if (prefix.family !== AF_INET) throw new InputError('Broadcast can be set only for IPv4 addresses', 1)
  const bytes = prefix.bytes.map((byte, i) => {
    const host = 0xff >> Math.min(8, Math.max(0, prefix.bits - 8 * i))
    return word === '+' ? byte | host : byte & ~host
  })
  return formatAddress(bytes)
}

function defaultScope({ family, bytes }: Prefix): string {
  if (family === AF_INET) return bytes[0] === 127 ? 'host' : 'global'
  if (bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80) return 'link'
  return bytes.every((byte, i) => byte === (i === 15 ? 1 : 0)) ? 'host' : 'global'
}

function del(context: Context, words: Words): void {
  const { dev, prefix } = readModify(context, words)
  context.write().request('addr.del', { dev, family: familyName(prefix), local: formatAddress(prefix.bytes), prefixlen: prefix.bits })
}

const FLUSH = grammar<{ dev?: string }>({
  name: 'ip address flush', match: 'whole', unknown: garbage, rows: [{ word: 'dev', type: DEVICE, into: 'dev', bare: true, once: 'either' }],
})

function flush(context: Context, words: Words): void {
  const { dev } = parse(FLUSH, words, {})
  if (dev === undefined) throw new InputError('Flush requires arguments.', EXIT_USAGE)
  const kernel = context.write()
  device(kernel, dev)
  const doomed = kernel.request('addr.get', { dev }).filter((one) => wanted(one, {}, context.options.family))
  for (const { family, local, prefixlen } of doomed) kernel.request('addr.del', { dev, family, local, prefixlen })
}

const refuse = (verb: string) => (): never => { throw notSupported(`ip address ${verb}`) }

/** In the order of do_ipaddr; no verb means show. */
export const ADDRESS_VERBS: readonly Entry[] = [
  { word: 'add', run: add(false), words: nested(MODIFY) },
  { word: 'change', aliases: ['chg'], run: add(true), words: nested(MODIFY) },
  { word: 'replace', run: add(true), words: nested(MODIFY) },
  { word: 'delete', run: del, words: nested(MODIFY) },
  { word: 'show', aliases: ['lst', 'list'], run: show, words: nested(SHOW) },
  { word: 'flush', run: flush, words: nested(FLUSH) },
  { word: 'save', run: refuse('save') },
  { word: 'showdump', run: refuse('showdump') },
  { word: 'restore', run: refuse('restore') },
]

const addressUsage = (): string => [MODIFY, FLUSH, SHOW].map((one) => usage(one as Grammar<object>)).join('\n')

export const runAddress = (context: Context, words: Words): number => runVerb('ip address', ADDRESS_VERBS, addressUsage, EXIT_USAGE, context, words)
