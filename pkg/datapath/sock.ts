// Local sockets, as far as packets show them: a struct sock in linear memory for the sender of a frame, known by WireFrame.flow, so that
// programs find family, addresses, ports and a cookie behind skb->sk.
import { KERNEL_STRUCTS_END } from '../mem/layout.js'
import { ETH_P_IP, ETH_P_IPV6 } from '../skb/flow.js'
import { SKB, SOCK } from '../skb/layout.js'
import { PRIV, type Skbs } from '../skb/skb.js'

const STRIDE = 1024
const SLOTS = 1024
/** Sockets live at the end of the area of kernel structs; devices must stay below. */
export const SOCKS = KERNEL_STRUCTS_END - SLOTS * STRIDE

const AF_INET = 2
const AF_INET6 = 10
const TCP_ESTABLISHED = 1
const IPPROTO_TCP = 6

export class Socks {
  readonly #skbs: Skbs
  /** flow -> address; the oldest makes room. */
  readonly #byFlow = new Map<number, number>()

  constructor(skbs: Skbs) {
    this.#skbs = skbs
  }

  /** Gives the skb the socket of its flow, if it has one. */
  own(skb: number): void {
    const flow = this.#skbs.get32(skb, PRIV.flow)
    if (flow !== 0) this.#skbs.set32(skb, SKB.sk, this.#byFlow.get(flow) ?? this.#open(flow, skb))
  }

  #open(flow: number, skb: number): number {
    const sk = this.#byFlow.size < SLOTS ? SOCKS + this.#byFlow.size * STRIDE : this.#evict()
    this.#byFlow.set(flow, sk)
    this.#skbs.u8.fill(0, sk, sk + SOCK.size)
    this.#fill(sk, flow, skb)
    return sk
  }

  #evict(): number {
    const [oldest, sk] = this.#byFlow.entries().next().value!
    this.#byFlow.delete(oldest)
    return sk
  }

  /** What the first packet tells of its socket. */
  #fill(sk: number, flow: number, skb: number): void {
    const { u8, u16, u32 } = this.#skbs
    u32[(sk + SOCK.cookie) >> 2] = flow
    u32[(sk + SOCK.mark) >> 2] = this.#skbs.get32(skb, SKB.mark)
    u32[(sk + SOCK.priority) >> 2] = this.#skbs.get32(skb, SKB.priority)
    u16[(sk + SOCK.tx_queue_mapping) >> 1] = 0xffff
    u16[(sk + SOCK.rx_queue_mapping) >> 1] = this.#skbs.get32(skb, PRIV.rxQueue) - 1
    const proto = (u8[skb + SKB.protocol]! << 8) | u8[skb + SKB.protocol + 1]!
    const ip = this.#skbs.head(skb) + this.#skbs.get16(skb, SKB.network_header)
    const end = this.#skbs.head(skb) + this.#skbs.get32(skb, SKB.tail)
    if (proto === ETH_P_IP && end >= ip + 20) this.#inet(sk, ip)
    else if (proto === ETH_P_IPV6 && end >= ip + 40) this.#inet6(sk, ip)
  }

  #inet(sk: number, ip: number): void {
    const { u8, u16 } = this.#skbs
    u16[(sk + SOCK.family) >> 1] = AF_INET
    u8.copyWithin(sk + SOCK.rcv_saddr, ip + 12, ip + 16)
    u8.copyWithin(sk + SOCK.daddr, ip + 16, ip + 20)
    this.#ports(sk, u8[ip + 9]!, ip + (u8[ip]! & 15) * 4)
  }

  #inet6(sk: number, ip: number): void {
    const { u8, u16 } = this.#skbs
    u16[(sk + SOCK.family) >> 1] = AF_INET6
    u8.copyWithin(sk + SOCK.v6_rcv_saddr, ip + 8, ip + 24)
    u8.copyWithin(sk + SOCK.v6_daddr, ip + 24, ip + 40)
    this.#ports(sk, u8[ip + 6]!, ip + 40)
  }

  #ports(sk: number, protocol: number, l4: number): void {
    const { u8, u16 } = this.#skbs
    u16[(sk + SOCK.protocol) >> 1] = protocol
    u16[(sk + SOCK.type) >> 1] = protocol === IPPROTO_TCP ? 1 : 2
    u8[sk + SOCK.state] = protocol === IPPROTO_TCP ? TCP_ESTABLISHED : 7
    u16[(sk + SOCK.num) >> 1] = (u8[l4]! << 8) | u8[l4 + 1]!
    u8.copyWithin(sk + SOCK.dport, l4 + 2, l4 + 4)
  }
}
