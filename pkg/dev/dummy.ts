// A device that counts and forgets (drivers/net/dummy.c).
import { countTx } from './count.js'
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
    countTx(dev, queue, len)
    env.leave(dev, skb, queue)
    return true
  },
}
