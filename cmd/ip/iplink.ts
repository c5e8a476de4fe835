// `ip link` (ip/iplink.c): show, add, set, delete.
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import { runVerb, type Context, type Entry } from '../../pkg/cli/index.js'
import {
  DEVICE, duparg2, EXIT_USAGE, grammar, IFNAME, LLADDR, nested, notSupported, ON_OFF, parse, string, u32, usage, whatIs, type Grammar, type Words,
} from '../../pkg/grammar/index.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import type { Link, LinkNew, LinkSet } from '../../pkg/request/rtnl.js'
import { EOPNOTSUPP } from '../../pkg/uapi/errno.js'
import { formatLladdr } from '../../pkg/units/index.js'
import { OBJECT_OR_OFF, type BpfWords } from '../lib/bpf.js'
import { device, shownDevice } from '../lib/devices.js'
import { linkKind } from './kinds.js'
import { printBrief, printLink } from './link-print.js'
import type { VethWords } from './link-veth.js'
import { ALIAS, GROUP, newLinkRequest, newLinkRows, type NewLinkWords } from './link-words.js'
import { physDevRequest } from './link-phys-dev.js'
import { dequeueRequest } from './link-xdp-dequeue.js'
import { xdpRequest, type XdpWord } from './link-xdp.js'
import { xpsRequest } from './link-xps.js'

const garbage = (word: string): InputError => duparg2('dev', word)
const needsDev = (): InputError => new InputError('Not enough information: "dev" argument is required.', EXIT_USAGE)

// --- show ---

type ShowWords = { dev?: string; up?: boolean; kind?: string; group?: number }

const SHOW = grammar<ShowWords>({
  name: 'ip link show', match: 'whole', rows: [
    { word: 'up', into: 'up' },
    { word: 'type', type: string('TYPE'), into: 'kind' },
    { word: 'group', type: GROUP, into: 'group' },
    { word: 'master', into: 'dev', unsupported: true },
    { word: 'vrf', into: 'dev', unsupported: true },
    { word: 'nomaster', into: 'dev', unsupported: true },
    { word: 'dev', type: DEVICE, into: 'dev', bare: true, once: 'either' },
  ],
})

function show(context: Context, words: Words): void {
  const { dev, up, kind, group } = parse(SHOW, words, {})
  const kernel = context.read()
  const listed = dev === undefined ? kernel.request('link.get', { ...(kind === undefined ? {} : { kind }) }) : [shownDevice(kernel, dev)]
  const shown = listed.filter((link) => (!up || link.flags & 1) && (kind === undefined || link.kind === kind) && (group === undefined || link.group === group))
  const { out, options } = context
  out.array(null, () => {
    for (const link of shown) {
      const view = { isLinkCommand: true, options, peer: peerOf(kernel, link, listed) }
      out.object(null, () => (options.brief ? printBrief(out, link, view) : printLink(out, link, view)))
      if (!options.brief) out.text('\n')
    }
  })
}

/** The device at a veth's other end, from the listing when it is there. */
export function peerOf(kernel: Kernel, link: Link, known: readonly Link[]): Link | undefined {
  const { peerIfindex } = link
  if (peerIfindex === undefined || peerIfindex === 0) return undefined
  return known.find((one) => one.ifindex === peerIfindex) ?? kernel.request('link.get', { ifindex: peerIfindex })[0]
}

// --- add ---

type AddWords = NewLinkWords & { kind?: string; options?: VethWords }

const ADD = grammar<AddWords>({
  name: 'ip link add', match: 'whole', unknown: garbage, rows: [
    { word: 'type', type: string('TYPE'), into: 'kind', sub: (kind: string) => linkKind(kind)?.options, subInto: 'options', last: true },
    ...newLinkRows as Grammar<AddWords>['rows'],
  ],
  where: '\nTYPE := { dummy | ifb | veth }\n',
})

function add(context: Context, words: Words): void {
  const read = parse(ADD, words, {})
  if (read.kind === undefined) throw new InputError('Not enough information: "type" argument is required', 1)
  if (words.more) throw whatIs(words.take())
  const peer = read.options?.peer
  const request: LinkNew = { kind: read.kind, ...newLinkRequest(read), ...(peer === undefined ? {} : { peer: newLinkRequest(peer) }) }
  try {
    context.write().request('link.new', request)
  } catch (error) {
    if (error instanceof KernelError && error.errno === EOPNOTSUPP && error.extack === undefined) throw new KernelError(EOPNOTSUPP, 'Unknown device type')
    throw error
  }
}

// --- set ---

type SetWords = Omit<LinkSet, 'dev' | 'address' | 'broadcast' | 'xdp' | 'xps' | 'physDev'> & {
  dev?: string; address?: Uint8Array; broadcast?: Uint8Array; xps?: BpfWords; physDev?: BpfWords; xdpdequeue?: BpfWords; unsupported?: true
} & { [W in XdpWord]?: BpfWords }

const bpf = { sub: nested(OBJECT_OR_OFF), once: true } as const

