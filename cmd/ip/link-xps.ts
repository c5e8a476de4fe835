// `xps` of ip link: the transmit queue chooser of the XPS RFC (M. Cover, 2019). `off` and `none` only as the last word, as posted.
import type { Context } from '../../pkg/cli/index.js'
import type { Writer } from '../../pkg/print/index.js'
import type { Link } from '../../pkg/request/rtnl.js'
import { BPF_PROG_TYPE_SOCKET_FILTER, loadBpf, type BpfWords } from '../lib/bpf.js'
import { printProg } from '../lib/prog.js'

export function xpsRequest(context: Context, source: BpfWords): { progId: number } {
  if (source.off) return { progId: -1 }
  return { progId: loadBpf(context, source, { type: BPF_PROG_TYPE_SOCKET_FILTER, section: 'prog', namespace: 'xps', status: 255 }).id }
}

/** `xps/id:7 ` on the device's first line; JSON: the program. */
export function printXpsWord(w: Writer, link: Link, details: boolean): void {
  const { xps } = link
  if (xps === undefined) return
  w.text('xps/id:%u ', xps.prog.id)
  if (w.isJson) w.object('xps', () => printProg(w, xps.prog, details))
}

/** With -d the program's line. */
export function printXpsLine(w: Writer, link: Link, details: boolean): void {
  if (link.xps === undefined || w.isJson || !details) return
  w.nl()
  w.text('    prog/xps ')
  printProg(w, link.xps.prog, details)
}

/** With -s -s what the program decided, and what each queue got. */
export function printXpsStats(w: Writer, link: Link): void {
  const { xps } = link
  if (xps !== undefined) {
    w.nl()
    w.object('xps_stats', () => {
      w.uint('run', '    xps: run %u', xps.stats.runs)
      w.uint('pick', ' pick %u', xps.stats.chosen)
      w.uint('decline', ' decline %u', xps.stats.declined)
      if (xps.stats.clamped > 0) w.uint('clamp', ' clamp %u', xps.stats.clamped)
    })
  }
  if (link.realNumTxQueues < 2) return
  w.nl()
  w.text('   ')
  w.array('tx_queues', () => {
    for (const [n, queue] of link.txQueues.slice(0, link.realNumTxQueues).entries()) {
      w.object(null, () => {
        w.text(' tx-q%u:', n)
        w.uint('packets', ' %u', queue.packets)
        w.uint('bytes', '', queue.bytes)
      })
    }
  })
}
