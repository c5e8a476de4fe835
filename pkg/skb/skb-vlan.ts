// VLAN tags, in the frame and beside it: include/linux/if_vlan.h, net/core/skbuff.c (skb_vlan_push, skb_vlan_pop).
import { SKB } from './layout.js'
import type { Skbs } from './skb.js'
import { BE16, cow, networkOffset, resetMacLen } from './skb-edit.js'

export const VLAN_HLEN = 4
const ETH_ALEN = 6

/** eth_type_vlan, of an ethertype as it lies in memory. */
export function isVlan(proto: number): boolean {
  return proto === BE16.VLAN || proto === BE16.VLAN_AD
}

/** skb_vlan_tag_present */
export function vlanTagPresent(skbs: Skbs, skb: number): boolean {
  return skbs.get32(skb, SKB.vlan_proto) !== 0
}

/** __vlan_hwaccel_put_tag: the tag travels beside the frame. */
export function putTag(skbs: Skbs, skb: number, proto: number, tci: number): void {
  skbs.set16(skb, SKB.vlan_proto, proto)
  skbs.set16(skb, SKB.vlan_tci, tci)
}

export function clearTag(skbs: Skbs, skb: number): void {
  putTag(skbs, skb, 0, 0)
}

/** __vlan_insert_tag: puts a tag into the frame, behind the MAC addresses. Data is at the MAC header. False: no memory. */
export function insertVlan(skbs: Skbs, skb: number, proto: number, tci: number): boolean {
  if (!cow(skbs, skb, VLAN_HLEN)) return false
  skbs.push(skb, VLAN_HLEN)
  const data = skbs.data(skb)
  skbs.u8.copyWithin(data, data + VLAN_HLEN, data + VLAN_HLEN + 2 * ETH_ALEN)
  skbs.u8[data + 12] = proto & 0xff
  skbs.u8[data + 13] = proto >> 8
  skbs.u8[data + 14] = (tci >> 8) & 0xff
  skbs.u8[data + 15] = tci & 0xff
  skbs.set16(skb, SKB.mac_header, skbs.get16(skb, SKB.mac_header) - VLAN_HLEN)
  return true
}

/** skb_vlan_push. Data is at the MAC header. */
export function vlanPush(skbs: Skbs, skb: number, proto: number, tci: number): boolean {
  if (vlanTagPresent(skbs, skb)) {
    const outer = skbs.get16(skb, SKB.vlan_proto)
    if (!insertVlan(skbs, skb, outer, skbs.get16(skb, SKB.vlan_tci))) return false
    skbs.set16(skb, SKB.protocol, outer)
    skbs.set16(skb, SKB.mac_len, skbs.get16(skb, SKB.mac_len) + VLAN_HLEN)
  }
  putTag(skbs, skb, proto, tci)
  return true
}

/** skb_vlan_pop. False: the frame is too short for the tag that its protocol promises. */
export function vlanPop(skbs: Skbs, skb: number): boolean {
  if (vlanTagPresent(skbs, skb)) {
    clearTag(skbs, skb)
  } else {
    if (!isVlan(skbs.get16(skb, SKB.protocol))) return true
    if (removeVlan(skbs, skb) < 0) return false
  }
  const proto = skbs.get16(skb, SKB.protocol)
  if (!isVlan(proto)) return true
  const tci = removeVlan(skbs, skb)
  if (tci < 0) return false
  putTag(skbs, skb, proto, tci)
  return true
}

/** __skb_vlan_pop: takes the tag out of the frame; its TCI, or -1. */
function removeVlan(skbs: Skbs, skb: number): number {
  if (skbs.len(skb) < 18) return -1
  const { u8 } = skbs
  const old = skbs.data(skb)
  const tci = (u8[old + 14]! << 8) | u8[old + 15]!
  u8.copyWithin(old + VLAN_HLEN, old, old + 2 * ETH_ALEN)
  skbs.pull(skb, VLAN_HLEN)
  const data = skbs.data(skb)
  skbs.set16(skb, SKB.mac_header, data - skbs.head(skb))
  skbs.set16(skb, SKB.protocol, u8[data + 12]! | (u8[data + 13]! << 8))
  if (networkOffset(skbs, skb) < 14) skbs.set16(skb, SKB.network_header, data + 14 - skbs.head(skb))
  resetMacLen(skbs, skb)
  return tci
}
