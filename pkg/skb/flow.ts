// Flow dissection for the hash that spreads packets over queues (net/core/flow_dissector.c: __skb_get_hash_net), and the header
// offsets that eth_type_trans and the IP stack would set. Reads the frame where it lies.
import { SKB } from './layout.js'
import type { Skbs } from './skb.js'

export const ETH_HLEN = 14
export const ETH_P_IP = 0x0800
export const ETH_P_IPV6 = 0x86dd
export const ETH_P_8021Q = 0x8100
export const ETH_P_8021AD = 0x88a8
export const ETH_P_ARP = 0x0806
export const ETH_P_ALL = 3
const IPPROTO_TCP = 6
const IPPROTO_UDP = 17
const IPPROTO_SCTP = 132

/** Bits of SKB.hash_flags (struct sk_buff, v6.18). */
const L4_HASH = 2
const SW_HASH = 4

/** skb->hash, computed once from the packet that starts with an Ethernet header at its mac_header. */
export function skbHash(skbs: Skbs, skb: number): number {
  if ((skbs.u8[skb + SKB.hash_flags]! & (L4_HASH | SW_HASH)) !== 0) return skbs.get32(skb, SKB.hash)
  const mac = skbs.head(skb) + skbs.get16(skb, SKB.mac_header)
  const end = skbs.head(skb) + skbs.get32(skb, SKB.tail)
  const l4 = dissect(skbs, mac, end)
  skbs.set32(skb, SKB.hash, hash === 0 ? 1 : hash)
  skbs.u8[skb + SKB.hash_flags]! |= l4 ? L4_HASH | SW_HASH : SW_HASH
  return skbs.get32(skb, SKB.hash)
}

let hash = 0

function mix(value: number): void {
  hash = Math.imul(hash ^ value, 0x9e3779b1)
  hash = (hash ^ (hash >>> 15)) >>> 0
}

/** Mixes what identifies the flow into `hash`, the same for both directions; true when ports took part. */
function dissect(skbs: Skbs, mac: number, end: number): boolean {
  const { u8 } = skbs
  hash = 0x5bd1e995
  let at = mac + 12
  let proto = end >= at + 2 ? (u8[at]! << 8) | u8[at + 1]! : 0
  while ((proto === ETH_P_8021Q || proto === ETH_P_8021AD) && end >= at + 6) {
    at += 4
    proto = (u8[at]! << 8) | u8[at + 1]!
  }
  at += 2
  if (proto === ETH_P_IP && end >= at + 20) return ip4(u8, at, end)
  if (proto === ETH_P_IPV6 && end >= at + 40) return ip6(u8, at, end)
  for (let i = mac; i < mac + 12 && i < end; i += 1) mix(u8[i]!)
  mix(proto)
  return false
}

function ip4(u8: Uint8Array, at: number, end: number): boolean {
  pair(word(u8, at + 12), word(u8, at + 16))
  mix(u8[at + 9]!)
  const fragment = ((u8[at + 6]! & 0x3f) << 8) | u8[at + 7]!
  return fragment === 0 && ports(u8, u8[at + 9]!, at + (u8[at]! & 15) * 4, end)
}

function ip6(u8: Uint8Array, at: number, end: number): boolean {
  for (let i = 0; i < 16; i += 4) pair(word(u8, at + 8 + i), word(u8, at + 24 + i))
  mix(u8[at + 6]!)
  return ports(u8, u8[at + 6]!, at + 40, end)
}

function ports(u8: Uint8Array, proto: number, at: number, end: number): boolean {
  if ((proto !== IPPROTO_TCP && proto !== IPPROTO_UDP && proto !== IPPROTO_SCTP) || end < at + 4) return false
  pair((u8[at]! << 8) | u8[at + 1]!, (u8[at + 2]! << 8) | u8[at + 3]!)
  return true
}

function pair(a: number, b: number): void {
  mix(Math.min(a, b))
  mix(Math.max(a, b))
}

function word(u8: Uint8Array, at: number): number {
  return ((u8[at]! << 24) | (u8[at + 1]! << 16) | (u8[at + 2]! << 8) | u8[at + 3]!) >>> 0
}

/** Offset of the transport header from the network header of an IPv4 or IPv6 packet, 0 when there is none. */
export function transportOffset(u8: Uint8Array, proto: number, network: number, end: number): number {
  if (proto === ETH_P_IP && end >= network + 20) return (u8[network]! & 15) * 4
  return proto === ETH_P_IPV6 && end >= network + 40 ? 40 : 0
}

/** reciprocal_scale: [0, 2^32) onto [0, n). */
export const scale = (value: number, n: number): number => Math.floor((value * n) / 0x100000000)
