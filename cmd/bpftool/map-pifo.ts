// What bpftool says of PIFO maps beyond other maps: a rank to push with, the head without taking it, counters.
import { InputError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import { Words } from '../../pkg/grammar/index.js'
import type { MapInfo } from '../../pkg/request/bpf.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { ENOENT } from '../../pkg/uapi/errno.js'
import { RFC_MAP_TYPE } from '../../pkg/uapi/rfc.js'
import { attempt, exitOf, FAILED } from './failure.js'
import { unsigned } from './handle.js'
import { readElem } from './map-data.js'

export const isPifo = ({ type }: MapInfo): boolean => type === RFC_MAP_TYPE.PIFO_GENERIC || type === RFC_MAP_TYPE.PIFO_XDP

const number = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)

/** `enqueue MAP value VALUE [prio N]` */
export function pushRanked(context: Context, kernel: Kernel, info: MapInfo, words: Words): void {
  const rest = [...words.rest()]
  const at = rest.indexOf('prio')
  const prio = at < 0 ? 0 : unsigned(rest[at + 1] ?? '')
  if (prio === undefined || at >= 0 && rest.length < at + 2) throw new InputError(`can't parse ${rest[at + 1] ?? ''} as prio`, FAILED)
  if (at >= 0) rest.splice(at, 2)
  const { value = new Uint8Array() } = readElem(context, kernel, { ...info, keySize: 0 }, new Words(rest), { key: false, value: true, flags: false })
  attempt('update failed', () => kernel.request('map.update', { mapId: info.id, key: new Uint8Array(), value, flags: prio }), 'errno')
}

/** The first rank that something has, and how many have it. */
export function peekRank({ out }: Context, kernel: Kernel, info: MapInfo): number {
  const key = attempt('peek failed', () => kernel.request('map.next_key', { mapId: info.id }), 'errno')
  if (key === undefined) {
    out.null(null, 'Error: empty map\n')
    return exitOf(ENOENT)
  }
  const queued = number(kernel.request('map.lookup', { mapId: info.id, key }).slice(0, 4))
  out.object(null, () => {
    out.uint('rank', 'rank %u', number(key))
    out.uint('queued', '  queued %u\n', queued)
  })
  return 0
}

/** With -d: a line of what came and went. */
export function counterLine(kernel: Kernel, info: MapInfo): string {
  const counters = kernel.request('map.counters', { mapId: info.id })
  return counters.length === 0 ? '' : `\n\t${counters.map(([name, value]) => `${name} ${value}`).join('  ')}`
}
