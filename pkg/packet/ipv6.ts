// IPv6 and the extension headers that stand before an upper layer (RFC 8200, include/uapi/linux/ipv6.h).
import { fits, View } from './view.js'

export const IPV6_HLEN = 40
export const NEXTHDR_HOP = 0
export const NEXTHDR_ROUTING = 43
export const NEXTHDR_FRAGMENT = 44
export const NEXTHDR_AUTH = 51
export const NEXTHDR_NONE = 59
export const NEXTHDR_DEST = 60

const VERSION_CLASS_FLOW = 0
const PAYLOAD_LEN = 4
const NEXTHDR = 6
const HOP_LIMIT = 7
const SADDR = 8
const DADDR = 24

export class Ipv6 extends View {
  static at(bytes: Uint8Array, at: number, end = bytes.length): Ipv6 | undefined {
    if (!fits(bytes, at, IPV6_HLEN, end)) return undefined
    const view = new Ipv6(bytes, at)
    return view.version === 6 ? view : undefined
  }

  get version(): number { return this.u8(VERSION_CLASS_FLOW) >>> 4 }
  get trafficClass(): number { return (this.u16(VERSION_CLASS_FLOW) >>> 4) & 0xff }
  set trafficClass(value: number) { this.put16(VERSION_CLASS_FLOW, 0x6000 | (value << 4) | (this.u8(1) & 15)) }
  get flowLabel(): number { return this.u32(VERSION_CLASS_FLOW) & 0xfffff }
  set flowLabel(value: number) { this.put32(VERSION_CLASS_FLOW, ((this.u32(VERSION_CLASS_FLOW) & 0xfff00000) | value) >>> 0) }
  get payloadLength(): number { return this.u16(PAYLOAD_LEN) }
  set payloadLength(value: number) { this.put16(PAYLOAD_LEN, value) }
  get nextHeader(): number { return this.u8(NEXTHDR) }
  set nextHeader(value: number) { this.put8(NEXTHDR, value) }
  get hopLimit(): number { return this.u8(HOP_LIMIT) }
  set hopLimit(value: number) { this.put8(HOP_LIMIT, value) }
  get src(): Uint8Array { return this.slice(SADDR, 16) }
  set src(value: Uint8Array) { this.putBytes(SADDR, value) }
  get dst(): Uint8Array { return this.slice(DADDR, 16) }
  set dst(value: Uint8Array) { this.putBytes(DADDR, value) }

  get dscp(): number { return this.trafficClass >>> 2 }

  /** Writes the version; class and flow label become 0. */
  begin(): this {
    this.put32(VERSION_CLASS_FLOW, 0x60000000)
    return this
  }
}

/** Headers of the form { next, length in units of 8 without the first } that lie between IPv6 and its upper layer. */
export const isExtensionHeader = (next: number): boolean => next === NEXTHDR_HOP || next === NEXTHDR_ROUTING || next === NEXTHDR_DEST
