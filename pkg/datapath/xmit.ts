// T5: the driver (net/core/dev.c: dev_hard_start_xmit).
import { SKB } from '../skb/layout.js'
import type { Core } from './core.js'
import { pickQueue } from './pick-queue.js'
import type { Port } from './port.js'

/** Hands the frame to the driver; false: busy, the frame is still the caller's. */
export function xmitSkb(core: Core, port: Port, skb: number, queue: number): boolean {
  const { dev } = port
  if (dev.tx[queue]!.stopped) return false
  restoreVlan(core, skb)
  const len = core.skbs.len(skb)
  if (!dev.wire) core.capture(port, skb, 'tx', core.clock.now)
  if (core.trace) core.step(skb, dev, 'xmit', `tx-${queue} len ${len}`)
  return dev.kind.xmit(core.devEnv, dev, skb, queue, len)
}

/** generic_xdp_tx: to the driver without the qdisc. */
export function xmitDirect(core: Core, port: Port, skb: number, reason = 'XDP_TX'): void {
  core.setDev(skb, port)
  const queue = pickQueue(core, port, skb)
  if (!core.isUp(port) || !xmitSkb(core, port, skb, queue)) core.drop(skb, port.dev, `${reason}_ERROR`)
}

/** validate_xmit_vlan: an untagged frame gets its tag back. */
export function restoreVlan(core: Core, skb: number): void {
  const { skbs } = core
  const proto = skbs.get16(skb, SKB.vlan_proto)
  if (proto === 0 || !skbs.push(skb, 4)) return
  const data = skbs.data(skb)
  skbs.u8.copyWithin(data, data + 4, data + 16)
  skbs.u8[data + 12] = proto & 0xff
  skbs.u8[data + 13] = proto >> 8
  const tci = skbs.get16(skb, SKB.vlan_tci)
  skbs.u8[data + 14] = tci >> 8
  skbs.u8[data + 15] = tci & 0xff
  skbs.set16(skb, SKB.vlan_proto, 0)
  skbs.set16(skb, SKB.vlan_tci, 0)
  skbs.set16(skb, SKB.mac_header, data - skbs.head(skb))
}
