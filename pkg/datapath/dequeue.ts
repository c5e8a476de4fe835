// The XDP dequeue hook's turns (RFC of July 2022, net/core/dev.c: net_tx_action, dev_run_xdp_dequeue): a device's program gives frames until it
// has no more, the quota is used up or the driver is full.
import { runDequeue } from '../hook/dequeue.js'
import { ENODEV, ENOENT } from '../uapi/errno.js'
import { bulkOf, listDequeue } from './bulk.js'
import type { Core } from './core.js'
import type { BulkQueue, Port } from './port.js'
import { FULL_RING, tryXdpTransmit } from './redirect.js'

/** dev_tx_weight; DEV_MAP_BULK_SIZE */
const QUOTA = 64
const BULK = 16
/** Turns without any effect before the program is taken for one that asks for ever. */
const FUTILE_LIMIT = 1000

/** bpf_schedule_iface_dequeue */
export function scheduleDequeue(core: Core, ifindex: number): number {
  const port = core.port(ifindex)
  if (!port) return -ENODEV
  if (!port.dev.dequeue) return -ENOENT
  port.dev.dequeue.stats.scheduled += 1
  listDequeue(core, port, core.cpu)
  return 0
}

/** bpf_packet_drop */
export function dropPacket(core: Core, skb: number): void {
  core.drop(skb, core.softirq.serving?.dev, 'XDP_DEQUEUE_DROP')
}

/** One turn of a device on this CPU. Without a program the frames stay where they are. */
export function serve(core: Core, port: Port): void {
  const bulk = bulkOf(core, port, core.cpu)
  bulk.listed = false
  const state = port.dev.dequeue
  if (!state || core.port(port.dev.ifindex) !== port || !core.host.prog(state.prog)) return
  const { made, held } = core.skbs
  const { transmitted } = state.stats
  state.stats.turns += 1
  const end = runs(core, port, bulk)
  const refused = end === 'busy' || send(core, port, bulk)
  if (refused || end === 'quota') again(core, port, bulk, refused)
  const futile = core.skbs.made === made && core.skbs.held === held && state.stats.transmitted === transmitted && !refused
  core.softirq.futile = futile ? core.softirq.futile + 1 : 0
  if (core.softirq.futile < FUTILE_LIMIT || !bulk.listed) return
  core.host.log(`${port.dev.name}: the dequeue program asks for turns without end and gives no frame`)
  bulk.listed = false
  const { dequeue } = core.softirq.cpus[core.cpu]!
  dequeue.splice(dequeue.indexOf(port), 1)
}

/** Runs the program as often as it may. 'busy': the driver took not all of a full bulk queue. */
function runs(core: Core, port: Port, bulk: BulkQueue): 'busy' | 'quota' | 'empty' {
  const state = port.dev.dequeue!
  const prog = core.host.prog(state.prog)!
  for (let left = QUOTA; left > 0; left -= 1) {
    if (bulk.frames.qlen >= BULK && send(core, port, bulk)) return 'busy'
    state.stats.runs += 1
    core.softirq.serving = port
    const skb = runDequeue(core.skbs, prog, port.dev.ifindex)
    if (skb === 0) return 'empty'
    core.setDev(skb, port)
    if (core.trace) core.step(skb, port.dev, 'dequeue', `prog ${prog.id}`)
    bulk.frames.push(skb)
  }
  return 'quota'
}

/** bq_xmit_all: true: the driver refused some, which stay first in line. Other failures end the frames. */
function send(core: Core, port: Port, { frames }: BulkQueue): boolean {
  const { stats } = port.dev.dequeue!
  for (let skb = frames.shift(); skb !== 0; skb = frames.shift()) {
    const failed = tryXdpTransmit(core, port, skb)
    if (failed === FULL_RING) {
      frames.pushHead(skb)
      stats.kept += frames.qlen
      return true
    }
    if (failed === undefined) stats.transmitted += 1
    else {
      stats.dropped += 1
      core.drop(skb, port.dev, failed)
    }
  }
  return false
}

/** A full NIC has room when its link has carried a frame, a full veth when its peer has polled. */
function again(core: Core, port: Port, bulk: BulkQueue, refused: boolean): void {
  const { stats } = port.dev.dequeue!
  if (refused) stats.reschedBusy += 1
  else stats.reschedQuota += 1
  if (refused && port.dev.wire) bulk.waits = true
  else listDequeue(core, port, core.cpu)
}
