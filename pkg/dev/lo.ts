// The loopback device: what is sent comes back in (drivers/net/loopback.c).
import { ARPHRD, IFF, type DevKind } from './types.js'

export const lo: DevKind = {
  kind: 'lo',
  creatable: false,
  deletable: false,
  nativeXdp: false,
  xdpXmit: false,
  physDev: 'never',
  anyAddress: true,
  defaults: () => ({
    type: ARPHRD.LOOPBACK, flags: IFF.LOOPBACK, mtu: 65536, minMtu: 0, maxMtu: 0, txqlen: 1000, noQueue: true, hasAddress: false,
  }),
  xmit(env, dev, skb, queue, len) {
    const stats = dev.tx[queue]!
    stats.packets += 1
    stats.bytes += len
    dev.stats.txPackets += 1
    dev.stats.txBytes += len
    env.netifRx(dev, skb)
    return true
  },
}
