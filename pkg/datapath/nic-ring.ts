// A NIC's transmit ring and the link behind it: one frame is on the wire, the others the driver has taken wait in the ring.
import { wireTime } from '../dev/wire-link.js'
import { SKB } from '../skb/layout.js'
import { PRIV, TRANSMITTED } from '../skb/skb.js'
import { wakeDequeue } from './bulk.js'
import type { Core } from './core.js'
import type { Port } from './port.js'

/** In PRIV.flowFlags: the frame came from an XDP program and is in a ring of its own. */
export const XDP_FRAME = 0x100

/** The driver takes the frame. */
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
  wakeDequeue(core, port)
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
