// `bpftool net` (net.c, netlink_dumper.c). The groups xdp, tc and flow_dissector are upstream's; xps, and qdiscs made of programs in group tc,
// are the proposals' (hidden while there is nothing to show, so that output stays what scripts know).
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import { runBpftoolVerb, type Context, type Entry } from '../../pkg/cli/index.js'
import { isPrefix, type Words } from '../../pkg/grammar/index.js'
import type { BpfFilterOptions, Filter, Link, LinkXdp, Qdisc, QdiscDump } from '../../pkg/request/rtnl.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { EINVAL, EOPNOTSUPP, strerror } from '../../pkg/uapi/errno.js'
import { exitOf, FAILED, invalid, needs } from './failure.js'
import { prog } from './handle.js'
import { NET_HELP, usage } from './usage.js'
import { PROG_TYPE } from '../../pkg/uapi/bpf.js'

type Row = { readonly devname: string; readonly ifindex: number } & Readonly<Record<string, string | number>>

const MODES = { drv: 'driver', skb: 'generic' } as const
const TC_H_INGRESS = 0xfffffff1
const TC_H_ROOT = 0xffffffff
const CLSACT = [[0xfffffff2, 'clsact/ingress'], [0xfffffff3, 'clsact/egress']] as const

function show(context: Context, words: Words): void {
  const name = deviceWords(words)
  const kernel = context.read()
  const links = name === undefined ? kernel.request('link.get', {}) : [device(kernel, name, FAILED)]
  const { out } = context
  out.array(null, () => out.object(null, () => {
    group(context, 'xdp', links.flatMap(xdpRows), xdpText)
    group(context, 'tc', links.flatMap((link) => tcRows(kernel, link)), tcText)
    const steering = links.flatMap(xpsRows)
    if (steering.length > 0) group(context, 'xps', steering, (row) => `id ${row['id']}`)
    group(context, 'flow_dissector', [], () => '')
  }))
}

function deviceWords(words: Words): string | undefined {
  if (!words.more) return undefined
  if (words.left !== 2 || words.take() !== 'dev') throw new InputError(usage(NET_HELP).trimEnd(), FAILED)
  return words.take()
}

function device(kernel: Kernel, dev: string, status: number): Link {
  try {
    const link = kernel.request('link.get', { dev })[0]
    if (link !== undefined) return link
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
  }
  throw new InputError(`invalid devname ${dev}`, status)
}

/** The same rows as JSON objects and as lines `DEV(INDEX) TEXT`. */
function group({ out }: Context, name: string, rows: readonly Row[], text: (row: Row) => string): void {
  out.tree(name, rows)
  out.text('%s', `${name}:\n${rows.map((row) => `${row.devname}(${row.ifindex}) ${text(row)}\n`).join('')}\n`)
}

const place = (link: Link): { devname: string; ifindex: number } => ({ devname: link.name, ifindex: link.ifindex })

/** Programs of the driver's hooks: XDP by its mode, the proposals' by their names. */
function xdpRows(link: Link): Row[] {
  const { xdp, physDev, xdpDequeue } = link
  const rows: Row[] = (xdp?.progs ?? []).map(({ mode, prog: { id } }) => (
    { ...place(link), mode: `${xdp?.mode === 'multi' ? 'multi_' : ''}${MODES[mode]}`, id }))
  if (xdpDequeue) rows.push({ ...place(link), mode: 'dequeue', id: xdpDequeue.prog.id })
  if (physDev) rows.push({ ...place(link), mode: 'phys_dev', id: physDev.prog.id })
  return rows
}

const xdpText = (row: Row): string => `${row['mode']} id ${row['id']}`

function xpsRows(link: Link): Row[] {
  const rows: Row[] = []
  if (link.xps) rows.push({ ...place(link), id: link.xps.prog.id })
  return rows
}

function tcRows(kernel: Kernel, link: Link): Row[] {
  const qdiscs = kernel.request('qdisc.get', { dev: link.name })
  return [
    ...qdiscs.flatMap((qdisc) => queueRows(link, qdisc)),
    ...qdiscs.flatMap((qdisc) => hooks(qdisc).flatMap(([parent, kind]) => filterRows(kernel, link, parent, kind))),
  ]
}

/** Where a qdisc's filters hang, and what bpftool calls that place. */
function hooks(qdisc: Qdisc): readonly (readonly [number, string])[] {
  if (qdisc.kind === 'clsact') return CLSACT
  if (qdisc.kind === 'ingress') return [[TC_H_INGRESS, 'ingress']]
  return qdisc.handle === 0 ? [] : [[qdisc.handle, qdisc.kind]]
}

function filterRows(kernel: Kernel, link: Link, parent: number, kind: string): Row[] {
  return filters(kernel, link.name, parent).flatMap((filter): Row[] => {
    const options = filter.options as Partial<BpfFilterOptions> & { prog?: { id: number } } | undefined
    const id = options?.prog?.id ?? options?.progId
    if (filter.kind !== 'bpf' || id === undefined) return []
    return [{ ...place(link), kind, ...(options?.name ? { name: options.name } : {}), id }]
  })
}

