// Making a net_device, keeping its struct in linear memory current, and its record in the state.
import { NET_DEVICE } from '../skb/layout.js'
import type { Memory } from '../mem/memory.js'
import type { LinkStats } from '../request/rtnl.js'
import { must } from '../bytes/errors.js'
import { formatLladdr, parseLladdr } from '../units/mac.js'
import { devKind } from './kinds.js'
import { newWireLink, type WireLink } from './wire-link.js'
import type { TunState } from './tun-state.js'
import { ARPHRD, type DevKind, type NetDev, type TxQueue } from './types.js'
import type { DequeueState } from '../hook/dequeue.js'
import type { PhysDevState } from '../hook/phys-dev.js'
import type { XdpState } from '../hook/xdp-attach.js'
import type { XpsState } from '../hook/xps.js'

export const BROADCAST = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff)

export interface NetDevInit {
  ifindex: number
  kind: DevKind
  name: string
  addr: number
  cpus: number
  address?: Uint8Array
  numTx?: number
  numRx?: number
  realTx?: number
  realRx?: number
  tun?: TunState
}

export function createNetDev(init: NetDevInit): NetDev {
  const d = init.kind.defaults(init.tun ? { tun: init.tun } : {})
  const queues = init.kind.queues?.(init.cpus) ?? { tx: 1, rx: 1, realTx: 1, realRx: 1 }
  const zero = new Uint8Array(d.hasAddress || d.type === ARPHRD.LOOPBACK ? 6 : 0)
  const numTx = init.numTx ?? queues.tx
  const numRx = init.numRx ?? queues.rx
  return {
    ifindex: init.ifindex, kind: init.kind, addr: init.addr, name: init.name, flags: d.flags, mtu: d.mtu, minMtu: d.minMtu,
    maxMtu: d.maxMtu, txqlen: d.txqlen, group: 0, address: init.address ?? zero.slice(),
    broadcast: d.hasAddress ? BROADCAST.slice() : zero.slice(), alias: undefined, promiscuity: 0,
    numTx, numRx, realTx: init.realTx ?? (init.numTx === undefined ? queues.realTx : numTx),
    realRx: init.realRx ?? (init.numRx === undefined ? queues.realRx : numRx), peer: 0, stats: newLinkStats(), tx: newTxQueues(numTx),
    xdp: { drv: 0, skb: 0 }, xps: undefined, physDev: undefined, dequeue: undefined, tun: init.tun, wire: init.kind.kind === '' ? newWireLink() : undefined,
  }
}

export const newLinkStats = (): LinkStats => ({
  rxBytes: 0, rxPackets: 0, rxErrors: 0, rxDropped: 0, rxMissed: 0, rxMulticast: 0,
  txBytes: 0, txPackets: 0, txErrors: 0, txDropped: 0, txCarrier: 0, txCollisions: 0,
})

const newTxQueues = (n: number): TxQueue[] => Array.from({ length: n }, () => ({ packets: 0, bytes: 0, stopped: false }))

/** Writes what programs can read of the device to its struct net_device. */
export function writeNetDev(mem: Memory, dev: NetDev, runningFlags: number): void {
  const at = dev.addr
  mem.u32[(at + NET_DEVICE.real_num_tx_queues) >> 2] = dev.realTx
  mem.u32[(at + NET_DEVICE.mtu) >> 2] = dev.mtu
  mem.u32[(at + NET_DEVICE.flags) >> 2] = runningFlags
  mem.u32[(at + NET_DEVICE.ifindex) >> 2] = dev.ifindex
  mem.u32[(at + NET_DEVICE.real_num_rx_queues) >> 2] = dev.realRx
  mem.u16[(at + NET_DEVICE.type) >> 1] = dev.kind.defaults(dev.tun ? { tun: dev.tun } : {}).type
  mem.u32[(at + NET_DEVICE.num_rx_queues) >> 2] = dev.numRx
  mem.u32[(at + NET_DEVICE.num_tx_queues) >> 2] = dev.numTx
  const name = new TextEncoder().encode(dev.name)
  for (let i = 0; i < 16; i += 1) mem.u8[at + NET_DEVICE.name + i] = name[i] ?? 0
}

