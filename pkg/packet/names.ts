// Words for numbers in headers: EtherTypes as lib/ll_proto.c names them, protocols as tc-flower(8) and tcpdump do.
import { ETH_P_8021AD, ETH_P_8021Q, ETH_P_ARP, ETH_P_IP, ETH_P_IPV6 } from './eth.js'
import { IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP } from './ipv4.js'

/** The first name of a number is the one that is printed. */
export const ETH_TYPES: readonly (readonly [string, number])[] = [
  ['ipv4', ETH_P_IP],
  ['ip', ETH_P_IP],
  ['arp', ETH_P_ARP],
  ['ipv6', ETH_P_IPV6],
  ['802.1Q', ETH_P_8021Q],
  ['802.1q', ETH_P_8021Q],
  ['vlan', ETH_P_8021Q],
  ['802.1ad', ETH_P_8021AD],
  ['qinq', ETH_P_8021AD],
  ['rarp', 0x8035],
  ['lldp', 0x88cc],
  ['mpls_uc', 0x8847],
  ['mpls_mc', 0x8848],
  ['ppp_disc', 0x8863],
  ['ppp_ses', 0x8864],
  ['eapol', 0x888e],
  ['aoe', 0x88a2],
  ['ptp', 0x88f7],
]

export const IP_PROTOS: readonly (readonly [string, number])[] = [
  ['tcp', IPPROTO_TCP],
  ['udp', IPPROTO_UDP],
  ['sctp', IPPROTO_SCTP],
  ['icmp', IPPROTO_ICMP],
  ['icmpv6', IPPROTO_ICMPV6],
]

export const ARP_OPS: readonly (readonly [string, number])[] = [
  ['request', 1],
  ['reply', 2],
]

export function nameOf(table: readonly (readonly [string, number])[], value: number): string | undefined {
  return table.find(([, number]) => number === value)?.[0]
}

export function valueOf(table: readonly (readonly [string, number])[], name: string): number | undefined {
  return table.find(([word]) => word === name)?.[1]
}
