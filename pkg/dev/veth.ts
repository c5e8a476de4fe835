// A pair of virtual Ethernet devices: what one sends the other receives (drivers/net/veth.c).
import { countTx } from './count.js'
import { ARPHRD, IFF, type DevKind } from './types.js'

/** VETH_RING_SIZE */
export const VETH_RING = 256

export const veth: DevKind = {
  kind: 'veth',
  creatable: true,
  deletable: true,
  nativeXdp: true,
  xdpXmit: true,
  physDev: 'lax',
  defaults: () => ({
    type: ARPHRD.ETHER, flags: IFF.BROADCAST | IFF.MULTICAST, mtu: 1500, minMtu: 68, maxMtu: 65535, txqlen: 1000, noQueue: true,
    hasAddress: true,
  }),
  queues: (cpus) => ({ tx: cpus, rx: cpus, realTx: 1, realRx: 1 }),
  xmit(env, dev, skb, queue, len) {
    const reason = env.peerReceive(dev, skb, queue)
    if (reason !== undefined) {
      dev.stats.txDropped += 1
      env.drop(dev, skb, reason)
      return true
    }
    countTx(dev, queue, len)
    return true
  },
}