/** What the state keeps of a device: everything but its qdiscs. */
export interface NetDevRecord {
  ifindex: number
  kind: string
  name: string
  flags: number
  mtu: number
  minMtu: number
  maxMtu: number
  txqlen: number
  group: number
  address: string
  broadcast: string
  alias?: string
  promiscuity: number
  numTx: number
  numRx: number
  realTx: number
  realRx: number
  peer?: number
  stats: Partial<LinkStats>
  /** Queue -> counters, only of queues that sent something. */
  tx: Record<string, { packets: number; bytes: number; stopped?: true }>
  xdp?: XdpState
  xps?: XpsState
  physDev?: PhysDevState
  dequeue?: DequeueState
  tun?: Omit<TunState, 'flows'> & { flows: [number, number][] }
  wire?: WireLink
}

export function saveNetDev(dev: NetDev): NetDevRecord {
  const { xdp, tun } = dev
  return {
    ifindex: dev.ifindex, kind: dev.kind.kind, name: dev.name, flags: dev.flags, mtu: dev.mtu, minMtu: dev.minMtu, maxMtu: dev.maxMtu,
    txqlen: dev.txqlen, group: dev.group, address: formatLladdr(dev.address), broadcast: formatLladdr(dev.broadcast),
    ...(dev.alias === undefined ? {} : { alias: dev.alias }), promiscuity: dev.promiscuity, numTx: dev.numTx, numRx: dev.numRx,
    realTx: dev.realTx, realRx: dev.realRx, ...(dev.peer === 0 ? {} : { peer: dev.peer }), stats: nonZero(dev.stats), tx: saveTx(dev.tx),
    ...(xdp.drv !== 0 || xdp.skb !== 0 ? { xdp } : {}), ...(dev.xps ? { xps: dev.xps } : {}),
    ...(dev.physDev ? { physDev: dev.physDev } : {}), ...(dev.dequeue ? { dequeue: dev.dequeue } : {}),
    ...(tun ? { tun: { ...tun, flows: [...tun.flows] } } : {}),
    ...(dev.wire ? { wire: dev.wire } : {}),
  }
}

function nonZero(stats: LinkStats): Partial<LinkStats> {
  return Object.fromEntries(Object.entries(stats).filter(([, value]) => value !== 0))
}

function saveTx(tx: readonly TxQueue[]): NetDevRecord['tx'] {
  const record: NetDevRecord['tx'] = {}
  for (const [index, { packets, bytes, stopped }] of tx.entries()) {
    if (packets !== 0 || stopped) record[index] = { packets, bytes, ...(stopped ? { stopped: true as const } : {}) }
  }
  return record
}

export function restoreNetDev(record: NetDevRecord, addr: number): NetDev {
  const kind = must(devKind(record.kind), `device kind ${record.kind}`)
  const tx = newTxQueues(record.numTx)
  for (const [index, counters] of Object.entries(record.tx)) Object.assign(tx[Number(index)]!, counters)
  return {
    ifindex: record.ifindex, kind, addr, name: record.name, flags: record.flags, mtu: record.mtu, minMtu: record.minMtu,
    maxMtu: record.maxMtu, txqlen: record.txqlen, group: record.group, address: bytesOf(record.address),
    broadcast: bytesOf(record.broadcast), alias: record.alias, promiscuity: record.promiscuity, numTx: record.numTx,
    numRx: record.numRx, realTx: record.realTx, realRx: record.realRx, peer: record.peer ?? 0,
    stats: { ...newLinkStats(), ...record.stats }, tx, xdp: { ...(record.xdp ?? { drv: 0, skb: 0 }) },
    xps: record.xps ? { prog: record.xps.prog, stats: { ...record.xps.stats } } : undefined,
    physDev: record.physDev ? { ...record.physDev, stats: { ...record.physDev.stats } } : undefined,
    dequeue: record.dequeue ? { ...record.dequeue, stats: { ...record.dequeue.stats } } : undefined,
    tun: record.tun ? { ...record.tun, flows: new Map(record.tun.flows) } : undefined, wire: record.wire ? { ...record.wire } : undefined,
  }
}

const bytesOf = (text: string): Uint8Array => (text === '' ? new Uint8Array() : must(parseLladdr(text), `address ${text}`))
