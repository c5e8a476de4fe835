// Makes fixtures/pcap: `node dist/test/support/make-pcaps.js` rewrites the files, a test holds them against this source.
// Nothing random and no clock, so the bytes are the same everywhere.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildPacket, pcapHeader, putPcapRecord, type PacketFields } from '../../pkg/packet/index.js'
import { root } from './root.js'

const MS = 1e6
const US = 1e3
const START = 1_700_000_000 * 1e9

interface Timed {
  fields: PacketFields
  /** ns since the capture's first frame. */
  at: number
}

const ip4 = (...parts: number[]): Uint8Array => Uint8Array.from(parts)
const ip6 = (last: number): Uint8Array => Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last)

// DSCP in the upper six bits: best effort, CS1, AF11, AF21, AF31, AF41, EF, CS6.
const TOS = [0x00, 0x20, 0x28, 0x48, 0x68, 0x88, 0xb8, 0xc0]
const SIZES = [60, 64, 128, 256, 512, 590, 1024, 1280, 1514]

// Ten kinds in turn; sizes and DSCPs have other periods, so that every pairing comes up.
const KINDS: ((i: number, tos: number, len: number) => PacketFields)[] = [
  (i, ip_tos, len) => ({ ip_proto: 17, src_ip: ip4(10, 0, 0, 1), dst_ip: ip4(10, 0, 1, 1), src_port: 40000 + i, dst_port: 7, ip_tos, len }),
  (i, ip_tos, len) => ({ ip_proto: 6, src_ip: ip4(10, 0, 0, 2), dst_ip: ip4(10, 0, 1, 2), src_port: 50000 + i, dst_port: 80, ip_tos, len }),
  (_i, ip_tos, len) => ({ ip_proto: 17, src_ip: ip4(10, 0, 0, 3), dst_ip: ip4(10, 0, 1, 3), src_port: 9003, dst_port: 9003, ip_tos, len }),
  (_i, ip_tos, len) => ({ ip_proto: 1, src_ip: ip4(10, 0, 0, 4), dst_ip: ip4(10, 0, 1, 4), ip_tos, len }),
  (i, ip_tos, len) => ({ ip_proto: 17, src_ip: ip6(1), dst_ip: ip6(0x11), src_port: 41000 + i, dst_port: 9004, ip_tos, len: Math.max(len, 62) }),
  (i) => ({ arp_sip: ip4(10, 0, 0, 5), arp_tip: ip4(10, 0, 1, i), len: 60 }),
  (i, ip_tos, len) => ({ ip_proto: 6, src_ip: ip6(2), dst_ip: ip6(0x12), src_port: 51000 + i, dst_port: 443, ip_tos, len: Math.max(len, 74) }),
  (i, ip_tos, len) => ({ vlan_id: 5, vlan_prio: i % 8, ip_proto: 17, src_ip: ip4(10, 5, 0, 1), dst_ip: ip4(10, 5, 1, 1), dst_port: 9005, ip_tos, len }),
  (_i, ip_tos, len) => ({ ip_proto: 0x3a, src_ip: ip6(3), dst_ip: ip6(0x13), ip_tos, len: Math.max(len, 62) }),
  (i, ip_tos, len) => ({ ip_proto: 17, src_ip: ip4(10, 0, 0, 6), dst_ip: ip4(239, 1, 2, 3), src_port: 9006, dst_port: 9100 + i, ip_tos, len }),
]

/** Sixty frames of everything: first two bursts of ten, 2 us apart within and 10 ms between, then one each ms. */
function mixed(): Timed[] {
  return Array.from({ length: 60 }, (_, i) => ({
    fields: KINDS[i % KINDS.length]!(i, TOS[(i * 3) % TOS.length]!, SIZES[(i * 2) % SIZES.length]!),
    at: i < 20 ? Math.floor(i / 10) * 10 * MS + (i % 10) * 2 * US : (i + 1) * MS,
  }))
}

/** Sixteen flows of sixteen packets, interleaved, half TCP (opening, data, closing) and half UDP, 10 us apart. */
function flows(): Timed[] {
  return Array.from({ length: 256 }, (_, i) => {
    const flow = i % 16
    const round = Math.floor(i / 16)
    const common = {
      src_ip: ip4(172, 16, flow >> 2, 10 + flow), dst_ip: ip4(172, 31, 0, 1 + (flow & 3)), src_port: 30000 + 17 * flow,
      dst_port: flow % 2 === 0 ? 443 : 53, len: 60 + ((flow * 37 + round * 11) % 200),
    }
    const flags = round === 0 ? 0x02 : round === 15 ? 0x11 : 0x18
    return { fields: flow % 2 === 0 ? { ...common, ip_proto: 6, tcp_flags: flags } : { ...common, ip_proto: 17 }, at: i * 10 * US }
  })
}

/** 256 frames of 64 bytes as fast as 1 Gbit/s carries them (64 + 24 bytes of FCS, preamble and gap: 704 ns). */
function small(): Timed[] {
  return Array.from({ length: 256 }, (_, i) => ({
    fields: { ip_proto: 17, src_ip: ip4(10, 0, 0, 1), dst_ip: ip4(10, 0, 0, 2), src_port: 1024 + (i % 64), dst_port: 9, len: 64 },
    at: i * 704,
  }))
}

function capture(frames: readonly Timed[]): Uint8Array {
  const packets = frames.map(({ fields }) => buildPacket(fields))
  const head = pcapHeader()
  const out = new Uint8Array(packets.reduce((size, packet) => size + 16 + packet.length, head.length))
  out.set(head)
  let at = head.length
  for (const [i, packet] of packets.entries()) at = record(out, at, packet, frames[i]!.at)
  return out
}

/** START is beyond 2^53 ns, so seconds are put in afterwards. */
function record(out: Uint8Array, at: number, packet: Uint8Array, time: number): number {
  const next = putPcapRecord(out, at, packet, time)
  const view = new DataView(out.buffer)
  view.setUint32(at, view.getUint32(at, true) + START / 1e9, true)
  return next
}

/** File name -> contents. */
export const captures: Readonly<Record<string, () => Uint8Array>> = {
  'mixed.pcap': () => capture(mixed()),
  'flows.pcap': () => capture(flows()),
  'small-64.pcap': () => capture(small()),
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, make] of Object.entries(captures)) writeFileSync(root('fixtures/pcap', name), make())
}
