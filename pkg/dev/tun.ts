// tun and tap: the other end is a reader of one of the device's queues (drivers/net/tun.c: tun_net_xmit).
import { countTx } from './count.js'
import { MAX_TAP_QUEUES } from './tun-state.js'
import { ARPHRD, IFF, type DevDefaults, type DevKind } from './types.js'

const TAP: DevDefaults = {
  type: ARPHRD.ETHER, flags: IFF.BROADCAST | IFF.MULTICAST, mtu: 1500, minMtu: 68, maxMtu: 65521, txqlen: 1000, hasAddress: true,
}
const TUN: DevDefaults = {
  type: ARPHRD.NONE, flags: IFF.POINTOPOINT | IFF.NOARP | IFF.MULTICAST, mtu: 1500, minMtu: 68, maxMtu: 65535, txqlen: 500,
  hasAddress: false,
}

export const tun: DevKind = {
  kind: 'tun',
  creatable: false,
  deletable: true,
  nativeXdp: true,
  xdpXmit: true,
  physDev: 'lax',
  defaults: ({ tun: state }) => (state?.mode === 'tun' ? TUN : TAP),
  xmit(env, dev, skb, queue, len) {
    const state = dev.tun!
    if (queue >= state.numQueues) return drop(env, dev, skb, 'DEV_READY')
    const pass = state.filter === 0 ? len : env.tunFilter(dev, skb)
    if (pass === 0) return drop(env, dev, skb, 'TAP_TXFILTER')
    countTx(dev, queue, Math.min(pass, len))
    env.leave(dev, skb, queue)
    return true
  },
}

function drop(env: Parameters<DevKind['xmit']>[0], dev: Parameters<DevKind['xmit']>[1], skb: number, reason: string): true {
  dev.stats.txDropped += 1
  env.drop(dev, skb, reason)
  return true
}

/** Queues a tun device allocates. */
export const tunQueues = (multiQueue: boolean): number => (multiQueue ? MAX_TAP_QUEUES : 1)
