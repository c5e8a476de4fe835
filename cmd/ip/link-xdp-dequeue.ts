// `xdpdequeue` of ip link: the program of the XDP queueing RFC (July 2022) that gives a device frames to transmit, in the words that xdp has.
// The proposal's flags say which program must be there before; -force takes whatever is.
import type { Context } from '../../pkg/cli/index.js'
import type { ObjectSpec } from '../../pkg/object/index.js'
import type { Writer } from '../../pkg/print/index.js'
import type { Link, LinkXdp } from '../../pkg/request/rtnl.js'
import { RFC_PROG_TYPE } from '../../pkg/uapi/rfc.js'
import { loadBpf, type BpfWords } from '../lib/bpf.js'
import { printProg } from '../lib/prog.js'

const SECTION = 'dequeue'

export function dequeueRequest(context: Context, link: Link, source: BpfWords): LinkXdp {
  const progId = source.off ? -1 : loadBpf(context, source, { type: RFC_PROG_TYPE.DEQUEUE, section: onlySection, namespace: 'xdp', status: 255 }).id
  const current = link.xdpDequeue?.prog.id ?? -1
  return { mode: 'dequeue', progId, expectedProgId: source.off || context.options.force ? current : -1 }
}

/** The posted name, or another one when it is the only one of a dequeue program. */
function onlySection(object: ObjectSpec): string {
  const names = new Set(object.progs.filter(({ type }) => type === RFC_PROG_TYPE.DEQUEUE).map(({ section }) => section))
  return names.size === 1 ? [...names][0]! : SECTION
}

/** `xdpdequeue/id:7 ` behind the xdp word; JSON: the program. */
export function printDequeueWord(w: Writer, { xdpDequeue }: Link, details: boolean): void {
  if (xdpDequeue === undefined) return
  w.text('xdpdequeue/id:%u ', xdpDequeue.prog.id)
  if (w.isJson) w.object('xdp_dequeue', () => printProg(w, xdpDequeue.prog, details))
}

/** With -d the program's line. */
export function printDequeueLine(w: Writer, { xdpDequeue }: Link, details: boolean): void {
  if (xdpDequeue === undefined || w.isJson || !details) return
  w.nl()
  w.text('    prog/xdpdequeue ')
  printProg(w, xdpDequeue.prog, details)
}

/** With -s -s its turns and what became of the frames. */
export function printDequeueStats(w: Writer, { xdpDequeue }: Link): void {
  if (xdpDequeue === undefined) return
  const { scheduled, turns, runs, transmitted, kept, dropped, reschedQuota, reschedBusy } = xdpDequeue.stats
  w.nl()
  w.object('xdp_dequeue_stats', () => {
    w.uint('sched', '    xdpdequeue: sched %u', scheduled)
    w.uint('turn', ' turn %u', turns)
    w.uint('run', ' run %u', runs)
    w.uint('tx', ' tx %u', transmitted)
    w.uint('kept', ' kept %u', kept)
    w.uint('drop', ' drop %u', dropped)
    w.uint('resched_quota', ' resched quota %u', reschedQuota)
    w.uint('resched_busy', ' busy %u', reschedBusy)
  })
}
