// `xdp`, `xdpgeneric`, `xdpdrv`, `xdpoffload` of ip link (ip/iplink_xdp.c).
import type { Context } from '../../pkg/cli/index.js'
import type { Writer } from '../../pkg/print/index.js'
import type { Link, LinkXdp } from '../../pkg/request/rtnl.js'
import { BPF_PROG_TYPE_XDP, loadBpf, type BpfWords } from '../lib/bpf.js'
import { printProg } from '../lib/prog.js'

export const XDP_MODES = { xdp: undefined, xdpgeneric: 'skb', xdpdrv: 'drv', xdpoffload: 'hw' } as const
export type XdpWord = keyof typeof XDP_MODES

/** What the words ask for; without -force an attached program is not replaced. */
export function xdpRequest(context: Context, word: XdpWord, source: BpfWords): LinkXdp {
  const mode = XDP_MODES[word]
  const progId = source.off ? -1 : loadBpf(context, source, { type: BPF_PROG_TYPE_XDP, section: 'prog', namespace: 'xdp', status: 255 }).id
  return { progId, noReplace: !context.options.force, ...(mode === undefined ? {} : { mode }) }
}

/** The word on the device's first line; `ip addr`, which has no line for the program, adds its id. In JSON everything stands here. */
export function printXdpMode(w: Writer, link: Link, details: boolean, isLinkCommand: boolean): void {
  if (link.xdp === undefined) return
  const [first] = link.xdp.progs
  if (isLinkCommand || first === undefined) w.text('%s ', WORD[link.xdp.mode])
  else w.text('%s/id:%u ', WORD[link.xdp.mode], first.prog.id)
  w.object('xdp', () => printAttached(w, link, details))
}

const WORD = { drv: 'xdp', skb: 'xdpgeneric', hw: 'xdpoffload', multi: 'xdpmulti' } as const
/** One program is just `xdp`, whichever way it runs. */
const WORD_OF_MANY = { drv: 'xdpdrv', skb: 'xdpgeneric' } as const
/** enum of XDP_ATTACHED_*. */
const NUMBER = { drv: 1, skb: 2, hw: 3, multi: 4 } as const

function printAttached(w: Writer, link: Link, details: boolean): void {
  const { xdp } = link
  if (xdp === undefined || !w.isJson) return
  w.uint('mode', '', NUMBER[xdp.mode])
  if (xdp.progs.length === 1) printProg(w, xdp.progs[0]!.prog, details)
  w.array('attached', () => {
    for (const { mode, prog } of xdp.progs) {
      w.object(null, () => {
        w.uint('mode', '', NUMBER[mode])
        printProg(w, prog, details)
      })
    }
  })
}

/** The lines below the device in plain text. */
export function printXdpLines(w: Writer, link: Link, details: boolean): void {
  if (link.xdp === undefined || w.isJson) return
  for (const { mode, prog } of link.xdp.progs) {
    w.nl()
    w.text('    prog/%s ', link.xdp.mode === 'multi' ? WORD_OF_MANY[mode] : 'xdp')
    printProg(w, prog, details)
  }
}
