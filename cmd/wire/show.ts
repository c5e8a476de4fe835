// `wire show [ dev DEV ]`: the links behind the devices, the frames that wait, and what became of all frames so far.
import type { Context } from '../../pkg/cli/index.js'
import { DEVICE, duparg2, grammar, parse, type Words } from '../../pkg/grammar/index.js'
import type { Writer } from '../../pkg/print/index.js'
import type { WireDevice } from '../../pkg/request/wire.js'
import { formatClassid, formatRate, formatTime64 } from '../../pkg/units/index.js'
import { shownDevice } from '../lib/devices.js'
import { printCounts } from './summary.js'
import { seconds } from './words.js'

type ShowWords = { dev?: string }

export const SHOW = grammar<ShowWords>({
  name: 'wire show', match: 'whole', helpStatus: 0, unknown: (word) => duparg2('dev', word), rows: [
    { word: 'dev', type: DEVICE, into: 'dev', bare: true, once: 'either' },
  ],
})

export function runShow(context: Context, words: Words): void {
  const { dev } = parse(SHOW, words, {})
  const kernel = context.read()
  if (dev !== undefined) shownDevice(kernel, dev)
  const { devices, total } = kernel.request('wire.show', dev === undefined ? {} : { dev })
  const { out: w } = context
  w.object(null, () => {
    w.array('devices', () => { for (const device of devices) w.object(null, () => printDevice(w, device, total.now)) })
    w.text('total: ')
    w.object('total', () => printCounts(w, total))
    w.shown('now', ' time %s\n', total.now, seconds(total.now))
  })
}

function printDevice(w: Writer, it: WireDevice, now: number): void {
  w.string('dev', '%s: ', it.dev)
  w.shown('rate', 'rate %s ', it.rate, it.rate === 0 ? 'unlimited' : formatRate(Math.floor(it.rate / 8)))
  w.shown('latency', 'latency %s ', it.latency, formatTime64(BigInt(it.latency)))
  w.uint('ring', 'ring %u', it.ring)
  if (it.busyUntil > now) w.shown('busy_until', ' busy until %s', it.busyUntil, seconds(it.busyUntil))
  w.uint('in_ring', it.inRing > 0 ? ' in ring %u' : '', it.inRing)
  w.nl()
  w.array('queued', () => { for (const queue of it.queued) w.object(null, () => printQueue(w, queue)) })
}

function printQueue(w: Writer, { qdisc, handle, packets, bytes }: WireDevice['queued'][number]): void {
  w.string('qdisc', '    qdisc %s ', qdisc)
  w.string('handle', '%s ', handle === 0 ? '0:' : formatClassid(handle))
  w.uint('bytes', 'backlog %ub ', bytes)
  w.uint('packets', '%up', packets)
  w.nl()
}
