// A frame in one line, as `tcpdump -nq` would say it, with what a queue looks at: tag, DSCP, length of the frame.
//   IP 192.0.2.1.40000 > 192.0.2.2.9: UDP, length 18 (60)
//   vlan 5 prio 3, IP6 2001:db8::1.40000 > 2001:db8::2.80: TCP, length 0, tos 0xb8 (78)
import { formatAddress, formatLladdr } from '../units/index.js'
import { Arp, ARPOP_REPLY, ARPOP_REQUEST } from './arp.js'
import { dissect, type FlowKeys } from './dissect.js'
import { ETH_HLEN, ETH_P_ARP, Eth } from './eth.js'
import { IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP } from './ipv4.js'
import { ETH_TYPES, nameOf } from './names.js'
import { Icmp, Tcp } from './transport.js'

/** One line about the frame at [at, at + length); never fails, whatever the bytes. */
export function summarize(bytes: Uint8Array, at = 0, length = bytes.length - at): string {
  if (length < ETH_HLEN) return `truncated frame (${length})`
  const keys = dissect(bytes, at, length)
  const tag = keys.vlanTci < 0 ? '' : `vlan ${keys.vlanTci & 0xfff}${keys.vlanTci >>> 13 ? ` prio ${keys.vlanTci >>> 13}` : ''}, `
  const tos = keys.tos === 0 ? '' : `, tos 0x${keys.tos.toString(16)}`
  return `${tag}${network(bytes, at, at + length, keys)}${tos} (${length})`
}

function network(bytes: Uint8Array, at: number, end: number, keys: FlowKeys): string {
  if (keys.addrLen !== 0) return ip(bytes, end, keys)
  const arp = keys.ethType === ETH_P_ARP && keys.l3 >= 0 ? Arp.at(bytes, keys.l3, end) : undefined
  if (arp?.isIpv4OverEthernet) return describeArp(arp)
  const eth = new Eth(bytes, at)
  const name = nameOf(ETH_TYPES, keys.ethType) ?? `ethertype 0x${keys.ethType.toString(16).padStart(4, '0')}`
  return `${formatLladdr(eth.src)} > ${formatLladdr(eth.dst)}, ${name}`
}

function describeArp(arp: Arp): string {
  const who = formatAddress(arp.sip)
  if (arp.op === ARPOP_REQUEST) return `ARP, Request who-has ${formatAddress(arp.tip)} tell ${who}`
  return arp.op === ARPOP_REPLY ? `ARP, Reply ${who} is-at ${formatLladdr(arp.sha)}` : `ARP, op ${arp.op} from ${who}`
}

function ip(bytes: Uint8Array, end: number, keys: FlowKeys): string {
  const hasPorts = keys.srcPort !== 0 || keys.dstPort !== 0
  const side = (at: number, port: number): string =>
    `${formatAddress(bytes.subarray(at, at + keys.addrLen))}${hasPorts ? `.${port}` : ''}`
  const way = `${keys.addrLen === 4 ? 'IP' : 'IP6'} ${side(keys.src, keys.srcPort)} > ${side(keys.dst, keys.dstPort)}`
  return `${way}: ${transport(bytes, Math.min(end, ipEnd(bytes, keys)), keys)}`
}

/** Where the IP packet says it ends: a short frame has padding behind it. */
function ipEnd(bytes: Uint8Array, keys: FlowKeys): number {
  const u16 = (at: number): number => (bytes[at]! << 8) | bytes[at + 1]!
  return keys.addrLen === 4 ? keys.l3 + u16(keys.l3 + 2) : keys.l3 + 40 + u16(keys.l3 + 4)
}

const ICMP_WORDS: Readonly<Record<number, string>> = { 0: 'echo reply', 3: 'unreachable', 8: 'echo request', 11: 'time exceeded' }
const ICMPV6_WORDS: Readonly<Record<number, string>> = {
  1: 'unreachable', 2: 'packet too big', 128: 'echo request', 129: 'echo reply', 133: 'router solicitation',
  134: 'router advertisement', 135: 'neighbor solicitation', 136: 'neighbor advertisement',
}

function transport(bytes: Uint8Array, end: number, keys: FlowKeys): string {
  const { l4, ipProto } = keys
  if (l4 < 0) return `${protocolName(ipProto)}, fragment`
  const rest = Math.max(0, end - l4)
  if (ipProto === IPPROTO_UDP) return `UDP, length ${Math.max(0, rest - 8)}`
  if (ipProto === IPPROTO_TCP) return `TCP, length ${Math.max(0, rest - (Tcp.at(bytes, l4, end)?.headerLength ?? 20))}`
  if (ipProto !== IPPROTO_ICMP && ipProto !== IPPROTO_ICMPV6) return `${protocolName(ipProto)}, length ${rest}`
  const type = Icmp.at(bytes, l4, end)?.type ?? 0
  const word = (ipProto === IPPROTO_ICMP ? ICMP_WORDS : ICMPV6_WORDS)[type] ?? `type ${type}`
  return `${protocolName(ipProto)} ${word}, length ${rest}`
}

const PROTOCOLS: Readonly<Record<number, string>> = {
  [IPPROTO_UDP]: 'UDP', [IPPROTO_TCP]: 'TCP', [IPPROTO_ICMP]: 'ICMP', [IPPROTO_ICMPV6]: 'ICMP6', [IPPROTO_SCTP]: 'SCTP',
}

const protocolName = (ipProto: number): string => PROTOCOLS[ipProto] ?? `ip-proto-${ipProto}`
