// Counters of qdiscs and classes (tc/tc_util.c print_tcstats2_attr).
import type { Writer } from '../../pkg/print/index.js'
import type { TcStats } from '../../pkg/request/rtnl.js'
import { formatSize } from '../../pkg/units/index.js'

/** Two lines, without the last line break. */
export function printTcStats(w: Writer, stats: TcStats): void {
  w.text(' ')
  w.uint('bytes', 'Sent %u bytes', stats.bytes)
  w.uint('packets', ' %u pkt', stats.packets)
  w.uint('drops', ' (dropped %u', stats.drops)
  w.uint('overlimits', ', overlimits %u', stats.overlimits)
  w.uint('requeues', ' requeues %u) ', stats.requeues)
  w.nl()
  w.shown('backlog', ' backlog %s', stats.backlog, formatSize(stats.backlog))
  w.uint('qlen', ' %up', stats.qlen)
  w.text(' requeues %u', stats.requeues)
}
