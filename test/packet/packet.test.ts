// Header views, checksums, dissection, flow hashes, frames from words, summaries.
import t from 'tap'
import { InputError } from '../../pkg/bytes/errors.js'
import {
  Arp, buildPacket, checksumFold, dissect, ETH_P_8021AD, ETH_P_IP, ETH_P_IPV6, Eth, flowHash, Icmp, internetChecksum, Ipv4, Ipv6, packetWords,
  parseHex, pseudoHeaderSum, summarize, Tcp, Udp, Vlan, type PacketFields,
} from '../../pkg/packet/index.js'

/** A PACKET as typed: words in pairs through the keyword table. */
function words(text: string): PacketFields {
  const typed = text.split(' ')
  const fields: Record<string, unknown> = {}
  for (let i = 0; i < typed.length; i += 2) {
    const row = packetWords.find(({ word }) => word === typed[i])
    const value = row?.type.parse(typed[i + 1] ?? '')
    if (row === undefined || value === undefined) throw new Error(`no such word: ${typed[i]} ${typed[i + 1]}`)
    fields[row.into] = value
  }
  return fields as PacketFields
}

const build = (text: string): Uint8Array => buildPacket(words(text))
const hex = (text: string): Uint8Array => parseHex(text)!

// A DNS query; its checksums were computed elsewhere.
const DNS = hex(`
  02 42 ac 11 00 02 02 42 e1 a5 0b 01 08 00 45 00 00 39 6b 1c 40 00 40 11 77 72
  ac 11 00 01 ac 11 00 02 9c 40 00 35 00 25 26 61 12 34 01 00 00 01 00 00 00 00 00 00
  07 65 78 61 6d 70 6c 65 03 6f 72 67 00 00 01 00 01`.replaceAll('\n', ''))

t.test('views deconstruct a frame', async (t) => {
  const eth = Eth.at(DNS)!
  t.equal(eth.type, ETH_P_IP)
  t.same([...eth.dst], [0x02, 0x42, 0xac, 0x11, 0x00, 0x02])
  const ip = Ipv4.at(DNS, 14)!
  t.same([ip.headerLength, ip.totalLength, ip.id, ip.fragOff, ip.ttl, ip.protocol], [20, 57, 0x6b1c, 0x4000, 64, 17])
  t.ok(ip.isChecksumRight)
  const udp = Udp.at(DNS, 34)!
  t.same([udp.source, udp.dest, udp.length], [40000, 53, 37])
  t.equal(internetChecksum(DNS, 34, 37, pseudoHeaderSum(ip.src, ip.dst, 17, 37)), 0x0000, 'the sum over a right datagram is 0')
})

t.test('views construct headers in bytes that held something else', async (t) => {
  const dirty = (): Uint8Array => new Uint8Array(64).fill(0xa5)
  const arp = new Arp(dirty(), 2).begin().set({ op: 2, sip: Uint8Array.of(10, 0, 0, 1), tip: Uint8Array.of(10, 0, 0, 2) })
  t.ok(arp.isIpv4OverEthernet)
  t.same([arp.op, ...arp.sip, ...arp.tip], [2, 10, 0, 0, 1, 10, 0, 0, 2])
  t.equal(arp.bytes[1], 0xa5, 'nothing before the header is touched')
  const six = new Ipv6(dirty(), 1).begin().set({ trafficClass: 0xb8, flowLabel: 0x12345, payloadLength: 8, nextHeader: 58, hopLimit: 1 })
  t.same([six.version, six.trafficClass, six.dscp, six.flowLabel, six.payloadLength, six.nextHeader, six.hopLimit], [6, 0xb8, 46, 0x12345, 8, 58, 1])
  six.trafficClass = 1
  t.same([six.version, six.trafficClass, six.flowLabel], [6, 1, 0x12345], 'fields that share a word leave each other alone')
  const tcp = new Tcp(dirty(), 0).begin().set({ source: 1, dest: 65535, seq: 0xfffffffe, ack: 0x80000000, flags: 0x1ff, window: 7 })
  t.same([tcp.headerLength, tcp.source, tcp.dest, tcp.seq, tcp.ack, tcp.flags, tcp.window], [20, 1, 65535, 0xfffffffe, 0x80000000, 0x1ff, 7])
  const vlan = new Vlan(dirty(), 0).set({ tci: 0xa005, type: ETH_P_IP })
  t.same([vlan.id, vlan.priority, vlan.type], [5, 5, ETH_P_IP])
})

