// The socket that a test run's frame belongs to: net/bpf/test_run.c, bpf_prog_test_run_skb() (sk_alloc, sock_init_data), v6.18.
import { CONTEXTS } from '../mem/layout.js'
import { SKB, SOCK } from '../skb/layout.js'
import type { Skbs } from '../skb/skb.js'

const SK = CONTEXTS + 0x1000
const AF_INET = 2
const AF_INET6 = 10
const TCP_CLOSE = 7
const NO_QUEUE = 0xffff
const IP = { saddr: 12, daddr: 16 } as const
const IP6 = { saddr: 8, daddr: 24, length: 16 } as const
/** ETH_P_IP and ETH_P_IPV6 as they lie in memory. */
const BE_IP = 0x0008
const BE_IPV6 = 0xdd86

/** Gives the skb a fresh socket with the addresses of its IP header, if that is there. */
export function ownTestSock(skbs: Skbs, skb: number): void {
  const { u8, u16 } = skbs
  u8.fill(0, SK, SK + SOCK.size)
  u8[SK + SOCK.state] = TCP_CLOSE
  u8[SK + SOCK.cookie] = 1
  u16[(SK + SOCK.tx_queue_mapping) >> 1] = NO_QUEUE
  u16[(SK + SOCK.rx_queue_mapping) >> 1] = NO_QUEUE
  const ip = skbs.head(skb) + skbs.get16(skb, SKB.network_header)
  const protocol = skbs.get16(skb, SKB.protocol)
  if (protocol === BE_IP) inet(skbs, ip)
  else if (protocol === BE_IPV6) inet6(skbs, ip)
  skbs.set32(skb, SKB.sk, SK)
}

function inet({ u8, u16 }: Skbs, ip: number): void {
  u16[(SK + SOCK.family) >> 1] = AF_INET
  u8.copyWithin(SK + SOCK.rcv_saddr, ip + IP.saddr, ip + IP.saddr + 4)
  u8.copyWithin(SK + SOCK.daddr, ip + IP.daddr, ip + IP.daddr + 4)
}

function inet6({ u8, u16 }: Skbs, ip: number): void {
  u16[(SK + SOCK.family) >> 1] = AF_INET6
  u8.copyWithin(SK + SOCK.v6_rcv_saddr, ip + IP6.saddr, ip + IP6.saddr + IP6.length)
  u8.copyWithin(SK + SOCK.v6_daddr, ip + IP6.daddr, ip + IP6.daddr + IP6.length)
}
