// A frame from words: every length and checksum comes out right, whatever was said and in whichever order.
// Contradictions (ports on ICMP, an IPv6 address in an IPv4 packet) are refused, never ignored.
import { InputError } from '../bytes/errors.js'
import { ARP_LEN, ARPOP_REQUEST, Arp } from './arp.js'
import { internetChecksum, pseudoHeaderSum } from './checksum.js'
import { ETH_HLEN, ETH_P_8021AD, ETH_P_8021Q, ETH_P_ARP, ETH_P_IP, ETH_P_IPV6, ETH_ZLEN, Eth, isVlanType, VLAN_HLEN, Vlan } from './eth.js'
import type { PacketFields } from './fields.js'
import { IP_DF, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_TCP, IPPROTO_UDP, IPV4_HLEN, Ipv4 } from './ipv4.js'
import { IPV6_HLEN, Ipv6 } from './ipv6.js'
import { ICMP_ECHO, ICMP_HLEN, ICMPV6_ECHO_REQUEST, Icmp, TCP_ACK, TCP_HLEN, Tcp, UDP_HLEN, Udp } from './transport.js'

/** Who sends to whom when the words don't say; a caller that knows the devices gives their addresses. */
export interface PacketDefaults {
  src_mac: Uint8Array
  dst_mac: Uint8Array
  src_ip: Uint8Array
  dst_ip: Uint8Array
  src_ip6: Uint8Array
  dst_ip6: Uint8Array
}

const documentation6 = (last: number): Uint8Array => Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last)

/** Locally administered MACs; addresses kept for documentation (RFC 5737, RFC 3849). */
export const packetDefaults: Readonly<PacketDefaults> = {
  src_mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
  dst_mac: Uint8Array.of(2, 0, 0, 0, 0, 2),
  src_ip: Uint8Array.of(192, 0, 2, 1),
  dst_ip: Uint8Array.of(192, 0, 2, 2),
  src_ip6: documentation6(1),
  dst_ip6: documentation6(2),
}

const MAX_FRAME = 65535
const BROADCAST = new Uint8Array(6).fill(0xff)
const IP_WORDS = ['ip_proto', 'ip_tos', 'ip_ttl', 'src_ip', 'dst_ip'] as const
const PORT_WORDS = ['src_port', 'dst_port'] as const
const ICMP_WORDS = ['type', 'code'] as const
const ARP_WORDS = ['arp_op', 'arp_sip', 'arp_tip', 'arp_sha', 'arp_tha'] as const

/** The bytes of the frame that the words describe. */
export function buildPacket(fields: Readonly<PacketFields>, defaults: Partial<PacketDefaults> = {}): Uint8Array {
  if (fields.hex !== undefined) return rawFrame(fields, fields.hex)
  const known = { ...packetDefaults, ...defaults }
  const l2 = linkLayer(fields)
  const ipProto = l2.type === ETH_P_IP || l2.type === ETH_P_IPV6 ? protocolOf(fields, l2.type) : undefined
  refuseStrangers(fields, l2.type, ipProto)
  const headers = l2.size + networkSize(l2.type) + transportSize(ipProto)
  const frame = new Uint8Array(frameLength(fields, headers))
  frame.set(fields.payload ?? [], headers)
  const l3 = l2.size
  const l4 = l3 + networkSize(l2.type)
  if (l2.type === ETH_P_ARP) writeArp(frame, l3, fields, known)
  else if (ipProto !== undefined) writeIp(frame, l3, l4, l2.type, ipProto, fields, known)
  writeLink(frame, l2, fields, known)
  return frame
}

function rawFrame(fields: Readonly<PacketFields>, bytes: Uint8Array): Uint8Array {
  const beside = Object.keys(fields).find((word) => !['hex', 'mark', 'priority'].includes(word))
  if (beside !== undefined) throw new InputError(`"hex" gives the whole frame, "${beside}" can't stand beside it`)
  if (bytes.length > MAX_FRAME) throw new InputError(`a frame of ${bytes.length} bytes is longer than ${MAX_FRAME}`)
  return bytes
}

interface Link {
  /** Tags from the outermost inwards: the type that announces each, and its TCI. */
  tags: { type: number; tci: number }[]
  /** The network protocol behind them. */
  type: number
  size: number
}

