// The user's side of contexts in test runs: struct xdp_md and struct __sk_buff as bytes. net/bpf/test_run.c: xdp_convert_md_to_buff,
// convert___skb_to_skb, v6.18.
import { KernelError } from '../bytes/errors.js'
import { QDISC_CB, SKB } from '../skb/layout.js'
import { gsoSegs, setGso, sharedInfo, SHINFO } from '../skb/skb-gso.js'
import type { Skbs } from '../skb/skb.js'
import { EINVAL } from '../uapi/errno.js'

export interface XdpMdIn {
  /** Bytes of metadata before the frame. */
  readonly data: number
  readonly ingressIfindex: number
  readonly rxQueueIndex: number
}

const XDP_MD_SIZE = 24
/** Metadata is at most this long. */
const META_MAX = 255

/** data: offset of the frame in data_in; data_end: its length; data_meta and egress_ifindex must be 0. */
export function readXdpMd(bytes: Uint8Array, size: number): XdpMdIn {
  const view = padded(bytes, XDP_MD_SIZE)
  const word = (at: number): number => view.getUint32(at, true)
  const data = word(0)
  const bad = word(8) !== 0 || word(4) !== size || data > size || data > META_MAX || (data & 3) !== 0
  if (bad || word(20) !== 0) throw new KernelError(EINVAL)
  const [ingressIfindex, rxQueueIndex] = [word(12), word(16)]
  if (ingressIfindex === 0 && rxQueueIndex !== 0) throw new KernelError(EINVAL)
  return { data, ingressIfindex, rxQueueIndex }
}

export function writeXdpMd(md: XdpMdIn, meta: number, size: number): Uint8Array {
  const bytes = new Uint8Array(XDP_MD_SIZE)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, meta, true)
  view.setUint32(4, size, true)
  view.setUint32(12, md.ingressIfindex, true)
  view.setUint32(16, md.rxQueueIndex, true)
  return bytes
}

/** A struct shorter than ours is filled up with zeros; what is longer must be zero there. */
function padded(bytes: Uint8Array, size: number): DataView {
  if (bytes.subarray(size).some((byte) => byte !== 0)) throw new KernelError(EINVAL)
  const whole = new Uint8Array(size)
  whole.set(bytes.subarray(0, size))
  return new DataView(whole.buffer)
}

const SK_BUFF_SIZE = 192
/** __sk_buff offset, where it lives in sk_buff. 32 bits each. */
const WORDS: readonly (readonly [number, number])[] = [
  [8, SKB.mark], [32, SKB.priority], [36, SKB.skb_iif],
  ...[0, 1, 2, 3, 4].map((i) => [48 + 4 * i, SKB.cb + QDISC_CB.data + 4 * i] as const),
]
const IFINDEX = 40
const TSTAMP = 152
const WIRE_LEN = 160
const GSO_SEGS = 164
const GSO_SIZE = 176
const HWTSTAMP = 184
/** GSO_MAX_SEGS; GSO_LEGACY_MAX_SIZE */
const MAX_SEGS = 65535
const MAX_WIRE_LEN = 65536
/** Fields a caller may set; every other byte must be zero. */
const SETTABLE: readonly (readonly [number, number])[] = [[8, 4], [32, 4], [36, 4], [IFINDEX, 4], [48, 20], [TSTAMP, 8], [WIRE_LEN, 4], [164, 4], [176, 4], [184, 8]]

export interface SkBuffIn {
  readonly ifindex: number
  readonly bytes: Uint8Array
  store(skbs: Skbs, skb: number): void
}

export function readSkBuff(given: Uint8Array): SkBuffIn {
  const view = padded(given, SK_BUFF_SIZE)
  const bytes = new Uint8Array(view.buffer)
  const settable = new Uint8Array(SK_BUFF_SIZE)
  for (const [at, size] of SETTABLE) settable.fill(1, at, at + size)
  if (bytes.some((byte, at) => byte !== 0 && settable[at] === 0)) throw new KernelError(EINVAL)
  return { ifindex: view.getUint32(IFINDEX, true), bytes, store: (skbs, skb) => storeSkBuff(view, skbs, skb) }
}

function storeSkBuff(view: DataView, skbs: Skbs, skb: number): void {
  for (const [at, field] of WORDS) skbs.set32(skb, field, view.getUint32(at, true))
  skbs.set32(skb, SKB.tstamp, view.getUint32(TSTAMP, true))
  skbs.set32(skb, SKB.tstamp + 4, view.getUint32(TSTAMP + 4, true))
  const wireLen = view.getUint32(WIRE_LEN, true)
  if (wireLen !== 0 && (wireLen < skbs.len(skb) || wireLen > MAX_WIRE_LEN)) throw new KernelError(EINVAL)
  skbs.setPktLen(skb, wireLen || skbs.len(skb))
  const segs = view.getUint32(GSO_SEGS, true)
  if (segs > MAX_SEGS) throw new KernelError(EINVAL)
  setGso(skbs, skb, segs, view.getUint32(GSO_SIZE, true) & 0xffff)
  skbs.u8.set(new Uint8Array(view.buffer, HWTSTAMP, 8), sharedInfo(skbs, skb) + SHINFO.hwtstamps)
}

export function writeSkBuff(skbs: Skbs, skb: number, ctx: SkBuffIn): Uint8Array {
  const bytes = ctx.bytes.slice()
  const view = new DataView(bytes.buffer)
  for (const [at, field] of WORDS) view.setUint32(at, skbs.get32(skb, field), true)
  view.setUint32(IFINDEX, ctx.ifindex, true)
  view.setUint32(TSTAMP, skbs.get32(skb, SKB.tstamp), true)
  view.setUint32(TSTAMP + 4, skbs.get32(skb, SKB.tstamp + 4), true)
  view.setUint32(WIRE_LEN, skbs.pktLen(skb), true)
  view.setUint32(GSO_SEGS, gsoSegs(skbs, skb), true)
  return bytes
}
