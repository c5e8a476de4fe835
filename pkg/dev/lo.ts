// The loopback device: what is sent comes back in (drivers/net/loopback.c).
import { countTx } from './count.js'
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
    countTx(dev, queue, len)
    env.netifRx(dev, skb)
    return true
  },
}
