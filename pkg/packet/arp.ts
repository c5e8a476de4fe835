// ARP for IPv4 over Ethernet (RFC 826, include/uapi/linux/if_arp.h).
import { fits, View } from './view.js'

export const ARP_LEN = 28
export const ARPOP_REQUEST = 1
export const ARPOP_REPLY = 2

const HARDWARE = 0
const PROTOCOL = 2
const HARDWARE_LEN = 4
const PROTOCOL_LEN = 5
const OP = 6
const SHA = 8
const SIP = 14
const THA = 18
const TIP = 24

export class Arp extends View {
  static at(bytes: Uint8Array, at: number, end = bytes.length): Arp | undefined {
    return fits(bytes, at, ARP_LEN, end) ? new Arp(bytes, at) : undefined
  }

  get op(): number { return this.u16(OP) }
  set op(value: number) { this.put16(OP, value) }
  get sha(): Uint8Array { return this.slice(SHA, 6) }
  set sha(value: Uint8Array) { this.putBytes(SHA, value) }
  get sip(): Uint8Array { return this.slice(SIP, 4) }
  set sip(value: Uint8Array) { this.putBytes(SIP, value) }
  get tha(): Uint8Array { return this.slice(THA, 6) }
  set tha(value: Uint8Array) { this.putBytes(THA, value) }
  get tip(): Uint8Array { return this.slice(TIP, 4) }
  set tip(value: Uint8Array) { this.putBytes(TIP, value) }

  /** Whether the kind fields say IPv4 over Ethernet: then the addresses above mean something. */
  get isIpv4OverEthernet(): boolean {
    return this.u16(HARDWARE) === 1 && this.u16(PROTOCOL) === 0x0800 && this.u8(HARDWARE_LEN) === 6 && this.u8(PROTOCOL_LEN) === 4
  }

  /** Writes the kind fields. */
  begin(): this {
    this.put16(HARDWARE, 1)
    this.put16(PROTOCOL, 0x0800)
    this.put8(HARDWARE_LEN, 6)
    this.put8(PROTOCOL_LEN, 4)
    return this
  }
}
