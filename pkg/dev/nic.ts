// An emulated NIC: four queue pairs, native XDP, and a link with a rate behind it (dev/wire-link.ts).
import { countTx } from './count.js'
import { ARPHRD, IFF, type DevKind } from './types.js'

/** Queue pairs of eth0 and eth1. */
export const NIC_QUEUES = 4

export const nic: DevKind = {
  kind: '',
  creatable: false,
  deletable: false,
  nativeXdp: true,
  xdpXmit: true,
  physDev: 'always',
  defaults: () => ({
    type: ARPHRD.ETHER, flags: IFF.BROADCAST | IFF.MULTICAST, mtu: 1500, minMtu: 68, maxMtu: 9216, txqlen: 1000, hasAddress: true,
  }),
  queues: () => ({ tx: NIC_QUEUES, rx: NIC_QUEUES, realTx: NIC_QUEUES, realRx: NIC_QUEUES }),
  xmit(env, dev, skb, queue, len) {
    if (dev.tx[queue]!.stopped) return false
    countTx(dev, queue, len)
    env.startWire(dev, skb, false)
    return true
  },
}
