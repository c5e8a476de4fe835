// An skb as the state keeps it: its frame's bytes and the metadata that is not zero, by name.
import { SKB } from './layout.js'
import { HEADROOM, PRIV, type Skbs } from './skb.js'

/** name -> [offset, bytes]. Pointers (dev, sk, head, data) are made anew by whoever loads it. */
const FIELDS = {
  tstamp_low: [SKB.tstamp, 4], tstamp_high: [SKB.tstamp + 4, 4],
  mac_len: [SKB.mac_len, 2], queue_mapping: [SKB.queue_mapping, 2], pkt_type: [SKB.pkt_type, 1], tc_flags: [SKB.tc_flags, 1],
  hash_flags: [SKB.hash_flags, 1], redirected: [SKB.redirected, 1], tc_index: [SKB.tc_index, 2], priority: [SKB.priority, 4],
  skb_iif: [SKB.skb_iif, 4], hash: [SKB.hash, 4], vlan_proto: [SKB.vlan_proto, 2], vlan_tci: [SKB.vlan_tci, 2],
  napi_id: [SKB.napi_id, 4], mark: [SKB.mark, 4], protocol: [SKB.protocol, 2], transport_header: [SKB.transport_header, 2],
  network_header: [SKB.network_header, 2], mac_header: [SKB.mac_header, 2],
  frame: [PRIV.frame, 4], flow: [PRIV.flow, 4], flow_flags: [PRIV.flowFlags, 4], rx_queue: [PRIV.rxQueue, 4],
} as const

export interface SkbRecord {
  /** Bytes from data to tail. */
  len: number
  headroom: number
  /** qdisc_skb_cb and what programs put behind it, as hex; absent: zero. */
  cb?: string
  fields: Partial<Record<keyof typeof FIELDS, number>>
}

/** Takes the frame's metadata; its bytes are skbs.bytes(skb). */
export function recordSkb(skbs: Skbs, skb: number): SkbRecord {
  const fields: SkbRecord['fields'] = {}
  for (const [name, [offset, bytes]] of Object.entries(FIELDS) as [keyof typeof FIELDS, [number, number]][]) {
    const value = read(skbs, skb + offset, bytes)
    if (value !== 0) fields[name] = value
  }
  const cb = skbs.u8.subarray(skb + SKB.cb, skb + SKB.cb + 48)
  const hex = cb.some((byte) => byte !== 0) ? { cb: Buffer.from(cb).toString('hex') } : {}
  return { len: skbs.len(skb), headroom: skbs.data(skb) - skbs.head(skb), ...hex, fields }
}

/** The skb of a record and its bytes; 0 when there is no memory. dev is for the caller to set. */
export function restoreSkb(skbs: Skbs, record: SkbRecord, frame: Uint8Array): number {
  const skb = skbs.alloc(frame)
  return skb === 0 ? 0 : fill(skbs, skb, record)
}

/** The skb of a record at the address it had: pointers to it lie in maps. */
export function claimSkb(skbs: Skbs, at: number, record: SkbRecord, frame: Uint8Array): number {
  if (!skbs.claim(at, frame.length)) return 0
  skbs.u8.set(frame, skbs.data(at))
  return fill(skbs, at, record)
}

function fill(skbs: Skbs, skb: number, record: SkbRecord): number {
  const shift = record.headroom - HEADROOM
  if (shift !== 0) moveData(skbs, skb, shift)
  skbs.set16(skb, SKB.transport_header, 0)
  for (const [name, value] of Object.entries(record.fields) as [keyof typeof FIELDS, number][]) {
    write(skbs, skb + FIELDS[name][0], FIELDS[name][1], value)
  }
  if (record.cb !== undefined) skbs.u8.set(Buffer.from(record.cb, 'hex'), skb + SKB.cb)
  return skb
}

function moveData(skbs: Skbs, skb: number, shift: number): void {
  const data = skbs.data(skb)
  skbs.u8.copyWithin(data + shift, data, data + skbs.len(skb))
  skbs.set32(skb, SKB.data, data + shift)
  skbs.set32(skb, SKB.tail, skbs.get32(skb, SKB.tail) + shift)
}

function read(skbs: Skbs, at: number, bytes: number): number {
  return bytes === 4 ? skbs.u32[at >> 2]! : bytes === 2 ? skbs.u16[at >> 1]! : skbs.u8[at]!
}

function write(skbs: Skbs, at: number, bytes: number, value: number): void {
  if (bytes === 4) skbs.u32[at >> 2] = value
  else if (bytes === 2) skbs.u16[at >> 1] = value
  else skbs.u8[at] = value
}
