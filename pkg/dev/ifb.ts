// The intermediate functional block: a device that only redirects can reach; what comes elsewise is dropped (drivers/net/ifb.c).
import { countTx } from './count.js'
import { SKB } from '../skb/layout.js'
import { ARPHRD, IFF, type DevKind } from './types.js'

export const ifb: DevKind = {
  kind: 'ifb',
  creatable: true,
  deletable: true,
  nativeXdp: false,
  xdpXmit: false,
  physDev: 'never',
  defaults: () => ({
    type: ARPHRD.ETHER, flags: IFF.BROADCAST | IFF.NOARP, mtu: 1500, minMtu: 0, maxMtu: 0, txqlen: 32, hasAddress: true,
  }),
  xmit(env, dev, skb, queue, len) {
    dev.stats.rxPackets += 1
    dev.stats.rxBytes += len
    if (!env.ifbReinject(dev, skb)) {
      dev.stats.rxDropped += 1
      env.drop(dev, skb, 'NOT_SPECIFIED')
      return true
    }
    countTx(dev, queue, len)
    return true
  },
}

/** skb->redirected and skb->from_ingress. */
export const REDIRECTED = { offset: SKB.redirected, redirected: 1, fromIngress: 2 } as const
