// Devices as the real machine had them when its answers were recorded.
import { KernelError } from '../../pkg/bytes/errors.js'
import type { Link, LinkStats, ProgRef } from '../../pkg/request/rtnl.js'
import { ENODEV } from '../../pkg/uapi/errno.js'
import type { Script } from '../support/command.js'

export const NO_STATS: LinkStats = {
  rxBytes: 0, rxPackets: 0, rxErrors: 0, rxDropped: 0, rxMissed: 0, rxMulticast: 0, txBytes: 0, txPackets: 0, txErrors: 0, txDropped: 0, txCarrier: 0,
  txCollisions: 0,
}

const BASE = {
  operstate: 'DOWN', linkmode: 'DEFAULT', group: 0, txqlen: 1000, promiscuity: 0, numTxQueues: 1, numRxQueues: 1, realNumTxQueues: 1, realNumRxQueues: 1,
  gsoMaxSize: 65536, gsoMaxSegs: 65535, stats: NO_STATS, txQueues: [{ packets: 0, bytes: 0 }], qdisc: 'noop', broadcast: 'ff:ff:ff:ff:ff:ff',
  type: 'ether', mtu: 1500, minMtu: 68, maxMtu: 65535,
} as const

export const LO: Link = {
  ...BASE, ifindex: 1, name: 'lo', kind: '', flags: 0x8, mtu: 65536, minMtu: 0, maxMtu: 0, type: 'loopback', address: '00:00:00:00:00:00',
  broadcast: '00:00:00:00:00:00', txQueues: [],
}
export const VETH1: Link = { ...BASE, ifindex: 2, name: 'veth1', kind: 'veth', flags: 0x1002, address: '22:b2:bb:32:60:7c', peerIfindex: 3, txQueues: [] }
export const VETH0: Link = {
  ...BASE, ifindex: 3, name: 'veth0', kind: 'veth', flags: 0x1003, address: '46:6f:9e:b7:6d:4c', peerIfindex: 2, qdisc: 'noqueue', operstate: 'LOWERLAYERDOWN',
  numTxQueues: 2, numRxQueues: 2, txQueues: [],
}
export const TAP0: Link = {
  ...BASE, ifindex: 5, name: 'tap0', kind: 'tun', flags: 0x1002, address: '92:ec:af:b0:95:3c', maxMtu: 65521, numTxQueues: 256, numRxQueues: 256,
  realNumTxQueues: 2, txQueues: [{ packets: 3, bytes: 180 }, { packets: 1, bytes: 60 }],
  tun: { mode: 'tap', pi: false, vnetHdr: false, multiQueue: true, numQueues: 0, persist: true },
}
export const TUN0: Link = {
  ...BASE, ifindex: 11, name: 'tun0', kind: 'tun', flags: 0x1090, address: '', broadcast: '', type: 'none', txqlen: 500, txQueues: [],
  tun: { mode: 'tun', pi: false, vnetHdr: false, multiQueue: false, numQueues: 1, persist: true, user: 0, group: 5 },
}

export const PROG: ProgRef = { id: 7, name: 'xdp_pass', tag: '614b434cd8324ecc', jited: true, loadTime: 1493508333047, uid: 0, btfId: 9 }

/** link.get over these devices. */
export function devices(...links: Link[]): Script {
  return {
    'link.get': ({ dev, ifindex, kind }) => {
      const found = links.filter((one) => (dev === undefined || one.name === dev) && (ifindex === undefined || one.ifindex === ifindex) && (kind === undefined || one.kind === kind))
      if (dev !== undefined && found.length === 0) throw new KernelError(ENODEV)
      return found
    },
  }
}
