// IPv4 (RFC 791, include/uapi/linux/ip.h).
import { internetChecksum } from './checksum.js'
import { fits, View } from './view.js'

export const IPV4_HLEN = 20
export const IPPROTO_ICMP = 1
export const IPPROTO_IPIP = 4
export const IPPROTO_TCP = 6
export const IPPROTO_UDP = 17
export const IPPROTO_ICMPV6 = 58
export const IPPROTO_SCTP = 132

export const IP_DF = 0x4000
export const IP_MF = 0x2000
export const IP_OFFSET = 0x1fff

const VERSION_IHL = 0
const TOS = 1
const TOT_LEN = 2
const ID = 4
const FRAG_OFF = 6
const TTL = 8
const PROTOCOL = 9
const CHECK = 10
const SADDR = 12
const DADDR = 16

export class Ipv4 extends View {
  /** undefined: not a whole header of version 4 with its options. */
  static at(bytes: Uint8Array, at: number, end = bytes.length): Ipv4 | undefined {
    if (!fits(bytes, at, IPV4_HLEN, end)) return undefined
    const view = new Ipv4(bytes, at)
    return view.version === 4 && view.headerLength >= IPV4_HLEN && fits(bytes, at, view.headerLength, end) ? view : undefined
  }

  get version(): number { return this.u8(VERSION_IHL) >>> 4 }
  get headerLength(): number { return (this.u8(VERSION_IHL) & 15) * 4 }
  get tos(): number { return this.u8(TOS) }
  set tos(value: number) { this.put8(TOS, value) }
  get totalLength(): number { return this.u16(TOT_LEN) }
  set totalLength(value: number) { this.put16(TOT_LEN, value) }
  get id(): number { return this.u16(ID) }
  set id(value: number) { this.put16(ID, value) }
  /** Flags and offset as they stand: IP_DF, IP_MF, and the offset in units of 8 bytes. */
  get fragOff(): number { return this.u16(FRAG_OFF) }
  set fragOff(value: number) { this.put16(FRAG_OFF, value) }
  get ttl(): number { return this.u8(TTL) }
  set ttl(value: number) { this.put8(TTL, value) }
  get protocol(): number { return this.u8(PROTOCOL) }
  set protocol(value: number) { this.put8(PROTOCOL, value) }
  get check(): number { return this.u16(CHECK) }
  set check(value: number) { this.put16(CHECK, value) }
  get src(): Uint8Array { return this.slice(SADDR, 4) }
  set src(value: Uint8Array) { this.putBytes(SADDR, value) }
  get dst(): Uint8Array { return this.slice(DADDR, 4) }
  set dst(value: Uint8Array) { this.putBytes(DADDR, value) }

  get dscp(): number { return this.tos >>> 2 }
  get isFragment(): boolean { return (this.fragOff & (IP_MF | IP_OFFSET)) !== 0 }
  get isChecksumRight(): boolean { return internetChecksum(this.bytes, this.at, this.headerLength) === 0 }

  /** Writes version and header length (no options). */
  begin(): this {
    this.put8(VERSION_IHL, 0x45)
    return this
  }

  /** Writes the header checksum: last of all. */
  seal(): this {
    this.check = 0
    this.check = internetChecksum(this.bytes, this.at, this.headerLength)
    return this
  }
}
