// T5: the driver (net/core/dev.c: dev_hard_start_xmit), and what drivers ask for (DevEnv).
import type { DevEnv, NetDev } from '../dev/types.js'
import { wireTime } from '../dev/wire-link.js'
import { VETH_RING } from '../dev/veth.js'
import { runTunFilter } from '../hook/tun.js'
import { REDIRECTED } from '../dev/ifb.js'
import { SKB } from '../skb/layout.js'
import { PRIV, TRANSMITTED } from '../skb/skb.js'
import type { Core } from './core.js'
import { devQueueXmit } from './egress.js'
import { TC_SKIP_CLASSIFY } from './ingress.js'
import { pickQueue } from './pick-queue.js'
import type { Port, RxRing } from './port.js'
import { ethTypeTrans } from './receive.js'
import { SkbQueue } from '../skb/queue.js'
import { MAX_BACKLOG } from './softirq.js'

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
export function xmitDirect(core: Core, port: Port, skb: number): void {
  core.setDev(skb, port)
  const queue = pickQueue(core, port, skb)
  if (!core.isUp(port) || !xmitSkb(core, port, skb, queue)) core.drop(skb, port.dev, 'XDP')
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

const XDP_FRAME = 0x100

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
    ifbReinject: (dev, skb) => ifbReinject(core, dev, skb),
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

// NIC: the ring and the wire.

export function startWire(core: Core, port: Port, skb: number, xdp: boolean): void {
  const { dev } = port
  if (dev.wire!.rate === 0) {
    core.capture(port, skb, 'tx', core.clock.now)
    return leaveWire(core, port, skb)
  }
  core.skbs.set32(skb, PRIV.flowFlags, core.skbs.get32(skb, PRIV.flowFlags) | (xdp ? XDP_FRAME : 0))
  port.ring.push(skb)
  if (!xdp) {
    port.inRing += 1
    port.lastQueue = core.skbs.get16(skb, SKB.queue_mapping)
    updateStopped(port)
  }
  if (port.ring.qlen === 1) beginWire(core, port)
}

/** The first frame of the ring starts onto the wire. */
function beginWire(core: Core, port: Port): void {
  const skb = port.ring.head
  core.capture(port, skb, 'tx', core.clock.now)
  core.clock.arm(port.wireTimer, core.clock.now + wireTime(port.dev.wire!, core.skbs.len(skb)), core.cpu)
}

/** The last bit of the first frame is out: completion, wake, next. */
export function wireDone(core: Core, port: Port): void {
  const skb = port.ring.shift()
  if (skb === 0) return
  if ((core.skbs.get32(skb, PRIV.flowFlags) & XDP_FRAME) === 0) port.inRing -= 1
  leaveWire(core, port, skb)
  if (port.ring.qlen > 0) beginWire(core, port)
  wakeQueues(core, port)
}

function leaveWire(core: Core, port: Port, skb: number): void {
  if (core.trace) core.step(skb, port.dev, 'wire', 'sent')
  core.keep(port.dev, 'tx', skb, core.clock.now + port.dev.wire!.latency, core.skbs.get16(skb, SKB.queue_mapping))
  core.skbs.free(skb, TRANSMITTED)
}

/** All queues share the link: they stop and start together. */
export function updateStopped(port: Port): void {
  const stopped = port.inRing >= port.dev.wire!.ring
  for (const queue of port.dev.tx) queue.stopped = stopped
}

/** netif_tx_wake_all_queues, fairly: the queue after the last served one goes first. */
export function wakeQueues(core: Core, port: Port): void {
  updateStopped(port)
  if (port.dev.tx[0]!.stopped) return
  const { queues } = port.sched
  for (let i = 1; i <= port.dev.realTx; i += 1) {
    const q = queues[(port.lastQueue + i) % port.dev.realTx]!
    if (q.qlen > 0) core.softirq.schedule(core.cpu, q)
  }
}

// veth and loopback: what is sent is received.

/** undefined: taken; else why not. */
function peerReceive(core: Core, dev: NetDev, skb: number, queue: number): string | undefined {
  const peer = core.peerOf(dev)
  if (!peer || !core.isUp(peer)) return 'DEV_READY'
  if (core.skbs.len(skb) > peer.dev.mtu + 18) return 'PKT_TOO_BIG'
  scrub(core, skb)
  if (peer.dev.xdp.drv !== 0 || peer.dev.physDev !== 0) return toRing(core, peer, skb, queue % peer.dev.realRx)
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
  skbs.set16(skb, SKB.queue_mapping, 0)
  skbs.u8[skb + SKB.tc_flags] = 0
  skbs.u8[skb + SKB.redirected] = 0
}

function countRx(core: Core, port: Port, skb: number): void {
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
function ifbReinject(core: Core, _dev: NetDev, skb: number): boolean {
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