t.test('a view needs its whole header', async (t) => {
  t.equal(Eth.at(new Uint8Array(13)), undefined)
  t.equal(Ipv4.at(DNS, 14, 33), undefined, 'the end may be before the end of the bytes')
  t.equal(Ipv4.at(DNS, 14, 1000), undefined, 'and never behind it')
  t.equal(Ipv4.at(hex('44' + '00'.repeat(19)), 0), undefined, 'a header length below 20')
  t.equal(Ipv4.at(hex('4f' + '00'.repeat(19)), 0), undefined, 'options that are not there')
  t.equal(Ipv6.at(DNS, 14), undefined, 'another version')
  t.equal(Tcp.at(hex('00'.repeat(12) + '40' + '00'.repeat(7)), 0), undefined, 'a data offset below 5')
  t.equal(Icmp.at(new Uint8Array(7), 0), undefined)
})

t.test('checksums', async (t) => {
  t.equal(internetChecksum(hex('0001 f203 f4f5 f6f7')), 0x220d, 'the example of RFC 1071')
  t.equal(internetChecksum(hex('01')), 0xfeff, 'an odd byte is the upper half')
  t.equal(internetChecksum(new Uint8Array(0)), 0xffff)
  t.equal(checksumFold(0xffff * 0x10001), 0xffff)
  t.equal(internetChecksum(new Uint8Array(65536).fill(0xff)), 0, 'no overflow on the longest')
})

t.test('frames from words are valid packets', async (t) => {
  const cases: [string, number, number][] = [
    ['ip_proto udp', 60, 17],
    ['ip_proto udp dst_port 7 len 1514', 1514, 17],
    ['tcp_flags 2', 60, 6],
    ['ip_proto tcp payload 0102030405', 59, 6],
    ['ip_proto icmp len 99', 99, 1],
    ['dst_ip 2001:db8::5', 62, 17],
    ['dst_ip 2001:db8::5 ip_proto tcp', 74, 6],
    ['ip_proto icmpv6', 62, 58],
    ['eth_type ipv6 type 136 code 1', 62, 58],
    ['vlan_id 5 ip_proto udp', 60, 17],
    ['ip_proto 84 payload 00', 35, 0x84],
  ]
  for (const [text, length, proto] of cases) {
    const frame = build(text)
    const keys = dissect(frame)
    t.same([frame.length, keys.ipProto], [length, proto], text)
    const src = frame.subarray(keys.src, keys.src + keys.addrLen)
    const dst = frame.subarray(keys.dst, keys.dst + keys.addrLen)
    const rest = frame.length - keys.l4
    if (keys.addrLen === 4) t.ok(Ipv4.at(frame, keys.l3)!.isChecksumRight && Ipv4.at(frame, keys.l3)!.totalLength === frame.length - keys.l3)
    else t.equal(Ipv6.at(frame, keys.l3)!.payloadLength, rest)
    if (proto === 0x84) continue
    t.equal(internetChecksum(frame, keys.l4, rest, proto === 1 ? 0 : pseudoHeaderSum(src, dst, proto, rest)), 0, `checksum of ${text}`)
  }
})

