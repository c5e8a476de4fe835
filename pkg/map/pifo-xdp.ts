// pifo_xdp: frames that an XDP program redirected, waiting in the order of their ranks (RFC of July 2022, kernel/bpf/pifomap.c). The map links the
// frames themselves; between processes the host keeps them.
import { EINVAL } from '../uapi/errno.js'
import { RFC_MAP_TYPE } from '../uapi/rfc.js'
import { refuse, type NewMap } from './check.js'
import { MAP, writeHeader } from './header.js'
import { bucketBytes } from './pifo-buckets.js'
import { BUCKETS, checkPifo, PifoMap } from './pifo-map.js'
import type { FrameQueue, MapKind } from './types.js'

export class PifoXdp extends PifoMap implements FrameQueue {
  readonly frames = this
  rankLow = 0
  rankHigh = 0

  /** Frames of the map that have gone with the process that had them: the host puts in those it kept. */
  adopt(): void {
    this.buckets.empty()
    this.setWord(MAP.count, 0)
    this.host.frames?.adopt(this.attr.id, this)
  }

  enqueue(frame: number, rankLow: number, rankHigh: number): number {
    const place = this.placeOf(rankLow, rankHigh)
    if (place < 0) return place
    this.insert(place, frame)
    return 0
  }

  dequeue(): number {
    const bucket = this.first()
    if (bucket < 0) return 0
    this.rankLow = this.buckets.rankLow(bucket)
    this.rankHigh = this.buckets.rankHigh(bucket)
    return this.take(bucket)
  }

  put(place: number, frame: number): void {
    this.buckets.push(place, frame)
    this.setWord(MAP.count, this.length + 1)
  }

  *waiting(): Generator<readonly [place: number, frame: number]> {
    for (let place = this.buckets.nextPlace(0); place >= 0; place = this.buckets.nextPlace(place + 1)) {
      for (const frame of this.buckets.elements(place)) yield [place, frame]
    }
  }

  override destroy(): void {
    for (const [, frame] of [...this.waiting()]) this.host.frames?.free(frame, 'PIFO_MAP_FREED')
    this.buckets.empty()
    this.setWord(MAP.count, 0)
    this.host.frames?.release(this.attr.id)
  }
}

function check(attr: NewMap): void {
  checkPifo(attr)
  refuse(attr.valueSize !== 4, EINVAL)
}

export const pifoXdp: MapKind = {
  type: RFC_MAP_TYPE.PIFO_XDP,
  name: 'pifo_xdp',
  check,
  bytes: (attr) => BUCKETS + bucketBytes(attr.mapExtra),
  create(attr, region, host) {
    writeHeader(host.mem, region.addr, attr)
    const map = new PifoXdp(attr, region, host)
    map.adopt()
    return map
  },
  open(attr, region, host) {
    const map = new PifoXdp(attr, region, host)
    map.adopt()
    return map
  },
}

