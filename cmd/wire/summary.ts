// The closing line of send, replay and run: where the frames are or went.
import type { Writer } from '../../pkg/print/index.js'
import type { WireSummary } from '../../pkg/request/wire.js'
import { seconds } from './words.js'

/** One line, always of this shape; a JSON object. */
export function printSummary(w: Writer, summary: WireSummary): void {
  w.object(null, () => {
    printCounts(w, summary)
    w.shown('now', ' time %s\n', summary.now, seconds(summary.now))
  })
}

/** The members of the line, for who has more to say beside them. */
export function printCounts(w: Writer, summary: WireSummary): void {
  const reasons = Object.entries(summary.dropped).filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1))
  w.uint('frames', 'frames %u', summary.frames)
  w.uint('bytes', ' bytes %u:', summary.bytes)
  w.uint('delivered', ' delivered %u', summary.delivered)
  w.uint('transmitted', ' transmitted %u', summary.transmitted)
  w.uint('queued', ' queued %u', summary.queued)
  w.uint('dropped', ' dropped %u', reasons.reduce((sum, [, count]) => sum + count, 0))
  if (reasons.length > 0) w.text(' (%s)', reasons.map(([reason, count]) => `${reason} ${count}`).join(', '))
  w.tree('reasons', Object.fromEntries(reasons))
}
