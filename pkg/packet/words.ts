// The words of a PACKET (`wire send … eth_type ipv4 ip_proto udp dst_port 7`): the match words of tc-flower(8), each with one value instead
// of a mask, in flower's own number bases (ip_proto, ip_tos and tcp_flags are hexadecimal), and what a frame has besides.
// A table as pkg/grammar reads it; this package only knows bytes.
import { parseClassid, parseIPv4, parseIPv6, parseLladdr, parseUnsigned } from '../units/index.js'
import type { PacketFields } from './fields.js'
import { ARP_OPS, ETH_TYPES, IP_PROTOS, valueOf } from './names.js'

/** A row of pkg/grammar's tables. */
export type PacketWord = {
  readonly word: string
  readonly type: { readonly name: string; readonly parse: (text: string) => unknown; readonly choices?: readonly string[] }
  readonly into: keyof PacketFields & string
  readonly once: true
}

const number = (name: string, bits: number, base: 0 | 10 | 16 = 10) => ({
  name,
  parse: (text: string) => (bits === 8 || bits === 16 || bits === 32 ? parseUnsigned(text, bits, base) : below(parseUnsigned(text, 16, base), bits)),
})

const below = (value: number | undefined, bits: number): number | undefined =>
  value !== undefined && value < 1 << bits ? value : undefined

const named = (name: string, table: readonly (readonly [string, number])[], bits: number, base: 0 | 10 | 16) => ({
  name,
  choices: [...new Map(table.map(([word, value]) => [value, word] as const).reverse()).values()].reverse(),
  parse: (text: string) => valueOf(table, text) ?? parseUnsigned(text, bits, base),
})

const ETH_TYPE = named('ETH_TYPE', ETH_TYPES, 16, 0)
const MAC = { name: 'LLADDR', parse: (text: string) => sized(parseLladdr(text), 6) }
const ADDRESS = { name: 'ADDRESS', parse: (text: string) => (text.includes(':') ? parseIPv6(text) : parseQuad(text)) }
const IPV4 = { name: 'IPV4_ADDRESS', parse: (text: string) => parseQuad(text) }
const HEX = { name: 'HEX', parse: parseHex }
const PRIORITY = {
  name: 'PRIORITY',
  parse: (text: string) => (text.includes(':') ? parseClassid(text) : parseUnsigned(text, 32, 0)),
}

const row = (word: keyof PacketFields & string, type: PacketWord['type']): PacketWord => ({ word, type, into: word, once: true })

export const packetWords: readonly PacketWord[] = [
  row('dst_mac', MAC),
  row('src_mac', MAC),
  row('eth_type', ETH_TYPE),
  row('vlan_id', number('VID', 12)),
  row('vlan_prio', number('PRIORITY', 3)),
  row('vlan_ethtype', ETH_TYPE),
  row('cvlan_id', number('VID', 12)),
  row('cvlan_prio', number('PRIORITY', 3)),
  row('cvlan_ethtype', ETH_TYPE),
  row('ip_proto', named('IP_PROTO', IP_PROTOS, 8, 16)),
  row('ip_tos', number('IP_TOS', 8, 16)),
  row('ip_ttl', number('IP_TTL', 8, 0)),
  row('dst_ip', ADDRESS),
  row('src_ip', ADDRESS),
  row('dst_port', number('PORT', 16)),
  row('src_port', number('PORT', 16)),
  row('tcp_flags', number('TCP_FLAGS', 12, 16)),
  row('type', number('TYPE', 8)),
  row('code', number('CODE', 8)),
  row('arp_tip', IPV4),
  row('arp_sip', IPV4),
  row('arp_op', named('OP', ARP_OPS, 8, 10)),
  row('arp_tha', MAC),
  row('arp_sha', MAC),
  row('len', number('LEN', 16)),
  row('payload', HEX),
  row('mark', number('MARK', 32, 0)),
  row('priority', PRIORITY),
  row('hex', HEX),
]

/** Hex bytes, with or without spaces, colons and a leading 0x: '00:11 22', '0x001122'. */
export function parseHex(text: string): Uint8Array | undefined {
  const digits = text.replace(/^0x/i, '').replace(/[\s:]/g, '')
  if (digits === '' || digits.length % 2 !== 0 || !/^[0-9a-f]+$/i.test(digits)) return undefined
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}

/** An address of a packet has four parts: iproute2's short forms would be guesses here. */
function parseQuad(text: string): Uint8Array | undefined {
  return text.split('.').length === 4 ? parseIPv4(text) : undefined
}

function sized(bytes: Uint8Array | undefined, length: number): Uint8Array | undefined {
  return bytes?.length === length ? bytes : undefined
}
