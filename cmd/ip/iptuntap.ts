// `ip tuntap` (ip/iptuntap.c): add, del, show; and, of the proposals, steer and filter (TUNSETSTEERINGEBPF, TUNSETFILTEREBPF from the command line).
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import { runVerb, type Context, type Entry } from '../../pkg/cli/index.js'
import {
  DEVICE, duparg2, EXIT_USAGE, explain, grammar, IFNAME, nested, parse, u32, usage, type Type, type Words,
} from '../../pkg/grammar/index.js'
import type { Link } from '../../pkg/request/rtnl.js'
import { ENODEV, strerror } from '../../pkg/uapi/errno.js'
import { parseUnsigned } from '../../pkg/units/index.js'
import { BPF_PROG_TYPE_SOCKET_FILTER, loadBpf, OBJECT_OR_OFF, type BpfWords } from '../lib/bpf.js'
import { device } from '../lib/devices.js'
import { printProg } from '../lib/prog.js'

type Mode = 'tun' | 'tap'
type TunWords = {
  name?: string; mode?: Mode; pi?: boolean; vnetHdr?: boolean; multiQueue?: boolean; oneQueue?: boolean; queues?: number; user?: number; group?: number
}

const MODE: Type<Mode> = {
  name: '{ tun | tap }', choices: ['tun', 'tap'], parse: (text) => (text === 'tun' || text === 'tap' ? text : undefined),
  wrong: (text) => new InputError(`Unknown tunnel mode "${text}"`, EXIT_USAGE),
}

/** A number, or the one name every machine has. */
const owner = (name: string, key: string): Type<number> => ({
  name, parse: (text) => (text === 'root' ? 0 : parseUnsigned(text)), wrong: (text) => new InputError(`invalid ${key} "${text}"`, EXIT_USAGE),
})

const TUN = grammar<TunWords>({
  name: 'ip tuntap { add | del | show }', match: 'prefix', unknown: (word) => duparg2('name', word), rows: [
    { word: 'mode', type: MODE, into: 'mode' },
    { word: 'one_queue', into: 'oneQueue' },
    { word: 'pi', into: 'pi' },
    { word: 'vnet_hdr', into: 'vnetHdr' },
    { word: 'multi_queue', into: 'multiQueue' },
    { word: 'queues', type: u32('QUEUES'), into: 'queues', once: true },
    { word: 'user', type: owner('USER', 'user'), into: 'user' },
    { word: 'group', type: owner('GROUP', 'group'), into: 'group' },
    { word: 'name', aliases: ['dev'], type: IFNAME, into: 'name', bare: true, once: 'either' },
  ],
})

function readTun(words: Words): TunWords & { mode: Mode } {
  const read = parse(TUN, words, {})
  const { mode } = read
  if (mode === undefined) throw new InputError('You failed to specify a tunnel mode', 1)
  return { ...read, mode }
}

/** An ioctl's failure is worded by perror(3). */
function ioctl<R>(name: string, call: () => R): R {
  try {
    return call()
  } catch (error) {
    if (error instanceof KernelError && error.extack === undefined) throw new InputError(`ioctl(${name}): ${strerror(error.errno)}`, 1)
    throw error
  }
}

function add(context: Context, words: Words): void {
  const { name, oneQueue: _, ...read } = readTun(words)
  const kernel = context.write()
  ioctl('TUNSETIFF', () => kernel.request('tun.add', { name: name ?? `${read.mode}%d`, ...read }))
}

function del(context: Context, words: Words): void {
  const { name, mode } = readTun(words)
  if (name === undefined) throw new InputError('You failed to specify a tunnel name', 1)
  const kernel = context.write()
  try {
    ioctl('TUNSETIFF', () => kernel.request('tun.del', { name, mode }))
  } catch (error) {
    if (!(error instanceof InputError && error.message.endsWith(strerror(ENODEV)))) throw error
  }
}

function show(context: Context, words: Words): void {
  parse(TUN, words, {})
  const { out } = context
  out.array(null, () => {
    for (const link of context.read().request('link.get', { kind: 'tun' })) if (link.tun !== undefined) out.object(null, () => printTun(context, link))
  })
}

