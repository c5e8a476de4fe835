// A flow's 32-bit hash: the role of skb_get_hash (net/core/flow_dissector.c), which keys a SipHash by a random number of the boot.
// Here every run is the same, so the hash is a plain mix; like the kernel's it is equal for both directions and never 0.
import { dissect, FlowKeys } from './dissect.js'

const scratch = new FlowKeys()

/** Of the frame at [at, at + length). What is no IP is one flow by its EtherType and addresses. */
export function flowHash(bytes: Uint8Array, at = 0, length = bytes.length - at): number {
  const keys = dissect(bytes, at, length, scratch)
  return keys.addrLen === 0 ? hashEthernet(bytes, at, length, keys) : flowHashOf(bytes, keys)
}

/** Of a dissected IP packet. Later fragments have no ports, so a fragmented flow's first packet is hashed without them too. */
export function flowHashOf(bytes: Uint8Array, keys: FlowKeys): number {
  const withPorts = !keys.isFragment
  const a = foldAddress(bytes, keys.src, keys.addrLen)
  const b = foldAddress(bytes, keys.dst, keys.addrLen)
  const srcPort = withPorts ? keys.srcPort : 0
  const dstPort = withPorts ? keys.dstPort : 0
  const swap = a > b || (a === b && srcPort > dstPort)
  let hash = mix(mix(keys.ipProto, swap ? b : a), swap ? a : b)
  hash = mix(hash, swap ? (dstPort << 16) | srcPort : (srcPort << 16) | dstPort)
  return finish(hash)
}

function hashEthernet(bytes: Uint8Array, at: number, length: number, keys: FlowKeys): number {
  let hash = mix(0x9747b28c, keys.ethType)
  const end = at + Math.min(length, 12)
  for (let i = at; i < end; i++) hash = mix(hash, bytes[i]!)
  return finish(hash)
}

/** An address as one word: IPv4 as it is, IPv6 mixed. */
function foldAddress(bytes: Uint8Array, at: number, length: number): number {
  let word = 0
  for (let i = at; i < at + length; i += 4) {
    const next = ((bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!) >>> 0
    word = length === 4 ? next : mix(word, next) >>> 0
  }
  return word
}

function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51)
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593)
  const h = hash ^ k
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
}

function finish(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0 || 1
}
