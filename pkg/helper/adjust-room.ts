// bpf_skb_adjust_room: net/core/filter.c (bpf_skb_net_grow, bpf_skb_net_shrink)
import { SKB } from '../skb/layout.js'
import { BE16, ENCAPSULATION, cow, hdrPop, hdrPush, macHeaderLen, networkOffset } from '../skb/skb-edit.js'
import { isGso } from '../skb/skb-gso.js'
import { EALREADY, EFAULT, EINVAL, ENOMEM, ENOTSUPP } from '../uapi/errno.js'
import type { HelperEnv } from './env.js'

/** BPF_F_ADJ_ROOM_* */
const FIXED_GSO = 1
const ENCAP_L3_IPV4 = 2
const ENCAP_L3_IPV6 = 4
const ENCAP_L4_GRE = 8
const ENCAP_L4_UDP = 16
const NO_CSUM_RESET = 32
const ENCAP_L2_ETH = 64
const DECAP_L3_IPV4 = 128
const DECAP_L3_IPV6 = 256
const ENCAP_L3 = ENCAP_L3_IPV4 | ENCAP_L3_IPV6
const DECAP_L3 = DECAP_L3_IPV4 | DECAP_L3_IPV6
const ALL = FIXED_GSO | ENCAP_L3 | ENCAP_L4_GRE | ENCAP_L4_UDP | NO_CSUM_RESET | ENCAP_L2_ETH | DECAP_L3
/** BPF_F_ADJ_ROOM_ENCAP_L2: bits 56..63 */
const L2_SHIFT = 24
const ETH_HLEN = 14
const MOST = 0xfff
/** BPF_ADJ_ROOM_NET, BPF_ADJ_ROOM_MAC */
const MODE_NET = 0
const MODE_MAC = 1

const headerLength = (proto: number): number => (proto === BE16.IP ? 20 : 40)

/** 0 or -errno. `high` is the upper half of flags, `most` the longest the frame may be. */
export function adjustRoom(env: HelperEnv, skb: number, diff: number, mode: number, flags: number, high: number, most: number): number {
  const { skbs } = env
  const proto = skbs.get16(skb, SKB.protocol)
  if ((flags & ~ALL) !== 0 || (high & 0xffffff) !== 0) return -EINVAL
  if (Math.abs(diff) > MOST) return -EFAULT
  if (proto !== BE16.IP && proto !== BE16.IPV6) return -ENOTSUPP
  if (mode !== MODE_NET && mode !== MODE_MAC) return -ENOTSUPP
  const off = macHeaderLen(skbs, skb) + (mode === MODE_NET ? headerLength(proto) : 0)
  const least = leastLength(flags, diff, proto)
  if (least < 0) return least
  const rest = skbs.len(skb) - networkOffset(skbs, skb)
  if (diff < 0 && (-diff >= rest || rest + diff < least)) return -ENOTSUPP
  if (diff >= 0 && skbs.len(skb) + diff > most) return -ENOTSUPP
  return diff < 0 ? shrink(env, skb, off, -diff, flags) : grow(env, skb, off, diff, flags, high >>> L2_SHIFT)
}

/** What must be left of the packet, or -EINVAL. */
function leastLength(flags: number, diff: number, proto: number): number {
  const decap = flags & DECAP_L3
  if (decap === 0) return headerLength(proto)
  if (diff >= 0 || decap === DECAP_L3) return -EINVAL
  return decap === DECAP_L3_IPV4 ? 20 : 40
}

function grow({ skbs }: HelperEnv, skb: number, off: number, diff: number, flags: number, innerMac: number): number {
  // A frame to be segmented here never says that it is TCP (gso_type).
  if (isGso(skbs, skb)) return -ENOTSUPP
  if (!cow(skbs, skb, diff)) return -ENOMEM
  const encap = (flags & ENCAP_L3) !== 0
  if (encap) {
    const bad = badEncap(flags, diff, innerMac)
    if (bad !== 0) return bad
    if (skbs.u8[skb + SKB.hash_flags]! & ENCAPSULATION) return -EALREADY
  }
  hdrPush(skbs, skb, off, diff)
  if (encap) encapsulate(skbs, skb, flags)
  return 0
}

function badEncap(flags: number, diff: number, innerMac: number): number {
  if ((flags & ENCAP_L3) === ENCAP_L3) return -EINVAL
  if ((flags & ENCAP_L4_GRE) !== 0 && (flags & ENCAP_L4_UDP) !== 0) return -EINVAL
  if ((flags & ENCAP_L2_ETH) !== 0 && innerMac < ETH_HLEN) return -EINVAL
  return innerMac > diff ? -EINVAL : 0
}

/** The outer header decides the protocol and, with an L4 header in it, where transport begins. */
function encapsulate(skbs: HelperEnv['skbs'], skb: number, flags: number): void {
  const v6 = (flags & ENCAP_L3_IPV6) !== 0
  skbs.u8[skb + SKB.hash_flags]! |= ENCAPSULATION
  skbs.set16(skb, SKB.protocol, v6 ? BE16.IPV6 : BE16.IP)
  if ((flags & (ENCAP_L4_GRE | ENCAP_L4_UDP)) === 0) return
  skbs.set16(skb, SKB.transport_header, skbs.get16(skb, SKB.network_header) + (v6 ? 40 : 20))
}

function shrink({ skbs }: HelperEnv, skb: number, off: number, diff: number, flags: number): number {
  if ((flags & ~(FIXED_GSO | DECAP_L3 | NO_CSUM_RESET)) !== 0) return -EINVAL
  if (isGso(skbs, skb)) return -ENOTSUPP
  if (skbs.len(skb) < off + diff) return -ENOMEM
  hdrPop(skbs, skb, off, diff)
  if (flags & DECAP_L3) skbs.set16(skb, SKB.protocol, flags & DECAP_L3_IPV6 ? BE16.IPV6 : BE16.IP)
  return 0
}
