// EtherTypes by name (lib/ll_proto.c): the first of two names for a number is the one printed.
import { parseUnsigned } from '../../pkg/units/index.js'

const PROTOCOLS: readonly (readonly [string, number])[] = [
  ['loop', 0x60], ['pup', 0x200], ['ip', 0x800], ['ipv4', 0x800], ['x25', 0x805], ['arp', 0x806], ['ieeepup', 0xa00], ['ieeepupat', 0xa01],
  ['dec', 0x6000], ['dna_dl', 0x6001], ['dna_rc', 0x6002], ['dna_rt', 0x6003], ['lat', 0x6004], ['diag', 0x6005], ['cust', 0x6006], ['sca', 0x6007],
  ['rarp', 0x8035], ['atalk', 0x809b], ['aarp', 0x80f3], ['ipx', 0x8137], ['ipv6', 0x86dd], ['mpls_uc', 0x8847], ['mpls_mc', 0x8848],
  ['ppp_disc', 0x8863], ['ppp_ses', 0x8864], ['atmmpoa', 0x884c], ['atmfate', 0x8884], ['802_3', 1], ['ax25', 2], ['all', 3], ['802_2', 4],
  ['snap', 5], ['ddcmp', 6], ['wan_ppp', 7], ['ppp_mp', 8], ['localtalk', 9], ['can', 0xc], ['ppptalk', 0x10], ['tr_802_2', 0x11],
  ['mobitex', 0x15], ['control', 0x16], ['irda', 0x17], ['econet', 0x18], ['tipc', 0x88ca], ['profinet', 0x8892], ['aoe', 0x88a2],
  ['ethercat', 0x88a4], ['802.1Q', 0x8100], ['802.1ad', 0x88a8], ['lldp', 0x88cc],
]

/** 'ip' or 0x800. */
export function parseProtocol(text: string): number | undefined {
  return PROTOCOLS.find(([name]) => name.toLowerCase() === text.toLowerCase())?.[1] ?? parseUnsigned(text, 16)
}

export function formatProtocol(protocol: number): string {
  return PROTOCOLS.find(([, number]) => number === protocol)?.[0] ?? `[${protocol}]`
}
