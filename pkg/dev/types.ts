// What a network device is to the rest of the kernel side (struct net_device, include/linux/netdevice.h), and the record that a
// kind of device (struct net_device_ops, rtnl_link_ops) is. One file a kind; kinds.ts lists them.
import type { TunState } from './tun-state.js'
import type { WireLink } from './wire-link.js'
import type { DequeueState } from '../hook/dequeue.js'
import type { PhysDevState } from '../hook/phys-dev.js'
import type { XdpState } from '../hook/xdp-attach.js'
import type { XpsState } from '../hook/xps.js'
import type { LinkStats } from '../request/rtnl.js'

/** IFF_*: include/uapi/linux/if.h */
export const IFF = {
  UP: 1, BROADCAST: 2, LOOPBACK: 8, POINTOPOINT: 0x10, RUNNING: 0x40, NOARP: 0x80, PROMISC: 0x100, ALLMULTI: 0x200,
  MULTICAST: 0x1000, LOWER_UP: 0x10000,
} as const

/** ARPHRD_*: include/uapi/linux/if_arp.h */
export const ARPHRD = { ETHER: 1, LOOPBACK: 772, NONE: 0xfffe } as const

export interface TxQueue {
  packets: number
  bytes: number
  /** Driver has no room: netif_tx_stop_queue. */
  stopped: boolean
}

export interface NetDev {
  readonly ifindex: number
  readonly kind: DevKind
  /** struct net_device in linear memory. */
  readonly addr: number
  name: string
  /** Without RUNNING and LOWER_UP, which follow from state. */
  flags: number
  mtu: number
  minMtu: number
  maxMtu: number
  txqlen: number
  group: number
  address: Uint8Array
  broadcast: Uint8Array
  alias: string | undefined
  promiscuity: number
  numTx: number
  numRx: number
  realTx: number
  realRx: number
  peer: number
  stats: LinkStats
  tx: TxQueue[]
  xdp: XdpState
  xps: XpsState | undefined
  physDev: PhysDevState | undefined
  /** Program that gives the device frames to transmit. */
  dequeue: DequeueState | undefined
  tun: TunState | undefined
  /** The link behind a NIC. */
  wire: WireLink | undefined
}

/** What drivers ask of the datapath above them. */
export interface DevEnv {
  now(): number
  /** A NIC has taken the frame: it is on the wire from `start` to `end`. */
  startWire(dev: NetDev, skb: number, xdp: boolean): void
  /** Puts the frame into the receive ring of another device; false: no such device, down or ring full. */
  peerReceive(dev: NetDev, skb: number, queue: number): string | undefined
  /** To the device's own receive path, through the CPU's backlog (netif_rx); counts it as received. */
  netifRx(dev: NetDev, skb: number): void
  /** The frame has left through `queue` to whoever reads there. */
  leave(dev: NetDev, skb: number, queue: number): void
  drop(dev: NetDev, skb: number, reason: string): void
  /** ifb: back to where the frame was redirected from; false when it was not redirected. */
  ifbReinject(dev: NetDev, skb: number): boolean
  /** Runs the program of that id over the skb as a tun filter; bytes that may pass. */
  tunFilter(dev: NetDev, skb: number): number
}

/** What struct net_device has right after alloc_netdev. */
export interface DevDefaults {
  readonly type: number
  readonly flags: number
  readonly mtu: number
  readonly minMtu: number
  readonly maxMtu: number
  readonly txqlen: number
  /** IFF_NO_QUEUE: its default qdisc is noqueue. */
  readonly noQueue?: boolean
  readonly hasAddress: boolean
}

export interface DevKind {
  /** IFLA_INFO_KIND; '' for a NIC, 'lo' has none either. */
  readonly kind: string
  /** `ip link add type KIND` makes it. */
  readonly creatable: boolean
  /** RTM_DELLINK removes it. */
  readonly deletable: boolean
  readonly nativeXdp: boolean
  /** Has ndo_xdp_xmit. */
  readonly xdpXmit: boolean
  /** The RFC's early filter may be attached (the PHYS_DEV RFC of 2016). */
  readonly physDev: 'always' | 'lax' | 'never'
  defaults(dev: { tun?: TunState }): DevDefaults
  /** Transmit queues and receive queues allocated when nobody says. */
  queues?(cpus: number): { tx: number; rx: number; realTx: number; realRx: number }
  /** ndo_start_xmit: false: NETDEV_TX_BUSY, the frame stays the caller's. */
  xmit(env: DevEnv, dev: NetDev, skb: number, queue: number, len: number): boolean
  /** ndo_set_mac_address accepts any address (lo) or only unicast ones. */
  readonly anyAddress?: boolean
}