function printTun({ out: w, options }: Context, link: Link): void {
  const { tun } = link
  if (tun === undefined) return
  w.string('ifname', '%s:', link.name, 'ifname')
  const flags = [tun.mode, tun.pi && 'pi', tun.vnetHdr && 'vnet_hdr', tun.multiQueue && 'multi_queue', tun.persist && 'persist']
  w.array('flags', () => { for (const flag of flags) if (flag) w.string(null, ' %s', flag) })
  if (tun.user !== undefined) w.uint('user', ' user %u', tun.user)
  if (tun.group !== undefined) w.uint('group', ' group %u', tun.group)
  if (options.details > 0) printPrograms(w, tun)
  w.text('\n')
}

function printPrograms(w: Context['out'], tun: NonNullable<Link['tun']>): void {
  for (const [key, it] of [['steering', tun.steering], ['filter', tun.filter]] as const) {
    if (it === undefined) continue
    w.text('\n\t%s ', key)
    w.object(key, () => {
      if ('fallback' in it) w.flag('fallback', 'fallback ', it.fallback)
      printProg(w, it.prog, false)
    })
  }
}

// --- steer, filter ---

type SteerWords = { dev?: string; fallback?: boolean }

const STEER_DEV = grammar<SteerWords>({
  name: 'ip tuntap { steer | filter }', match: 'whole', open: true, rows: [{ word: 'dev', type: DEVICE, into: 'dev', once: true }],
})
const STEER = grammar<SteerWords>({
  name: 'ip tuntap steer', match: 'whole', unknown: (word) => duparg2('dev', word), rows: [{ word: 'fallback', into: 'fallback' }],
})
const FILTER = grammar<SteerWords>({ name: 'ip tuntap filter', match: 'whole', unknown: (word) => duparg2('dev', word), rows: [] })

const STEER_USAGE = `Usage: ip tuntap steer dev DEV BPF [ fallback ]
       ip tuntap filter dev DEV BPF

${explain(OBJECT_OR_OFF)}`

const attach = (verb: 'steer' | 'filter') => (context: Context, words: Words): void => {
  const { dev, source, fallback } = readSteer(verb, words)
  const kernel = context.write()
  if (device(kernel, dev).tun === undefined) throw new InputError(`"${dev}" is no tun or tap device`, 1)
  const progId = source.off ? -1 : loadBpf(context, source, { type: BPF_PROG_TYPE_SOCKET_FILTER, section: 'socket', namespace: 'tun', status: 255 }).id
  ioctl(verb === 'steer' ? 'TUNSETSTEERINGEBPF' : 'TUNSETFILTEREBPF', () => (verb === 'steer'
    ? kernel.request('tun.steer', { dev, progId, ...(fallback ? { fallback } : {}) })
    : kernel.request('tun.filter', { dev, progId })))
}

/** `dev DEV { off | obj FILE … | pinned PATH } [ fallback ]`, the device first. */
function readSteer(verb: 'steer' | 'filter', words: Words): { dev: string; source: BpfWords; fallback: boolean } {
  const { dev = words.take() } = parse(STEER_DEV, words, {})
  const source = parse(OBJECT_OR_OFF, words, {})
  const { fallback = false } = parse(verb === 'steer' ? STEER : FILTER, words, {})
  return { dev, source, fallback }
}

/** In the order of do_iptuntap; no verb means show. */
export const TUN_VERBS: readonly Entry[] = [
  { word: 'add', run: add, words: nested(TUN) },
  { word: 'delete', run: del, words: nested(TUN) },
  { word: 'show', aliases: ['list', 'lst'], run: show, words: nested(TUN) },
  { word: 'steer', run: attach('steer'), words: nested(STEER_DEV) },
  { word: 'filter', run: attach('filter'), words: nested(STEER_DEV) },
]

const tunUsage = (): string => usage(TUN) + STEER_USAGE

export function runTuntap(context: Context, words: Words): number {
  if (!words.more) return show(context, words) ?? 0
  return runVerb('ip tuntap', TUN_VERBS, tunUsage, EXIT_USAGE, context, words)
}
