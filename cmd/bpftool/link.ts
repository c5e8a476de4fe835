// `bpftool link` (link.c). Links of devices are all there are; `link show` names the device, as later versions do.
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import { runBpftoolVerb, type Context, type Entry } from '../../pkg/cli/index.js'
import type { Words } from '../../pkg/grammar/index.js'
import type { LinkInfo } from '../../pkg/request/bpf.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { EINVAL } from '../../pkg/uapi/errno.js'
import { LINK_TYPE } from '../../pkg/uapi/bpf.js'
import { attempt, badArgument, exitOf, needs } from './failure.js'
import { link } from './handle.js'
import { attachTypeName, linkTypeName } from './names.js'
import { pin } from './paths.js'
import { LINK_HELP, usage } from './usage.js'

function show(context: Context, words: Words): void {
  const kernel = context.read()
  const one = words.left === 2 ? link(context, kernel, words) : undefined
  if (words.more) throw badArgument(words.take())
  const list = one === undefined ? kernel.request('bpf_link.list', {}) : [one]
  const records = list.map((info) => record(context, kernel, info))
  if (context.out.isJson) context.out.tree(null, one === undefined ? records : records[0])
  else for (const info of list) context.out.text('%s', plain(context, kernel, info))
}

/** Where it hangs: by name, or by number when the device is gone. */
function place(kernel: Kernel, info: LinkInfo): { devname?: string; ifindex: number } {
  const { ifindex } = info
  if (ifindex === 0) return { devname: '(detached)', ifindex }
  try {
    const device = kernel.request('link.get', { ifindex })[0]
    return device === undefined ? { ifindex } : { devname: device.name, ifindex }
  } catch (error) {
    if (error instanceof KernelError) return { ifindex }
    throw error
  }
}

const showsAttachType = (info: LinkInfo): boolean => info.type === LINK_TYPE.TCX || info.type === LINK_TYPE.NETKIT

function record(context: Context, kernel: Kernel, info: LinkInfo): object {
  return {
    id: info.id, type: linkTypeName(info.type) ?? info.type, prog_id: info.progId,
    ...(info.mapId === undefined ? place(kernel, info) : { map_id: info.mapId }),
    ...(showsAttachType(info) ? { attach_type: attachTypeName(info.attachType) ?? info.attachType } : {}),
    ...(context.options.bpffs && info.pins.length > 0 ? { pinned: info.pins } : {}),
  }
}

function plain(context: Context, kernel: Kernel, info: LinkInfo): string {
  const pins = context.options.bpffs ? info.pins.map((path) => `\n\tpinned ${path}`).join('') : ''
  if (info.mapId !== undefined) return `${info.id}: ${linkTypeName(info.type) ?? info.type}  map ${info.mapId}  ${pins}\n`
  const { devname, ifindex } = place(kernel, info)
  const where = devname === undefined ? `ifindex ${ifindex}` : ifindex === 0 ? `ifindex ${devname}` : `ifindex ${devname}(${ifindex})`
  return `${info.id}: ${linkTypeName(info.type) ?? `type ${info.type}`}  prog ${info.progId}  \n\t${where}  `
    + (showsAttachType(info) ? `attach_type ${attachTypeName(info.attachType) ?? info.attachType}  ` : '')
    + pins + '\n'
}

function pinLink(context: Context, words: Words): void {
  needs(words, 3, exitOf(EINVAL))
  const kernel = context.write()
  const { id } = link(context, kernel, words)
  pin(context, kernel, 'link', id, words.take())
}

const DETACH_FAILED = 1

function detach(context: Context, words: Words): void {
  if (words.left !== 2) throw new InputError('link specifier is invalid or missing\n', DETACH_FAILED)
  const kernel = context.write()
  const { id } = link(context, kernel, words, DETACH_FAILED)
  attempt('failed link detach', () => kernel.request('bpf_link.detach', { linkId: id }), 'errno')
}

export const LINK_VERBS: readonly Entry[] = [
  { word: 'show', run: show },
  { word: 'list', run: show },
  { word: 'help', run: () => { throw new InputError(usage(LINK_HELP).trimEnd(), 0) } },
  { word: 'pin', run: pinLink },
  { word: 'detach', run: detach },
]

export const runLink = (context: Context, words: Words): number => runBpftoolVerb(LINK_VERBS, usage(LINK_HELP), context, words)
