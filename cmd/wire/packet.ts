// PACKET: a frame from words, as a peer on the device's link, or a socket behind it, would send it.
import { InputError } from '../../pkg/bytes/errors.js'
import type { Row } from '../../pkg/grammar/index.js'
import { buildPacket, dissect, ETH_HLEN, flowHash, IPPROTO_TCP, IPPROTO_UDP, packetWords, type PacketDefaults, type PacketFields } from '../../pkg/packet/index.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import type { Address, Link } from '../../pkg/request/rtnl.js'
import type { WireFrame } from '../../pkg/request/wire.js'
import { parseIPv4, parseIPv6, parseLladdr } from '../../pkg/units/index.js'
import type { Direction } from './words.js'

/** pkg/packet's table as rows. */
export const packetRows: readonly Row<PacketFields>[] = packetWords

/** The frame, with the device's own addresses on its own side where the words don't say others. */
export function frameOf(kernel: Kernel, link: Link, direction: Direction, fields: PacketFields): Omit<WireFrame, 'at'> {
  const bytes = buildPacket(fields, fields.hex === undefined ? ownAddresses(kernel, link, direction) : {})
  if (link.type !== 'none' && bytes.length < ETH_HLEN) throw new InputError(`a frame of ${bytes.length} bytes has no Ethernet header`)
  const { mark, priority } = fields
  return {
    bytes, ...(mark === undefined ? {} : { mark }), ...(priority === undefined ? {} : { priority }), ...(direction === 'tx' ? socketOf(bytes) : {}),
  }
}

function ownAddresses(kernel: Kernel, link: Link, direction: Direction): Partial<PacketDefaults> {
  const side = direction === 'rx' ? 'dst' : 'src'
  const addresses = kernel.request('addr.get', { dev: link.name })
  const own: Partial<PacketDefaults> = {}
  const set = (key: keyof PacketDefaults, bytes: Uint8Array | undefined): void => { if (bytes !== undefined) own[key] = bytes }
  if (link.type === 'ether') set(`${side}_mac`, parseLladdr(link.address))
  set(`${side}_ip`, first(addresses, 'inet', parseIPv4))
  set(`${side}_ip6`, first(addresses, 'inet6', parseIPv6))
  return own
}

function first(addresses: readonly Address[], family: Address['family'], parse: (text: string) => Uint8Array | undefined): Uint8Array | undefined {
  const found = addresses.find((address) => address.family === family)
  return found === undefined ? undefined : parse(found.local)
}

/** Frames of one flow come from one socket; what has no ports comes from a raw one. */
export function socketOf(bytes: Uint8Array): Pick<WireFrame, 'flow'> {
  const { ipProto } = dissect(bytes)
  if (ipProto !== IPPROTO_TCP && ipProto !== IPPROTO_UDP) return {}
  return { flow: { id: flowHash(bytes), tcp: ipProto === IPPROTO_TCP } }
}