t.test('words say what they do in flower', async (t) => {
  const frame = build('src_mac 02:00:00:00:00:0a dst_mac 02:00:00:00:00:0b ip_proto 11 ip_tos b8 ip_ttl 3 src_ip 10.0.0.1 dst_ip 10.0.0.2 src_port 5 dst_port 6')
  const ip = Ipv4.at(frame, 14)!
  t.same([ip.protocol, ip.tos, ip.dscp, ip.ttl, ...ip.src, ...ip.dst], [17, 0xb8, 46, 3, 10, 0, 0, 1, 10, 0, 0, 2], 'ip_proto and ip_tos are hexadecimal')
  t.same([...Eth.at(frame)!.src, ...Eth.at(frame)!.dst], [2, 0, 0, 0, 0, 10, 2, 0, 0, 0, 0, 11])
  const tagged = build('eth_type 802.1ad vlan_id 7 vlan_prio 3 cvlan_id 9 ip_proto udp')
  t.same([Eth.at(tagged)!.type, Vlan.at(tagged, 14)!.tci, Vlan.at(tagged, 18)!.id, Vlan.at(tagged, 18)!.type], [ETH_P_8021AD, 0x6007, 9, ETH_P_IP])
  t.same([dissect(tagged).tags, dissect(tagged).vlanTci], [2, 0x6007])
  t.equal(dissect(build('eth_type 802.1Q vlan_ethtype ipv6')).ethType, ETH_P_IPV6, 'flower puts the network protocol into vlan_ethtype')
  t.same([words('priority 1:10').priority, words('priority 0x20').priority, words('mark 7').mark], [0x10010, 32, 7])
  t.same([...build('hex 00:11:22 mark 3')], [0, 0x11, 0x22], 'a frame as it is, however short')
  t.equal(build('eth_type 0x88b5 payload 0102').length, 16, 'an unknown type is a header and a payload')
})

t.test('destinations that are groups have their own MAC', async (t) => {
  const mac = (text: string): string => Array.from(Eth.at(build(text))!.dst, (byte) => byte.toString(16)).join(':')
  t.equal(mac('arp_tip 10.0.0.9'), 'ff:ff:ff:ff:ff:ff')
  t.equal(mac('arp_op reply arp_tip 10.0.0.9'), '2:0:0:0:0:2')
  t.equal(mac('dst_ip 239.129.2.3'), '1:0:5e:1:2:3')
  t.equal(mac('dst_ip 255.255.255.255'), 'ff:ff:ff:ff:ff:ff')
  t.equal(mac('dst_ip ff02::1:2'), '33:33:0:1:0:2')
  t.equal(mac('dst_ip 239.1.2.3 dst_mac 02:00:00:00:00:07'), '2:0:0:0:0:7', 'unless the words say another')
})

