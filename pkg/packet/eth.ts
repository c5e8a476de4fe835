// Ethernet II and 802.1Q tags (include/uapi/linux/if_ether.h, if_vlan.h).
import { fits, View } from './view.js'

export const ETH_ALEN = 6
export const ETH_HLEN = 14
/** The shortest and the longest untagged frame without FCS. */
export const ETH_ZLEN = 60
export const ETH_FRAME_LEN = 1514

export const ETH_P_IP = 0x0800
export const ETH_P_ARP = 0x0806
export const ETH_P_8021Q = 0x8100
export const ETH_P_IPV6 = 0x86dd
export const ETH_P_8021AD = 0x88a8
export const VLAN_HLEN = 4

const DST = 0
const SRC = 6
const TYPE = 12

export class Eth extends View {
  static at(bytes: Uint8Array, at = 0, end = bytes.length): Eth | undefined {
    return fits(bytes, at, ETH_HLEN, end) ? new Eth(bytes, at) : undefined
  }

  get dst(): Uint8Array { return this.slice(DST, ETH_ALEN) }
  set dst(value: Uint8Array) { this.putBytes(DST, value) }
  get src(): Uint8Array { return this.slice(SRC, ETH_ALEN) }
  set src(value: Uint8Array) { this.putBytes(SRC, value) }
  get type(): number { return this.u16(TYPE) }
  set type(value: number) { this.put16(TYPE, value) }

  get isMulticast(): boolean { return (this.u8(DST) & 1) === 1 }
}

const TCI = 0
const INNER_TYPE = 2

/** A tag: the four bytes behind the EtherType that announces it. */
export class Vlan extends View {
  static at(bytes: Uint8Array, at: number, end = bytes.length): Vlan | undefined {
    return fits(bytes, at, VLAN_HLEN, end) ? new Vlan(bytes, at) : undefined
  }

  get tci(): number { return this.u16(TCI) }
  set tci(value: number) { this.put16(TCI, value) }
  get type(): number { return this.u16(INNER_TYPE) }
  set type(value: number) { this.put16(INNER_TYPE, value) }

  get id(): number { return this.tci & 0xfff }
  get priority(): number { return this.tci >>> 13 }
}

export const isVlanType = (type: number): boolean => type === ETH_P_8021Q || type === ETH_P_8021AD
