// Where a frame's layers are and which flow it belongs to (net/core/flow_dissector.c), without allocating: one FlowKeys is filled again
// and again. Works on any byte array, so also on a window of the machine's memory.
import { ETH_HLEN, ETH_P_IP, ETH_P_IPV6, VLAN_HLEN, isVlanType } from './eth.js'
import { IP_MF, IP_OFFSET, IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP, IPV4_HLEN } from './ipv4.js'
import { IPV6_HLEN, NEXTHDR_FRAGMENT, isExtensionHeader } from './ipv6.js'

const MAX_TAGS = 4
const MAX_EXTENSIONS = 8

export class FlowKeys {
  /** The innermost EtherType that could be read; 0: not even an Ethernet header. */
  ethType = 0
  /** The outermost VLAN tag, -1 without. */
  vlanTci = -1
  tags = 0
  /** Index of the network header, -1 when there is none. */
  l3 = -1
  /** Index of the transport header, -1 when there is none or it isn't known. */
  l4 = -1
  /** 0 for what is no IP. */
  ipProto = 0
  tos = 0
  /** Indexes of the addresses, and their length (4, 16; 0 without). */
  src = -1
  dst = -1
  addrLen = 0
  srcPort = 0
  dstPort = 0
  isFragment = false
  isFirstFragment = false

  reset(): void {
    this.ethType = 0
    this.vlanTci = -1
    this.tags = 0
    this.l3 = -1
    this.l4 = -1
    this.ipProto = 0
    this.tos = 0
    this.src = -1
    this.dst = -1
    this.addrLen = 0
    this.srcPort = 0
    this.dstPort = 0
    this.isFragment = false
    this.isFirstFragment = false
  }
}

/** Fills `keys` from the frame at [at, at + length): as far as the bytes reach. */
export function dissect(bytes: Uint8Array, at = 0, length = bytes.length - at, keys = new FlowKeys()): FlowKeys {
  keys.reset()
  const end = at + length
  if (length < ETH_HLEN) return keys
  keys.ethType = u16(bytes, at + 12)
  const l3 = skipTags(bytes, at + ETH_HLEN, end, keys)
  if (l3 < 0) return keys
  dissectNetwork(bytes, l3, end, keys.ethType, keys)
  return keys
}

/** The same from the network header on: for packets that have no Ethernet header (tun). */
export function dissectNetwork(bytes: Uint8Array, l3: number, end: number, ethType: number, keys: FlowKeys): void {
  keys.ethType = ethType
  if (ethType === ETH_P_IP) ipv4(bytes, l3, end, keys)
  else if (ethType === ETH_P_IPV6) ipv6(bytes, l3, end, keys)
  else if (l3 <= end) keys.l3 = l3
}

function skipTags(bytes: Uint8Array, from: number, end: number, keys: FlowKeys): number {
  let at = from
  while (isVlanType(keys.ethType)) {
    if (end - at < VLAN_HLEN || keys.tags === MAX_TAGS) return -1
    if (keys.tags === 0) keys.vlanTci = u16(bytes, at)
    keys.tags += 1
    keys.ethType = u16(bytes, at + 2)
    at += VLAN_HLEN
  }
  return at
}

function ipv4(bytes: Uint8Array, l3: number, end: number, keys: FlowKeys): void {
  const size = end - l3 < IPV4_HLEN ? 0 : (bytes[l3]! & 15) * 4
  if (size < IPV4_HLEN || bytes[l3]! >>> 4 !== 4 || end - l3 < size) return
  keys.l3 = l3
  keys.tos = bytes[l3 + 1]!
  keys.ipProto = bytes[l3 + 9]!
  keys.src = l3 + 12
  keys.dst = l3 + 16
  keys.addrLen = 4
  const fragment = u16(bytes, l3 + 6)
  keys.isFragment = (fragment & (IP_MF | IP_OFFSET)) !== 0
  keys.isFirstFragment = keys.isFragment && (fragment & IP_OFFSET) === 0
  transport(bytes, l3 + size, end, keys)
}

function ipv6(bytes: Uint8Array, l3: number, end: number, keys: FlowKeys): void {
  if (end - l3 < IPV6_HLEN || bytes[l3]! >>> 4 !== 6) return
  keys.l3 = l3
  keys.tos = (u16(bytes, l3) >>> 4) & 0xff
  keys.src = l3 + 8
  keys.dst = l3 + 24
  keys.addrLen = 16
  keys.ipProto = bytes[l3 + 6]!
  const l4 = skipExtensions(bytes, l3 + IPV6_HLEN, end, keys)
  if (l4 >= 0) transport(bytes, l4, end, keys)
}

function skipExtensions(bytes: Uint8Array, from: number, end: number, keys: FlowKeys): number {
  let at = from
  for (let i = 0; i < MAX_EXTENSIONS; i++) {
    const isFragment = keys.ipProto === NEXTHDR_FRAGMENT
    if (!isFragment && !isExtensionHeader(keys.ipProto)) return at
    if (end - at < 8) return -1
    if (isFragment) {
      keys.isFragment = true
      keys.isFirstFragment = u16(bytes, at + 2) >>> 3 === 0
    }
    keys.ipProto = bytes[at]!
    at += isFragment ? 8 : (bytes[at + 1]! + 1) * 8
  }
  return -1
}

/** Ports stand at the same place in TCP, UDP and SCTP; a later fragment has none. */
function transport(bytes: Uint8Array, l4: number, end: number, keys: FlowKeys): void {
  if (l4 > end || (keys.isFragment && !keys.isFirstFragment)) return
  keys.l4 = l4
  const { ipProto } = keys
  if (ipProto !== IPPROTO_TCP && ipProto !== IPPROTO_UDP && ipProto !== IPPROTO_SCTP) return
  if (end - l4 < 4) return
  keys.srcPort = u16(bytes, l4)
  keys.dstPort = u16(bytes, l4 + 2)
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}
