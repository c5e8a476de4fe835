// The link behind a NIC: a rate, a latency and a ring. A frame occupies the link for its length at the rate; ring 1 means that the
// driver takes one frame at a time, so that the others wait in the qdisc as they do with byte queue limits.

export interface WireLink {
  /** bits per second, 0: no limit */
  rate: number
  latency: number
  ring: number
  /** Frames that XDP transmits may have waiting; absent: XDP_RING. */
  xdpRing?: number
}

export const DEFAULT_RATE = 1_000_000_000
/** Frames that XDP transmits may have waiting: they have rings of their own. */
export const XDP_RING = 512

export const newWireLink = (): WireLink => ({ rate: DEFAULT_RATE, latency: 0, ring: 1 })

/** ns that `bytes` take at the rate. */
export const wireTime = (link: WireLink, bytes: number): number =>
  link.rate === 0 ? 0 : Math.ceil((bytes * 8_000_000_000) / link.rate)
