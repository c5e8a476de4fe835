// What drivers ask of the datapath.
import type { DevEnv, NetDev } from '../dev/types.js'
import { runTunFilter } from '../hook/tun.js'
import { TRANSMITTED } from '../skb/skb.js'
import type { Core } from './core.js'
import { countRx, ifbReinject, netifRx, peerReceive, prepareRx } from './forward.js'
import { startWire } from './nic-ring.js'
import type { Port } from './port.js'

export function makeDevEnv(core: Core): DevEnv {
  const portOf = (dev: NetDev): Port => core.ports.get(dev.ifindex)!
  return {
    now: () => core.clock.now,
    startWire: (dev, skb, xdp) => startWire(core, portOf(dev), skb, xdp),
    peerReceive: (dev, skb, queue) => peerReceive(core, dev, skb, queue),
    netifRx: (dev, skb) => {
      countRx(core, portOf(dev), skb)
      prepareRx(core, portOf(dev), skb)
      const reason = netifRx(core, portOf(dev), skb)
      if (reason !== undefined) core.drop(skb, dev, reason)
    },
    leave: (dev, skb, queue) => leave(core, dev, skb, queue),
    drop: (dev, skb, reason) => core.drop(skb, dev, reason),
    ifbReinject: (_dev, skb) => ifbReinject(core, skb),
    tunFilter: (dev, skb) => {
      const prog = core.host.prog(dev.tun!.filter)
      if (prog) core.skbs.trim(skb, runTunFilter(core.skbs, skb, prog))
      return core.skbs.len(skb)
    },
  }
}

function leave(core: Core, dev: NetDev, skb: number, queue: number): void {
  core.keep(dev, 'tx', skb, core.clock.now, queue)
  core.skbs.free(skb, TRANSMITTED)
}