/** A qdisc without classes has no filters. */
function filters(kernel: Kernel, dev: string, parent: number): Filter[] {
  try {
    return kernel.request('filter.get', { dev, parent })
  } catch (error) {
    if (error instanceof KernelError && (error.errno === EOPNOTSUPP || error.errno === EINVAL)) return []
    throw error
  }
}

const ROLES = ['enqueue', 'dequeue', 'reset', 'init'] as const

function queueRows(link: Link, qdisc: Qdisc): Row[] {
  if (qdisc.kind !== 'bpf') return []
  const options = qdisc.options as QdiscDump['bpf'] | undefined
  const roles = ROLES.flatMap((role) => (options?.[role] === undefined ? [] : [[`${role}_id`, options[role].id] as const]))
  const handle = `${(qdisc.handle >>> 16).toString(16)}:`
  const parent = qdisc.parent >>> 0 === TC_H_ROOT ? { parent: 'root' } : {}
  return [{ ...place(link), kind: 'bpf', qdisc: handle, ...parent, ...Object.fromEntries(roles) }]
}

function tcText(row: Row): string {
  if (row['qdisc'] === undefined) return `${row['kind']} ${row['name'] === undefined ? '' : `${row['name']} `}id ${row['id']}`
  const roles = ROLES.flatMap((role) => (row[`${role}_id`] === undefined ? [] : [`${role} id ${row[`${role}_id`]}`]))
  return `bpf qdisc ${row['qdisc']} ${roles.join(' ')}`
}

// --- attach, detach ---

const ATTACH = { xdp: undefined, xdpgeneric: 'skb', xdpdrv: 'drv', xdpoffload: 'hw', xdpdequeue: 'dequeue' } as const
type AttachWord = keyof typeof ATTACH

function attachWord(typed: string): AttachWord {
  const word = (Object.keys(ATTACH) as AttachWord[]).find((one) => isPrefix(typed, one))
  if (word === undefined) throw invalid(`invalid net attach/detach type: ${typed}`)
  return word
}

function devWord(kernel: Kernel, words: Words): Link {
  const word = words.take()
  if (!isPrefix(word, 'dev')) throw invalid(`expected 'dev', got: '${word}'?`)
  if (!words.more) throw invalid("'dev' needs at least 1 arguments, 0 found")
  return device(kernel, words.take(), exitOf(EINVAL))
}

function attach(context: Context, words: Words): void {
  needs(words, 5, exitOf(EINVAL))
  const kernel = context.write()
  const word = attachWord(words.take())
  const info = program(context, kernel, words)
  const link = devWord(kernel, words)
  const overwrite = words.more ? words.take() : undefined
  if (overwrite !== undefined && !isPrefix(overwrite, 'overwrite')) throw invalid(`expected 'overwrite', got: '${overwrite}'?`)
  if (word === 'xdpdequeue') return setXdp(context, kernel, link.name, word, 'attach', { progId: info.id, expectedProgId: overwrite === undefined ? -1 : dequeueOf(link) })
  if (info.type !== PROG_TYPE.XDP) throw refused(context, word, 'attach', new KernelError(EINVAL))
  setXdp(context, kernel, link.name, word, 'attach', { progId: info.id, noReplace: overwrite === undefined })
}

/** Handles fail with -EINVAL here. */
function program(context: Context, kernel: Kernel, words: Words): ReturnType<typeof prog> {
  try {
    return prog(context, kernel, words)
  } catch (error) {
    throw error instanceof InputError ? invalid(error.message) : error
  }
}

function detach(context: Context, words: Words): void {
  needs(words, 3, exitOf(EINVAL))
  const kernel = context.write()
  const word = attachWord(words.take())
  const link = devWord(kernel, words)
  setXdp(context, kernel, link.name, word, 'detach', { progId: -1, ...(word === 'xdpdequeue' ? { expectedProgId: dequeueOf(link) } : {}) })
}

/** The dequeue program that is attached; -1: none. */
const dequeueOf = (link: Link): number => link.xdpDequeue?.prog.id ?? -1

function setXdp(context: Context, kernel: Kernel, dev: string, word: AttachWord, verb: string, xdp: LinkXdp): void {
  const mode = ATTACH[word]
  try {
    kernel.request('link.set', { dev, xdp: { ...xdp, ...(mode === undefined ? {} : { mode }) } })
  } catch (error) {
    if (error instanceof KernelError) throw refused(context, word, verb, error)
    throw error
  }
}

function refused(context: Context, word: string, verb: string, error: KernelError): InputError {
  if (error.extack !== undefined) context.note(`libbpf: Kernel error message: ${error.extack}`)
  return new InputError(`interface ${word} ${verb} failed: ${strerror(error.errno)}`, exitOf(error.errno))
}

export const NET_VERBS: readonly Entry[] = [
  { word: 'show', run: show },
  { word: 'list', run: show },
  { word: 'attach', run: attach },
  { word: 'detach', run: detach },
  { word: 'help', run: () => { throw new InputError(usage(NET_HELP).trimEnd(), 0) } },
]

export const runNet = (context: Context, words: Words): number => runBpftoolVerb(NET_VERBS, usage(NET_HELP), context, words)
