// Frames that a driver hands to another device's receive path: veth's peer, loopback, ifb (drivers/net/veth.c; net/core/dev.c: netif_rx).
import { REDIRECTED } from '../dev/ifb.js'
import type { NetDev } from '../dev/types.js'
import { VETH_RING } from '../dev/veth.js'
import { SKB } from '../skb/layout.js'
import { SkbQueue } from '../skb/queue.js'
import { PRIV } from '../skb/skb.js'
import type { Core } from './core.js'
import { devQueueXmit } from './egress.js'
import { TC_SKIP_CLASSIFY } from './ingress.js'
import type { Port, RxRing } from './port.js'
import { ethTypeTrans } from './receive.js'
import { MAX_BACKLOG } from './softirq.js'

/** veth: undefined: taken; else why not. */
export function peerReceive(core: Core, dev: NetDev, skb: number, queue: number): string | undefined {
  const peer = core.peerOf(dev)
  if (!peer || !core.isUp(peer)) return 'DEV_READY'
  if (core.skbs.len(skb) > peer.dev.mtu + 18) return 'PKT_TOO_BIG'
  scrub(core, skb)
  if (peer.dev.xdp.drv !== 0 || peer.dev.physDev !== undefined) return toRing(core, peer, skb, queue % peer.dev.realRx)
  countRx(core, peer, skb)
  prepareRx(core, peer, skb)
  return netifRx(core, peer, skb)
}

/** The peer polls a ring of its own when a program wants the frames before they are skbs. */
export function toRing(core: Core, port: Port, skb: number, queue: number): string | undefined {
  const ring = (port.rx[queue] ??= newRing(core, port, queue))
  if (ring.frames.qlen >= VETH_RING) return 'FULL_RING'
  ring.frames.push(skb)
  core.softirq.poll(core.cpu, ring)
  return undefined
}

const newRing = (core: Core, port: Port, queue: number): RxRing => ({ port, queue, frames: new SkbQueue(core.skbs), scheduled: false })

/** ____dev_forward_skb and skb_scrub_packet: what does not cross to the other device. */
function scrub(core: Core, skb: number): void {
  const { skbs } = core
  skbs.set32(skb, SKB.priority, 0)
  skbs.setTstamp(skb, 0)
  skbs.set32(skb, SKB.sk, 0)
  skbs.set32(skb, PRIV.flow, 0)
  skbs.set32(skb, PRIV.meta, 0)
  skbs.set16(skb, SKB.queue_mapping, 0)
  skbs.u8[skb + SKB.tc_flags] = 0
  skbs.u8[skb + SKB.redirected] = 0
}

export function countRx(core: Core, port: Port, skb: number): void {
  port.dev.stats.rxPackets += 1
  port.dev.stats.rxBytes += core.skbs.len(skb)
}

/** The skb belongs to another device now. */
export function prepareRx(core: Core, port: Port, skb: number): void {
  core.setDev(skb, port)
  core.skbs.set32(skb, SKB.skb_iif, port.dev.ifindex)
  ethTypeTrans(core, port, skb)
}

/** netif_rx: into this CPU's backlog. */
export function netifRx(core: Core, port: Port, skb: number): string | undefined {
  const { backlog } = core.softirq.cpus[core.cpu]!
  if (backlog.qlen >= MAX_BACKLOG) {
    port.dev.stats.rxDropped += 1
    return 'CPU_BACKLOG'
  }
  backlog.push(skb)
  return undefined
}

/** ifb_ri_tasklet: back to the device the frame was redirected from, past its filters. */
export function ifbReinject(core: Core, skb: number): boolean {
  const { skbs } = core
  const flags = skbs.u8[skb + SKB.redirected]!
  const origin = core.port(skbs.get32(skb, SKB.skb_iif))
  if ((flags & REDIRECTED.redirected) === 0 || !origin) return false
  skbs.u8[skb + SKB.redirected] = 0
  skbs.u8[skb + SKB.tc_flags]! |= TC_SKIP_CLASSIFY
  if ((flags & REDIRECTED.fromIngress) === 0) {
    devQueueXmit(core, origin, skb)
    return true
  }
  core.setDev(skb, origin)
  skbs.pull(skb, skbs.get16(skb, SKB.mac_len))
  const reason = netifRx(core, origin, skb)
  if (reason !== undefined) core.drop(skb, origin.dev, reason)
  return true
}
