// struct skb_shared_info behind a frame's buffer: segmentation marks and the hardware's time stamp (include/linux/skbuff.h). Nothing here
// makes frames to be segmented; a test run may say that its frame is one. Buffers that nobody marked have zeros there.
import { SKB } from './layout.js'
import type { Skbs } from './skb.js'

export const SHINFO = { gso_size: 4, gso_segs: 6, hwtstamps: 16, size: 24 } as const

/** skb_shinfo */
export function sharedInfo(skbs: Skbs, skb: number): number {
  return skbs.head(skb) + skbs.get32(skb, SKB.end)
}

/** skb_is_gso */
export function isGso(skbs: Skbs, skb: number): boolean {
  return skbs.u16[(sharedInfo(skbs, skb) + SHINFO.gso_size) >> 1] !== 0
}

export function gsoSegs(skbs: Skbs, skb: number): number {
  return skbs.u16[(sharedInfo(skbs, skb) + SHINFO.gso_segs) >> 1]!
}

export function setGso(skbs: Skbs, skb: number, segs: number, size: number): void {
  const at = sharedInfo(skbs, skb)
  skbs.u16[(at + SHINFO.gso_segs) >> 1] = segs
  skbs.u16[(at + SHINFO.gso_size) >> 1] = size
}

/** Leaves a buffer as the next frame wants it. */
export function clearSharedInfo(skbs: Skbs, skb: number): void {
  const at = sharedInfo(skbs, skb)
  skbs.u8.fill(0, at, at + SHINFO.size)
}
