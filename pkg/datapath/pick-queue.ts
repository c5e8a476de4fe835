// T2: the transmit queue (net/core/dev.c: netdev_core_pick_tx, netdev_pick_tx; drivers/net/tun.c: tun_select_queue), in the order of
// the XPS RFC of 2019
import { runSteering } from '../hook/tun.js'
import { runXps } from '../hook/xps.js'
import { SKB } from '../skb/layout.js'
import { scale, skbHash } from '../skb/flow.js'
import { PRIV } from '../skb/skb.js'
import type { Core } from './core.js'
import type { Port, XpsMap } from './port.js'

const FLOW_TCP = 1
const FLOW_OOO_OKAY = 2

export function pickQueue(core: Core, port: Port, skb: number): number {
  const { dev } = port
  if (dev.realTx === 1) return 0
  const queue = dev.tun ? selectTun(core, port, skb) : pickTx(core, port, skb)
  return cap(core, port, queue)
}

/** netdev_cap_txqueue */
function cap(core: Core, port: Port, queue: number): number {
  const { dev } = port
  if (queue < dev.realTx) return queue
  core.host.log(`${dev.name} selects TX queue ${queue}, but real number of TX queues is ${dev.realTx}`)
  if (dev.xps) dev.xps.stats.clamped += 1
  return 0
}

/** What the socket remembers, else XPS, else the hash. */
function pickTx(core: Core, port: Port, skb: number): number {
  const { skbs } = core
  const flow = skbs.get32(skb, PRIV.flow)
  const flags = skbs.get32(skb, PRIV.flowFlags)
  const sock = flow !== 0 && (flags & FLOW_TCP) !== 0
  const cached = sock ? core.txQueues.get(flow) : undefined
  const valid = cached !== undefined && cached.ifindex === port.dev.ifindex && cached.queue < port.dev.realTx
  if (valid && (flags & FLOW_OOO_OKAY) === 0) return cached.queue
  const chosen = xpsQueue(core, port, skb)
  const queue = chosen >= 0 ? chosen : txHash(core, port, skb)
  if (sock) core.txQueues.set(flow, { ifindex: port.dev.ifindex, queue })
  return queue
}

/** __get_xps_queue_idx and the program before it; -1: nobody chose. */
function xpsQueue(core: Core, port: Port, skb: number): number {
  if (core.host.strict && !core.host.xpsConfigured()) return -1
  const { dev } = port
  const prog = dev.xps ? core.host.prog(dev.xps.prog) : undefined
  if (prog) {
    const queue = runXps(core.skbs, skb, prog, dev.xps!, core.host.strict ? dev.numTx : dev.realTx)
    if (core.trace) core.step(skb, dev, 'xps', queue < 0 ? `prog ${prog.id} declined` : `prog ${prog.id} chose tx-${queue}`)
    if (queue >= 0) return queue
  }
  return mapQueue(core, port, skb)
}

/** The masks of xps_rxqs, for sockets that know their receive queue, then those of xps_cpus. */
function mapQueue(core: Core, port: Port, skb: number): number {
  const maps = (port.xpsMaps ??= { cpus: readMap(core, port, 'xps_cpus'), rxqs: readMap(core, port, 'xps_rxqs') })
  const rxq = core.skbs.get32(skb, PRIV.rxQueue) - 1
  const byRxq = maps.rxqs && rxq >= 0 ? fromMap(core, port, skb, maps.rxqs, rxq) : -1
  if (byRxq >= 0) return byRxq
  return maps.cpus ? fromMap(core, port, skb, maps.cpus, core.cpu) : -1
}

function readMap(core: Core, port: Port, file: 'xps_cpus' | 'xps_rxqs'): XpsMap | undefined {
  const masks = core.host.xpsMasks(port.dev.name, file)
  return masks ? { masks, queues: [] } : undefined
}

function fromMap(core: Core, port: Port, skb: number, map: XpsMap, bit: number): number {
  const queues = (map.queues[bit] ??= queuesOf(map.masks, bit, port.dev.realTx))
  if (queues.length <= 1) return queues[0] ?? -1
  return queues[scale(skbHash(core.skbs, skb), queues.length)]!
}

function queuesOf(masks: ReadonlyMap<number, bigint>, bit: number, realTx: number): number[] {
  const queues: number[] = []
  for (let queue = 0; queue < realTx; queue += 1) if ((((masks.get(queue) ?? 0n) >> BigInt(bit)) & 1n) !== 0n) queues.push(queue)
  return queues
}

/** skb_tx_hash: the recorded receive queue, else the flow hash scaled. */
function txHash(core: Core, port: Port, skb: number): number {
  const recorded = core.skbs.get16(skb, SKB.queue_mapping)
  if (recorded !== 0) return (recorded - 1) % port.dev.realTx
  return scale(skbHash(core.skbs, skb), port.dev.realTx)
}

/** tun's own choice: steering program, else the XPS hook and maps in place of the automatic one, else by flow. */
function selectTun(core: Core, port: Port, skb: number): number {
  const tun = port.dev.tun!
  const steering = tun.steering === 0 ? undefined : core.host.prog(tun.steering)
  if (steering) {
    const queue = runSteering(core.skbs, skb, steering, tun.numQueues, tun.fallback)
    if (core.trace) core.step(skb, port.dev, 'steering', queue < 0 ? 'fell back' : `chose queue ${queue}`)
    if (queue >= 0) return queue
  }
  const xps = core.host.strict ? -1 : xpsQueue(core, port, skb)
  if (xps >= 0) return xps
  const hash = skbHash(core.skbs, skb)
  const last = tun.flows.get(hash)
  return last !== undefined && last < tun.numQueues ? last : scale(hash, tun.numQueues)
}