function linkLayer(fields: Readonly<PacketFields>): Link {
  const inner = said(fields, ['cvlan_id', 'cvlan_prio', 'cvlan_ethtype'])
  const outer = inner || said(fields, ['vlan_id', 'vlan_prio', 'vlan_ethtype']) || isVlanType(fields.eth_type ?? 0)
  const tags: Link['tags'] = []
  if (outer) tags.push({ type: tagType(fields.eth_type, inner ? ETH_P_8021AD : ETH_P_8021Q), tci: tci(fields.vlan_id, fields.vlan_prio) })
  if (inner) tags.push({ type: tagType(fields.vlan_ethtype, ETH_P_8021Q), tci: tci(fields.cvlan_id, fields.cvlan_prio) })
  const types = [fields.cvlan_ethtype, fields.vlan_ethtype, fields.eth_type].filter((type) => type !== undefined && !isVlanType(type))
  return { tags, type: types[0] ?? networkType(fields), size: ETH_HLEN + tags.length * VLAN_HLEN }
}

const tagType = (type: number | undefined, otherwise: number): number => (type !== undefined && isVlanType(type) ? type : otherwise)
const tci = (id = 0, priority = 0): number => (priority << 13) | id

/** What the other words say about the network protocol when no type does. */
function networkType(fields: Readonly<PacketFields>): number {
  if (said(fields, ARP_WORDS)) return ETH_P_ARP
  const address = fields.dst_ip ?? fields.src_ip
  return address?.length === 16 || fields.ip_proto === IPPROTO_ICMPV6 ? ETH_P_IPV6 : ETH_P_IP
}

function protocolOf(fields: Readonly<PacketFields>, type: number): number {
  if (fields.ip_proto !== undefined) return fields.ip_proto
  if (said(fields, ICMP_WORDS)) return type === ETH_P_IPV6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP
  return fields.tcp_flags === undefined ? IPPROTO_UDP : IPPROTO_TCP
}

/** Words that the chosen protocols have no field for, and addresses of the other family. */
function refuseStrangers(fields: Readonly<PacketFields>, type: number, ipProto: number | undefined): void {
  const hasPorts = ipProto === IPPROTO_TCP || ipProto === IPPROTO_UDP
  const strangers: string[] = []
  if (ipProto === undefined) strangers.push(...IP_WORDS)
  if (!hasPorts) strangers.push(...PORT_WORDS)
  if (ipProto !== IPPROTO_TCP) strangers.push('tcp_flags')
  if (ipProto !== IPPROTO_ICMP && ipProto !== IPPROTO_ICMPV6) strangers.push(...ICMP_WORDS)
  if (type !== ETH_P_ARP) strangers.push(...ARP_WORDS)
  const found = strangers.find((word) => fields[word as keyof PacketFields] !== undefined)
  if (found !== undefined) throw new InputError(`"${found}" has no place in ${describe(type, ipProto)}`)
  const length = type === ETH_P_IPV6 ? 16 : 4
  for (const word of ['src_ip', 'dst_ip'] as const) {
    if ((fields[word]?.length ?? length) !== length) throw new InputError(`"${word}" is no address of ${describe(type, undefined)}`)
  }
}

const PACKETS: Readonly<Record<number, string>> = {
  [IPPROTO_TCP]: 'a TCP packet', [IPPROTO_UDP]: 'a UDP packet', [IPPROTO_ICMP]: 'an ICMP packet', [IPPROTO_ICMPV6]: 'an ICMPv6 packet',
}
const FRAMES: Readonly<Record<number, string>> = { [ETH_P_IP]: 'an IPv4 packet', [ETH_P_IPV6]: 'an IPv6 packet', [ETH_P_ARP]: 'an ARP packet' }

function describe(type: number, ipProto: number | undefined): string {
  if (ipProto !== undefined) return PACKETS[ipProto] ?? `a packet of IP protocol ${ipProto}`
  return FRAMES[type] ?? `a frame of type 0x${type.toString(16)}`
}

function networkSize(type: number): number {
  return { [ETH_P_IP]: IPV4_HLEN, [ETH_P_IPV6]: IPV6_HLEN, [ETH_P_ARP]: ARP_LEN }[type] ?? 0
}

function transportSize(ipProto: number | undefined): number {
  return { [IPPROTO_TCP]: TCP_HLEN, [IPPROTO_UDP]: UDP_HLEN, [IPPROTO_ICMP]: ICMP_HLEN, [IPPROTO_ICMPV6]: ICMP_HLEN }[ipProto ?? -1] ?? 0
}

function frameLength(fields: Readonly<PacketFields>, headers: number): number {
  const least = headers + (fields.payload?.length ?? 0)
  const length = fields.len ?? (fields.payload === undefined ? Math.max(least, ETH_ZLEN) : least)
  if (length < least) throw new InputError(`"len" ${length} is shorter than headers and payload (${least})`)
  if (length > MAX_FRAME) throw new InputError(`a frame of ${length} bytes is longer than ${MAX_FRAME}`)
  return length
}