t.test('contradictions are refused by name', async (t) => {
  const refused: [string, RegExp][] = [
    ['ip_proto icmp dst_port 7', /"dst_port" has no place in an ICMP packet/],
    ['ip_proto udp type 8', /"type" has no place in a UDP packet/],
    ['ip_proto udp tcp_flags 2', /"tcp_flags" has no place in a UDP packet/],
    ['arp_op request src_ip 10.0.0.1', /"src_ip" has no place in an ARP packet/],
    ['eth_type ipv4 dst_ip 2001:db8::1', /"dst_ip" is no address of an IPv4 packet/],
    ['dst_ip 2001:db8::1 src_ip 10.0.0.1', /"src_ip" is no address of an IPv6 packet/],
    ['eth_type 0x88b5 ip_tos 1', /"ip_tos" has no place in a frame of type 0x88b5/],
    ['len 41', /"len" 41 is shorter than headers and payload \(42\)/],
    ['hex 00 len 60', /"hex" gives the whole frame, "len" can't stand beside it/],
  ]
  for (const [text, message] of refused) t.throws(() => build(text), { constructor: InputError, message }, text)
  for (const bad of ['ip_tos 100', 'vlan_id 4096', 'vlan_prio 8', 'dst_ip 10.1', 'dst_mac 02:00', 'payload 123', 'payload xy', 'ip_proto upd', 'len -1', 'eth_type 0x10000']) {
    t.throws(() => words(bad), /no such word/, bad)
  }
})

t.test('dissection stops where the bytes do', async (t) => {
  const frames = ['ip_proto tcp', 'vlan_id 5 ip_proto udp', 'dst_ip 2001:db8::1', 'arp_tip 10.0.0.1', 'eth_type 802.1ad cvlan_id 4 dst_ip 2001:db8::1'].map(build)
  for (const frame of frames) {
    for (let length = 0; length <= frame.length; length++) {
      const keys = dissect(frame, 0, length)
      if (keys.l4 > length || keys.l3 > length || (keys.addrLen > 0 && keys.dst + keys.addrLen > length)) t.fail(`beyond ${length}`)
      summarize(frame, 0, length)
      flowHash(frame, 0, length)
    }
  }
  const fragment = build('ip_proto udp')
  Ipv4.at(fragment, 14)!.fragOff = 0x2001
  t.same([dissect(fragment).isFragment, dissect(fragment).isFirstFragment, dissect(fragment).l4, dissect(fragment).srcPort], [true, false, -1, 0])
  const hops = buildPacket({ eth_type: ETH_P_IPV6, ip_proto: 0, payload: hex('3c 00 000000000000 11 00 000000000000 1234 0007 0008 0000') })
  t.same([dissect(hops).ipProto, dissect(hops).l4, dissect(hops).dstPort], [17, 70, 7], 'behind two extension headers')
  const loop = buildPacket({ eth_type: ETH_P_IPV6, ip_proto: 60, payload: hex('3c00000000000000'.repeat(20)) })
  t.equal(dissect(loop).l4, -1, 'a chain of extension headers has an end')
})

t.test('a flow hash belongs to a flow', async (t) => {
  const there = 'ip_proto udp src_ip 10.0.0.1 dst_ip 10.0.0.2 src_port 1000 dst_port 2000'
  const back = 'ip_proto udp src_ip 10.0.0.2 dst_ip 10.0.0.1 src_port 2000 dst_port 1000'
  t.equal(flowHash(build(there)), flowHash(build(`${there} len 500 ip_tos b8 vlan_id 3`)), 'not to sizes, DSCPs, tags')
  t.equal(flowHash(build(there)), flowHash(build(back)), 'nor to a direction')
  t.not(flowHash(build(there)), flowHash(build(there.replace('1000', '1001'))))
  t.not(flowHash(build(there)), flowHash(build(there.replace('udp', 'tcp'))))
  t.equal(flowHash(build(there)), 0x8e37b3e6, 'and is the same in every run')
  const buckets = new Array<number>(8).fill(0)
  for (let i = 0; i < 8000; i++) buckets[flowHash(build(`src_port ${1000 + i}`)) % 8]! += 1
  t.ok(buckets.every((count) => count > 850 && count < 1150), `spreads: ${buckets.join(' ')}`)
})

t.test('a frame in a line', async (t) => {
  const lines: [string, string][] = [
    ['ip_proto udp', 'IP 192.0.2.1.40000 > 192.0.2.2.9: UDP, length 18 (60)'],
    ['vlan_id 5 vlan_prio 3 dst_ip 2001:db8::5 ip_proto tcp ip_tos b8', 'vlan 5 prio 3, IP6 2001:db8::1.40000 > 2001:db8::5.9: TCP, length 0, tos 0xb8 (78)'],
    ['ip_proto icmp', 'IP 192.0.2.1 > 192.0.2.2: ICMP echo request, length 26 (60)'],
    ['ip_proto icmpv6 type 135', 'IP6 2001:db8::1 > 2001:db8::2: ICMP6 neighbor solicitation, length 8 (62)'],
    ['arp_tip 10.0.0.9 arp_sip 10.0.0.1', 'ARP, Request who-has 10.0.0.9 tell 10.0.0.1 (60)'],
    ['arp_op reply arp_sip 10.0.0.1', 'ARP, Reply 10.0.0.1 is-at 02:00:00:00:00:01 (60)'],
    ['eth_type lldp', '02:00:00:00:00:01 > 02:00:00:00:00:02, lldp (60)'],
    ['eth_type 0x1234', '02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 0x1234 (60)'],
    ['ip_proto 2f', 'IP 192.0.2.1 > 192.0.2.2: ip-proto-47, length 26 (60)'],
    ['hex 001122', 'truncated frame (3)'],
  ]
  for (const [text, line] of lines) t.equal(summarize(build(text)), line)
})
