// A device that counts and forgets (drivers/net/dummy.c).
import { ARPHRD, IFF, type DevKind } from './types.js'

export const dummy: DevKind = {
  kind: 'dummy',
  creatable: true,
  deletable: true,
  nativeXdp: false,
  xdpXmit: false,
  physDev: 'never',
  defaults: () => ({
    type: ARPHRD.ETHER, flags: IFF.BROADCAST | IFF.NOARP, mtu: 1500, minMtu: 0, maxMtu: 0, txqlen: 1000, noQueue: true, hasAddress: true,
  }),
  xmit(env, dev, skb, queue, len) {
    const stats = dev.tx[queue]!
    stats.packets += 1
    stats.bytes += len
    dev.stats.txPackets += 1
    dev.stats.txBytes += len
    env.leave(dev, skb, queue)
    return true
  },
}