function writeLink(frame: Uint8Array, link: Link, fields: Readonly<PacketFields>, known: PacketDefaults): void {
  const eth = new Eth(frame, 0)
  eth.src = fields.src_mac ?? known.src_mac
  eth.dst = fields.dst_mac ?? groupAddress(frame, link) ?? known.dst_mac
  const types = [...link.tags.map((tag) => tag.type), link.type]
  eth.type = types[0]!
  link.tags.forEach((tag, i) => new Vlan(frame, ETH_HLEN + i * VLAN_HLEN).set({ tci: tag.tci, type: types[i + 1]! }))
}

/** Broadcast and multicast have their own MACs (RFC 1112, RFC 2464); an ARP request goes to all. */
function groupAddress(frame: Uint8Array, link: Link): Uint8Array | undefined {
  if (link.type === ETH_P_ARP) return new Arp(frame, link.size).op === ARPOP_REQUEST ? BROADCAST : undefined
  if (link.type === ETH_P_IPV6) {
    const { dst } = new Ipv6(frame, link.size)
    return dst[0] === 0xff ? Uint8Array.of(0x33, 0x33, ...dst.subarray(12)) : undefined
  }
  if (link.type !== ETH_P_IP) return undefined
  const { dst } = new Ipv4(frame, link.size)
  if (dst.every((byte) => byte === 0xff)) return BROADCAST
  return dst[0]! >>> 4 === 14 ? Uint8Array.of(1, 0, 0x5e, dst[1]! & 0x7f, dst[2]!, dst[3]!) : undefined
}

function writeArp(frame: Uint8Array, l3: number, fields: Readonly<PacketFields>, known: PacketDefaults): void {
  const op = fields.arp_op ?? ARPOP_REQUEST
  new Arp(frame, l3).begin().set({
    op,
    sha: fields.arp_sha ?? fields.src_mac ?? known.src_mac,
    sip: fields.arp_sip ?? known.src_ip,
    tha: fields.arp_tha ?? (op === ARPOP_REQUEST ? new Uint8Array(6) : fields.dst_mac ?? known.dst_mac),
    tip: fields.arp_tip ?? known.dst_ip,
  })
}

function writeIp(
  frame: Uint8Array, l3: number, l4: number, type: number, ipProto: number, fields: Readonly<PacketFields>, known: PacketDefaults,
): void {
  const six = type === ETH_P_IPV6
  const src = fields.src_ip ?? (six ? known.src_ip6 : known.src_ip)
  const dst = fields.dst_ip ?? (six ? known.dst_ip6 : known.dst_ip)
  const tos = fields.ip_tos ?? 0
  const ttl = fields.ip_ttl ?? 64
  if (six) {
    new Ipv6(frame, l3).begin().set({ trafficClass: tos, payloadLength: frame.length - l4, nextHeader: ipProto, hopLimit: ttl, src, dst })
  } else {
    new Ipv4(frame, l3).begin().set({ tos, totalLength: frame.length - l3, fragOff: IP_DF, ttl, protocol: ipProto, src, dst }).seal()
  }
  writeTransport(frame, l4, ipProto, fields, pseudoHeaderSum(src, dst, ipProto, frame.length - l4))
}

function writeTransport(frame: Uint8Array, l4: number, ipProto: number, fields: Readonly<PacketFields>, pseudo: number): void {
  const source = fields.src_port ?? 40000
  const dest = fields.dst_port ?? 9
  if (ipProto === IPPROTO_UDP) {
    const udp = new Udp(frame, l4).set({ source, dest, length: frame.length - l4 })
    udp.check = internetChecksum(frame, l4, frame.length - l4, pseudo) || 0xffff // 0 would say: no checksum
  } else if (ipProto === IPPROTO_TCP) {
    const tcp = new Tcp(frame, l4).begin().set({ source, dest, seq: 1, ack: 0, flags: fields.tcp_flags ?? TCP_ACK, window: 65535 })
    tcp.check = internetChecksum(frame, l4, frame.length - l4, pseudo)
  } else if (ipProto === IPPROTO_ICMP || ipProto === IPPROTO_ICMPV6) {
    const six = ipProto === IPPROTO_ICMPV6
    const icmp = new Icmp(frame, l4).set({ type: fields.type ?? (six ? ICMPV6_ECHO_REQUEST : ICMP_ECHO), code: fields.code ?? 0, id: 1, sequence: 1 })
    icmp.check = internetChecksum(frame, l4, frame.length - l4, six ? pseudo : 0)
  }
}

function said(fields: Readonly<PacketFields>, words: readonly (keyof PacketFields)[]): boolean {
  return words.some((word) => fields[word] !== undefined)
}
