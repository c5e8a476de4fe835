// `wire send dev DEV { rx | tx } [ cpu N ] [ count N ] [ interval TIME ] [ hold ] PACKET`
import type { Context } from '../../pkg/cli/index.js'
import { grammar, parse, TIME64, type Words } from '../../pkg/grammar/index.js'
import type { PacketFields } from '../../pkg/packet/index.js'
import type { Request } from '../../pkg/request/kernel.js'
import { frameOf, packetRows } from './packet.js'
import { printSummary } from './summary.js'
import { placeOf, placeRows, positive, wrongValue, type PlaceWords } from './words.js'

type SendWords = PlaceWords & { count?: number; interval?: bigint; hold?: true } & PacketFields

export const SEND = grammar<SendWords>({
  name: 'wire send', match: 'whole', helpStatus: 0, wrong: wrongValue, rows: [
    ...placeRows,
    { word: 'count', type: positive('N'), into: 'count', once: true },
    { word: 'interval', type: TIME64, into: 'interval', once: true },
    { word: 'hold', into: 'hold' },
    ...packetRows,
  ],
})

/** Also the words behind `wire trace send`. */
export function sendRequest(context: Context, words: Words): Request<'wire.send'> {
  const { dev, direction, cpu, count = 1, interval = 0n, hold, ...fields } = parse(SEND, words, {})
  const kernel = context.write()
  const { link, ...place } = placeOf(kernel, { ...(dev && { dev }), ...(direction && { direction }), ...(cpu !== undefined && { cpu }) })
  const frame = frameOf(kernel, link, place.direction, fields)
  const frames = Array.from({ length: count }, (_, i) => ({ ...frame, at: i * Number(interval) }))
  return { ...place, frames, ...(hold ? { hold } : {}) }
}

export function runSend(context: Context, words: Words): void {
  const request = sendRequest(context, words)
  printSummary(context.out, context.write().request('wire.send', request))
}