const SET: Grammar<SetWords> = grammar<SetWords>({
  name: 'ip link set', match: 'whole', unknown: garbage, rows: [
    { word: 'up', into: 'up' },
    { word: 'down', into: 'up', value: false },
    { word: 'name', type: IFNAME, into: 'name', once: true },
    { word: 'address', type: LLADDR, into: 'address' },
    { word: 'broadcast', aliases: ['brd'], type: LLADDR, into: 'broadcast' },
    { word: 'txqueuelen', aliases: ['qlen', 'txqlen'], type: u32('PACKETS'), into: 'txqlen', once: true },
    { word: 'mtu', type: u32('MTU'), into: 'mtu', once: true },
    { word: 'xdp', into: 'xdp', ...bpf },
    { word: 'xdpgeneric', into: 'xdpgeneric', ...bpf },
    { word: 'xdpdrv', into: 'xdpdrv', ...bpf },
    { word: 'xdpoffload', into: 'xdpoffload', ...bpf },
    { word: 'xdpdequeue', into: 'xdpdequeue', ...bpf },
    { word: 'xps', into: 'xps', ...bpf },
    { word: 'phys_dev', into: 'physDev', ...bpf },
    { word: 'multicast', type: ON_OFF, into: 'multicast' },
    { word: 'allmulticast', type: ON_OFF, into: 'allmulti' },
    { word: 'promisc', type: ON_OFF, into: 'promisc' },
    { word: 'arp', type: ON_OFF, into: 'arp' },
    { word: 'alias', type: ALIAS, into: 'alias' },
    { word: 'group', type: GROUP, into: 'group', once: true },
    ...['netns', 'trailers', 'carrier', 'vf', 'master', 'vrf', 'nomaster', 'dynamic', 'type', 'mode', 'state', 'link-netns', 'link-netnsid',
      'addrgenmode', 'protodown', 'protodown_reason', 'gso_max_size', 'gso_max_segs', 'gro_max_size', 'numtxqueues', 'numrxqueues', 'index', 'altname',
    ].map((word) => ({ word, into: 'unsupported' as const, unsupported: true as const })),
    { word: 'dev', type: DEVICE, into: 'dev', bare: true, once: 'either' },
  ],
})

const XDP_WORDS = ['xdp', 'xdpgeneric', 'xdpdrv', 'xdpoffload'] as const

function set(context: Context, words: Words): void {
  const { dev, address, broadcast, xps, physDev, xdpdequeue, xdp, xdpgeneric, xdpdrv, xdpoffload, ...plain } = parse(SET, words, {})
  if (dev === undefined) throw needsDev()
  const kernel = context.write()
  const link = device(kernel, dev)
  const modes: { [W in XdpWord]?: BpfWords | undefined } = { xdp, xdpgeneric, xdpdrv, xdpoffload }
  const dequeue = xdpdequeue === undefined ? undefined : dequeueRequest(context, link, xdpdequeue)
  const word = XDP_WORDS.find((one) => modes[one] !== undefined)
  if (dequeue !== undefined) kernel.request('link.set', { dev, xdp: dequeue })
  if (word === undefined && xps === undefined && physDev === undefined && address === undefined && broadcast === undefined && Object.keys(plain).length === 0) return
  kernel.request('link.set', {
    dev, ...plain,
    ...(address === undefined ? {} : { address: lladdr(link, address) }),
    ...(broadcast === undefined ? {} : { broadcast: lladdr(link, broadcast) }),
    ...(word === undefined ? {} : { xdp: xdpRequest(context, word, modes[word]!) }),
    ...(xps === undefined ? {} : { xps: xpsRequest(context, xps) }),
    ...(physDev === undefined ? {} : { physDev: physDevRequest(context, physDev) }),
  })
}

function lladdr(link: Link, bytes: Uint8Array): string {
  const length = link.address === '' ? 0 : link.address.split(':').length
  if (bytes.length !== length) throw new InputError(`Invalid address length ${bytes.length} - must be ${length} bytes`, 1)
  return formatLladdr(bytes)
}

// --- delete ---

type DelWords = { dev?: string; kind?: string; group?: number }

const DEL = grammar<DelWords>({
  name: 'ip link delete', match: 'whole', unknown: garbage, rows: [
    { word: 'type', type: string('TYPE'), into: 'kind', last: true },
    { word: 'group', type: GROUP, into: 'group', unsupported: true },
    { word: 'dev', type: DEVICE, into: 'dev', bare: true, once: 'either' },
  ],
})

function del(context: Context, words: Words): void {
  const { dev, kind } = parse(DEL, words, {})
  if (dev === undefined) throw needsDev()
  const kernel = context.write()
  device(kernel, dev)
  kernel.request('link.del', { dev, ...(kind === undefined ? {} : { kind }) })
}

const refuse = (verb: string) => (): never => { throw notSupported(`ip link ${verb}`) }

/** In the order of do_iplink; no verb means show. */
export const LINK_VERBS: readonly Entry[] = [
  { word: 'add', run: add, words: nested(ADD) },
  { word: 'set', aliases: ['change'], run: set, words: nested(SET) },
  { word: 'replace', run: add },
  { word: 'delete', run: del, words: nested(DEL) },
  { word: 'show', aliases: ['lst', 'list'], run: show, words: nested(SHOW) },
  { word: 'xstats', run: refuse('xstats') },
  { word: 'afstats', run: refuse('afstats') },
  { word: 'property', run: refuse('property') },
]

const linkUsage = (): string => [ADD, DEL, SET, SHOW].map((one) => usage(one as Grammar<object>)).join('\n')

export const runLink = (context: Context, words: Words): number => runVerb('ip link', LINK_VERBS, linkUsage, EXIT_USAGE, context, words)
