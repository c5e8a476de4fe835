// Running XDP programs (include/net/xdp.h; net/core/dev.c: bpf_prog_run_generic_xdp): the xdp_buff in CONTEXTS and what it leads to.
import { CONTEXTS } from '../mem/layout.js'
import { SKB, XDP_BUFF, XDP_RXQ, XDP_TXQ } from '../skb/layout.js'
import { SHARED_INFO, type Skbs } from '../skb/skb.js'
import type { HookProg } from './types.js'

/** The xdp_buff that every run uses, and the rxq and txq infos it points to. */
export const XDP_CTX = CONTEXTS
const RXQ = CONTEXTS + 64
const TXQ = CONTEXTS + 128

/** Points the xdp_buff at the frame of `skb`, received on `queue` of the net_device at `dev`, with `meta` bytes of metadata before it. */
export function prepareXdp(skbs: Skbs, skb: number, dev: number, queue: number, meta = 0): void {
  const { u32 } = skbs
  const data = skbs.data(skb)
  u32[(XDP_CTX + XDP_BUFF.data) >> 2] = data
  u32[(XDP_CTX + XDP_BUFF.data_end) >> 2] = data + skbs.len(skb)
  u32[(XDP_CTX + XDP_BUFF.data_meta) >> 2] = data - meta
  u32[(XDP_CTX + XDP_BUFF.data_hard_start) >> 2] = skbs.head(skb)
  u32[(XDP_CTX + XDP_BUFF.rxq) >> 2] = RXQ
  u32[(XDP_CTX + XDP_BUFF.txq) >> 2] = TXQ
  u32[(XDP_CTX + XDP_BUFF.frame_sz) >> 2] = skbs.get32(skb, SKB.end) + SHARED_INFO
  u32[(XDP_CTX + XDP_BUFF.flags) >> 2] = 0
  u32[(RXQ + XDP_RXQ.dev) >> 2] = dev
  u32[(RXQ + XDP_RXQ.queue_index) >> 2] = queue
  u32[(TXQ + XDP_TXQ.dev) >> 2] = 0
}

/** Tells a devmap program where its frame will leave. */
export function setXdpTxDevice(skbs: Skbs, dev: number): void {
  skbs.u32[(TXQ + XDP_TXQ.dev) >> 2] = dev
}

/** Runs on the prepared xdp_buff and takes over what the program did to the frame's bounds. Returns the XDP_* action. */
export function runXdp(skbs: Skbs, skb: number, prog: HookProg): number {
  const action = prog.run(XDP_CTX) >>> 0
  const data = skbs.u32[(XDP_CTX + XDP_BUFF.data) >> 2]!
  const end = skbs.u32[(XDP_CTX + XDP_BUFF.data_end) >> 2]!
  skbs.set32(skb, SKB.data, data)
  skbs.set32(skb, SKB.len, end - data)
  skbs.set32(skb, SKB.tail, end - skbs.head(skb))
  return action
}

/** Length of the metadata that the last run left before the data. */
export function xdpMetaLen(skbs: Skbs): number {
  const meta = skbs.u32[(XDP_CTX + XDP_BUFF.data_meta) >> 2]!
  return Math.max(0, skbs.u32[(XDP_CTX + XDP_BUFF.data) >> 2]! - meta)
}
