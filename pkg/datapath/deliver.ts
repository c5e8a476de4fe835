// R6: the stack. Every packet that gets here is delivered to this machine; its headers are where the IP layer would find them.
import { DELIVERED } from '../skb/skb.js'
import { SKB } from '../skb/layout.js'
import type { Core } from './core.js'
import type { Port } from './port.js'
import { restoreVlan } from './xmit.js'

export function deliver(core: Core, port: Port, skb: number): void {
  const { skbs } = core
  if (core.trace) core.step(skb, port.dev, 'stack', 'delivered')
  if (core.host.keepFrames) {
    skbs.push(skb, skbs.get16(skb, SKB.mac_len))
    restoreVlan(core, skb)
    core.keep(port.dev, 'stack', skb, core.clock.now, Math.max(0, skbs.get16(skb, SKB.queue_mapping) - 1))
  }
  skbs.free(skb, DELIVERED)
}
