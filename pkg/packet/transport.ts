// UDP (RFC 768), TCP (RFC 9293), ICMP (RFC 792) and ICMPv6 (RFC 4443): the fixed parts of their headers.
import { fits, View } from './view.js'

export const UDP_HLEN = 8
export const TCP_HLEN = 20
export const ICMP_HLEN = 8

const SOURCE = 0
const DEST = 2
const UDP_LEN = 4
const UDP_CHECK = 6

export class Udp extends View {
  static at(bytes: Uint8Array, at: number, end = bytes.length): Udp | undefined {
    return fits(bytes, at, UDP_HLEN, end) ? new Udp(bytes, at) : undefined
  }

  get source(): number { return this.u16(SOURCE) }
  set source(value: number) { this.put16(SOURCE, value) }
  get dest(): number { return this.u16(DEST) }
  set dest(value: number) { this.put16(DEST, value) }
  get length(): number { return this.u16(UDP_LEN) }
  set length(value: number) { this.put16(UDP_LEN, value) }
  get check(): number { return this.u16(UDP_CHECK) }
  set check(value: number) { this.put16(UDP_CHECK, value) }
}

const SEQ = 4
const ACK_SEQ = 8
const DATA_OFFSET = 12
const WINDOW = 14
const TCP_CHECK = 16

export const TCP_FIN = 0x01
export const TCP_SYN = 0x02
export const TCP_RST = 0x04
export const TCP_PSH = 0x08
export const TCP_ACK = 0x10

export class Tcp extends View {
  static at(bytes: Uint8Array, at: number, end = bytes.length): Tcp | undefined {
    if (!fits(bytes, at, TCP_HLEN, end)) return undefined
    const view = new Tcp(bytes, at)
    return view.headerLength >= TCP_HLEN && fits(bytes, at, view.headerLength, end) ? view : undefined
  }

  get source(): number { return this.u16(SOURCE) }
  set source(value: number) { this.put16(SOURCE, value) }
  get dest(): number { return this.u16(DEST) }
  set dest(value: number) { this.put16(DEST, value) }
  get seq(): number { return this.u32(SEQ) }
  set seq(value: number) { this.put32(SEQ, value) }
  get ack(): number { return this.u32(ACK_SEQ) }
  set ack(value: number) { this.put32(ACK_SEQ, value) }
  get headerLength(): number { return (this.u8(DATA_OFFSET) >>> 4) * 4 }
  /** All twelve bits that flower's tcp_flags knows. */
  get flags(): number { return this.u16(DATA_OFFSET) & 0xfff }
  set flags(value: number) { this.put16(DATA_OFFSET, (this.u16(DATA_OFFSET) & 0xf000) | value) }
  get window(): number { return this.u16(WINDOW) }
  set window(value: number) { this.put16(WINDOW, value) }
  get check(): number { return this.u16(TCP_CHECK) }
  set check(value: number) { this.put16(TCP_CHECK, value) }

  /** Writes the data offset (no options). */
  begin(): this {
    this.put8(DATA_OFFSET, 0x50)
    return this
  }
}

const TYPE = 0
const CODE = 1
const ICMP_CHECK = 2
const ID = 4
const SEQUENCE = 6

export const ICMP_ECHOREPLY = 0
export const ICMP_ECHO = 8
export const ICMPV6_ECHO_REQUEST = 128
export const ICMPV6_ECHO_REPLY = 129

/** Both versions: they differ in numbers and in what the checksum covers. */
export class Icmp extends View {
  static at(bytes: Uint8Array, at: number, end = bytes.length): Icmp | undefined {
    return fits(bytes, at, ICMP_HLEN, end) ? new Icmp(bytes, at) : undefined
  }

  get type(): number { return this.u8(TYPE) }
  set type(value: number) { this.put8(TYPE, value) }
  get code(): number { return this.u8(CODE) }
  set code(value: number) { this.put8(CODE, value) }
  get check(): number { return this.u16(ICMP_CHECK) }
  set check(value: number) { this.put16(ICMP_CHECK, value) }
  get id(): number { return this.u16(ID) }
  set id(value: number) { this.put16(ID, value) }
  get sequence(): number { return this.u16(SEQUENCE) }
  set sequence(value: number) { this.put16(SEQUENCE, value) }
}
