// Changing the shape of an sk_buff: room at its ends, bytes pushed in behind the MAC header, header offsets.
// net/core/skbuff.c, net/core/filter.c (bpf_skb_generic_push). All data is linear here.
import { PRIV, type Skbs, CONSUMED, HEADROOM } from './skb.js'
import { SKB } from './layout.js'
import { clearSharedInfo, sharedInfo, SHINFO } from './skb-gso.js'

/** Bits of SKB.hash_flags: l4_hash, sw_hash; and in the same byte, encapsulation. */
export const L4_HASH = 2
export const SW_HASH = 4
export const ENCAPSULATION = 0x10
const NOT_SET = 0xffff

/** Ethertypes as they lie in memory (network order, read as little-endian u16). */
export const BE16 = { IP: 0x0008, IPV6: 0xdd86, VLAN: 0x0081, VLAN_AD: 0xa888 } as const

/** Address of the MAC header. */
export function macHeader(skbs: Skbs, skb: number): number {
  return skbs.head(skb) + skbs.get16(skb, SKB.mac_header)
}

export function networkHeader(skbs: Skbs, skb: number): number {
  return skbs.head(skb) + skbs.get16(skb, SKB.network_header)
}

export function tailPointer(skbs: Skbs, skb: number): number {
  return skbs.head(skb) + skbs.get32(skb, SKB.tail)
}

/** skb_network_offset: from data, negative when data is behind it. */
export function networkOffset(skbs: Skbs, skb: number): number {
  return networkHeader(skbs, skb) - skbs.data(skb)
}

export function transportIsSet(skbs: Skbs, skb: number): boolean {
  return skbs.get16(skb, SKB.transport_header) !== NOT_SET
}

export function transportOffset(skbs: Skbs, skb: number): number {
  return skbs.head(skb) + skbs.get16(skb, SKB.transport_header) - skbs.data(skb)
}

/** skb_mac_header_len */
export function macHeaderLen(skbs: Skbs, skb: number): number {
  return skbs.get16(skb, SKB.network_header) - skbs.get16(skb, SKB.mac_header)
}

/** skb_cow: room for `n` bytes before data. False when there is no memory for a buffer that large. */
export function cow(skbs: Skbs, skb: number, n: number): boolean {
  const headroom = skbs.data(skb) - skbs.head(skb)
  return headroom >= n || rehouse(skbs, skb, n - headroom, 0)
}

/** Room for `n` bytes behind the tail. */
export function tailroom(skbs: Skbs, skb: number, n: number): boolean {
  const room = skbs.get32(skb, SKB.end) - skbs.get32(skb, SKB.tail)
  return room >= n || rehouse(skbs, skb, 0, n - room)
}

/** pskb_expand_head: moves the contents to a buffer with so much more room at its ends. */
function rehouse(skbs: Skbs, skb: number, front: number, back: number): boolean {
  const used = skbs.get32(skb, SKB.tail)
  const other = skbs.allocRoom(Math.max(0, used - HEADROOM) + front + back)
  if (other === 0) return false
  const from = skbs.head(skb)
  const to = skbs.head(other)
  const offset = skbs.data(skb) - from
  skbs.u8.copyWithin(to + front, from, from + used)
  const marks = sharedInfo(skbs, skb)
  skbs.u8.copyWithin(sharedInfo(skbs, other), marks, marks + SHINFO.size)
  for (const field of [SKB.head, SKB.end, SKB.truesize, PRIV.bufferClass]) {
    const mine = skbs.get32(skb, field)
    skbs.set32(skb, field, skbs.get32(other, field))
    skbs.set32(other, field, mine)
  }
  clearSharedInfo(skbs, other)
  skbs.free(other, CONSUMED)
  skbs.set32(skb, SKB.data, to + front + offset)
  skbs.set32(skb, SKB.tail, used + front)
  shiftHeaders(skbs, skb, front, true)
  return true
}

/** Adds to the header offsets, which count from head. */
function shiftHeaders(skbs: Skbs, skb: number, by: number, transport: boolean): void {
  skbs.set16(skb, SKB.mac_header, skbs.get16(skb, SKB.mac_header) + by)
  skbs.set16(skb, SKB.network_header, skbs.get16(skb, SKB.network_header) + by)
  if (transport && transportIsSet(skbs, skb)) skbs.set16(skb, SKB.transport_header, skbs.get16(skb, SKB.transport_header) + by)
}

/** bpf_skb_net_hdr_push: opens `len` zero bytes `off` bytes behind data; what is before them moves down. Needs the headroom. */
export function hdrPush(skbs: Skbs, skb: number, off: number, len: number): void {
  const same = skbs.get16(skb, SKB.transport_header) === skbs.get16(skb, SKB.network_header)
  skbs.push(skb, len)
  const data = skbs.data(skb)
  skbs.u8.copyWithin(data, data + len, data + len + off)
  skbs.u8.fill(0, data + off, data + off + len)
  moveNet(skbs, skb, -len, same)
}

/** bpf_skb_net_hdr_pop: cuts `len` bytes out, `off` bytes behind data. */
export function hdrPop(skbs: Skbs, skb: number, off: number, len: number): void {
  const same = skbs.get16(skb, SKB.transport_header) === skbs.get16(skb, SKB.network_header)
  const data = skbs.data(skb)
  skbs.u8.copyWithin(data + len, data, data + off)
  skbs.pull(skb, len)
  moveNet(skbs, skb, len, same)
}

function moveNet(skbs: Skbs, skb: number, by: number, transportToo: boolean): void {
  shiftHeaders(skbs, skb, by, false)
  if (transportToo) skbs.set16(skb, SKB.transport_header, skbs.get16(skb, SKB.network_header))
}

/** Lengthens by zeros or cuts to `len` bytes; false when there is no memory. */
export function setLength(skbs: Skbs, skb: number, len: number): boolean {
  const more = len - skbs.len(skb)
  if (more <= 0) {
    skbs.trim(skb, len)
    return true
  }
  if (!tailroom(skbs, skb, more)) return false
  const tail = tailPointer(skbs, skb)
  skbs.u8.fill(0, tail, tail + more)
  skbs.set32(skb, SKB.tail, skbs.get32(skb, SKB.tail) + more)
  skbs.set32(skb, SKB.len, len)
  return true
}

/** skb_reset_mac_header; skb_reset_mac_len */
export function resetMac(skbs: Skbs, skb: number): void {
  skbs.set16(skb, SKB.mac_header, skbs.data(skb) - skbs.head(skb))
  resetMacLen(skbs, skb)
}

export function resetMacLen(skbs: Skbs, skb: number): void {
  skbs.set16(skb, SKB.mac_len, macHeaderLen(skbs, skb))
}

/** skb_clear_hash */
export function clearHash(skbs: Skbs, skb: number): void {
  skbs.set32(skb, SKB.hash, 0)
  skbs.u8[skb + SKB.hash_flags]! &= ~(L4_HASH | SW_HASH)
}
