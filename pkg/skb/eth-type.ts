// What eth_type_trans() reads from an Ethernet header: the protocol and whom the frame is for. net/ethernet/eth.c.

/** PACKET_* of if_packet.h */
export const PACKET = { HOST: 0, BROADCAST: 1, MULTICAST: 2, OTHERHOST: 3 } as const

/** ETH_P_802_3_MIN: smaller numbers are lengths of LLC frames. */
const LEAST_TYPE = 0x0600
/** ETH_P_802_3 (raw IPX) and ETH_P_802_2, as they lie in memory. */
const RAW_802_3 = 0x0100
const LLC = 0x0400

/** skb->protocol of the frame of `len` bytes at `at`: two bytes in network order, read as a little-endian u16. */
export function etherType(u8: Uint8Array, at: number, len: number): number {
  if (((u8[at + 12]! << 8) | u8[at + 13]!) >= LEAST_TYPE) return u8[at + 12]! | (u8[at + 13]! << 8)
  return len >= 16 && u8[at + 14] === 0xff && u8[at + 15] === 0xff ? RAW_802_3 : LLC
}

/** Link addresses of a device; lo's broadcast address is all zeros too, so that it knows no broadcast. */
export interface LinkAddresses {
  readonly address: Uint8Array
  readonly broadcast: Uint8Array
}

/** skb->pkt_type of a frame that such a device receives. */
export function packetType(u8: Uint8Array, at: number, { address, broadcast }: LinkAddresses): number {
  if ((u8[at]! & 1) === 0) return same(u8, at, address) ? PACKET.HOST : PACKET.OTHERHOST
  return same(u8, at, broadcast) ? PACKET.BROADCAST : PACKET.MULTICAST
}

function same(u8: Uint8Array, at: number, address: Uint8Array): boolean {
  for (let i = 0; i < 6; i++) if (u8[at + i] !== address[i]) return false
  return true
}
