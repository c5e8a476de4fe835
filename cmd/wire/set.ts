// `wire set dev DEV [ rate RATE ] [ latency TIME ] [ ring N ] [ xdp_ring N ]`: the link behind a device.
import type { Context } from '../../pkg/cli/index.js'
import { grammar, incomplete, parse, RATE, TIME64, type Words } from '../../pkg/grammar/index.js'
import { device } from '../lib/devices.js'
import { DEV_ROW, needsDev, positive, wrongValue } from './words.js'

type SetWords = { dev?: string; rate?: bigint; latency?: bigint; ring?: number; xdpRing?: number }

export const SET = grammar<SetWords>({
  name: 'wire set', match: 'whole', helpStatus: 0, wrong: wrongValue, rows: [
    DEV_ROW,
    { word: 'rate', type: RATE, into: 'rate', once: true },
    { word: 'latency', type: TIME64, into: 'latency', once: true },
    { word: 'ring', type: positive('N'), into: 'ring', once: true },
    { word: 'xdp_ring', type: positive('N'), into: 'xdpRing', once: true },
  ],
})

export function runSet(context: Context, words: Words): void {
  const { dev, rate, latency, ring, xdpRing } = parse(SET, words, {})
  if (dev === undefined) throw needsDev()
  const kernel = context.write()
  device(kernel, dev)
  if (rate === undefined && latency === undefined && ring === undefined && xdpRing === undefined) throw incomplete()
  kernel.request('wire.set', {
    dev, ...(rate === undefined ? {} : { rate: Number(rate * 8n) }), ...(latency === undefined ? {} : { latency: Number(latency) }),
    ...(ring === undefined ? {} : { ring }), ...(xdpRing === undefined ? {} : { xdpRing }),
  })
}
