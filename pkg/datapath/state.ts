// Devices out of and into the records: loaded when first needed, saved when they differ.
import { restoreNetDev, saveNetDev, type NetDevRecord } from '../dev/netdev.js'
import type { NetDev } from '../dev/types.js'
import { newDevSched } from '../sched/activate.js'
import { FrameReader, restoreSched, saveSched, type SchedRecord } from '../sched/record.js'
import { recordSkb, restoreSkb, type SkbRecord } from '../skb/record.js'
import { SkbQueue } from '../skb/queue.js'
import { PRIV } from '../skb/skb.js'
import type { TimerRecord } from './clock.js'
import type { Capture, Core } from './core.js'
import type { Port } from './port.js'
import { bulkOf } from './bulk.js'
import { updateStopped, XDP_FRAME } from './nic-ring.js'

/** dev/IFINDEX */
interface PortRecord extends NetDevRecord {
  /** Frames on the link behind a NIC, first to leave first. */
  ring?: SkbRecord[]
  /** CPU and frames of bulk queues whose frames a full ring refused. */
  bulk?: [cpu: number, frame: SkbRecord][]
  /** Tx queue served last, where it is not 0. */
  lastQueue?: number
}

/** net: what the machine has once. */
export interface NetRecord {
  nextIfindex: number
  autohandle: number
  now: number
  frames: number
  bytes: number
  /** How frames ended: 'transmitted', 'delivered', or a drop reason -> count. */
  ends: Record<string, number>
  /** Frames that wait somewhere. */
  held: number
}

export const NET_START: NetRecord = { nextIfindex: 1, autohandle: 0x80000000, now: 0, frames: 0, bytes: 0, ends: {}, held: 0 }

export function newPort(core: Core, dev: NetDev): Port {
  return {
    dev, sched: newDevSched(core.schedEnv, dev), wireTimer: core.clock.timer('wire', dev.ifindex, 0), ring: new SkbQueue(core.skbs),
    inRing: 0, lastQueue: 0, rx: [], bulk: [], saved: { dev: '', sched: '', frames: false }, xpsMaps: undefined,
  }
}

/** Brings a device in; undefined: there is none of that ifindex. */
export function loadPort(core: Core, ifindex: number): Port | undefined {
  const { records } = core.host
  const record = records.get(`dev/${ifindex}`) as PortRecord | undefined
  if (!record) return undefined
  const port = newPort(core, restoreNetDev(record, 0))
  core.ports.set(ifindex, port)
  port.saved.dev = JSON.stringify(record)
  const sched = records.get(`qdisc/${ifindex}`) as SchedRecord | undefined
  port.saved.sched = sched ? JSON.stringify(sched) : ''
  restoreFrames(core, port, record, sched)
  return port
}

function restoreFrames(core: Core, port: Port, record: PortRecord, sched: SchedRecord | undefined): void {
  const blob = core.host.records.getBlob(`frames/${port.dev.ifindex}`)
  port.saved.frames = blob !== undefined
  const reader = new FrameReader(blob)
  const { made, held } = core.skbs
  const adopt = (skb: number): void => {
    core.setDev(skb, port)
    core.socks.own(skb)
  }
  port.lastQueue = record.lastQueue ?? 0
  for (const row of record.ring ?? []) {
    const skb = restoreSkb(core.skbs, row, reader.next(row.len))
    if (skb === 0) continue
    adopt(skb)
    port.ring.push(skb)
    if ((core.skbs.get32(skb, PRIV.flowFlags) & XDP_FRAME) === 0) port.inRing += 1
  }
  if (sched) restoreSched(port.sched, sched, reader, adopt)
  for (const [cpu, row] of record.bulk ?? []) {
    const skb = restoreSkb(core.skbs, row, reader.next(row.len))
    if (skb === 0) continue
    adopt(skb)
    const bulk = bulkOf(core, port, cpu)
    bulk.frames.push(skb)
    bulk.waits = true
  }
  if (port.dev.wire) updateStopped(port)
  core.skbs.made = made
  core.loadedFrames += core.skbs.held - held
}

/** Puts what changed; the frames blob is written anew when there are frames or were. Returns how many frames the device holds. */
export function savePort(core: Core, port: Port): number {
  const { records } = core.host
  const { ifindex } = port.dev
  const frames: Uint8Array[] = []
  const ring: SkbRecord[] = []
  for (const skb of port.ring) {
    ring.push(recordSkb(core.skbs, skb))
    frames.push(core.skbs.bytes(skb))
  }
  const lastQueue = port.lastQueue === 0 ? {} : { lastQueue: port.lastQueue }
  const bulk = port.bulk.flatMap((queue, cpu) => [...(queue?.frames ?? [])].map((skb): [number, SkbRecord] => [cpu, recordSkb(core.skbs, skb)]))
  const record: PortRecord = { ...saveNetDev(port.dev), ...(ring.length > 0 ? { ring } : {}), ...(bulk.length > 0 ? { bulk } : {}), ...lastQueue }
  port.saved.dev = putChanged(core, `dev/${ifindex}`, record, port.saved.dev)
  port.saved.sched = putChanged(core, `qdisc/${ifindex}`, saveSched(port.sched, frames), port.saved.sched)
  for (const queue of port.bulk) for (const skb of queue?.frames ?? []) frames.push(core.skbs.bytes(skb))
  if (frames.length > 0 || port.saved.frames) records.putBlob(`frames/${ifindex}`, frames.length > 0 ? concat(frames) : undefined)
  port.saved.frames = frames.length > 0
  return frames.length
}

function putChanged(core: Core, key: string, record: unknown, before: string): string {
  const text = record === undefined ? '' : JSON.stringify(record)
  if (text !== before) core.host.records.put(key, record === undefined ? undefined : JSON.parse(text))
  return text
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

type CaptureRecord = Omit<Capture, 'sink'>

/** Clock, counters, sockets, captures. */
export function loadMachine(core: Core): NetRecord {
  const { records } = core.host
  const net = { ...NET_START, ...(records.get('net') as NetRecord | undefined) }
  core.clock.restore(net.now, (records.get('net/timers') as TimerRecord[] | undefined) ?? [])
  core.frames = net.frames
  core.bytes = net.bytes
  for (const [why, count] of Object.entries(net.ends)) core.skbs.ends.set(why, count)
  for (const [flow, ifindex, queue] of (records.get('net/socks') as [number, number, number][] | undefined) ?? []) {
    core.txQueues.set(flow, { ifindex, queue })
  }
  core.captures = ((records.get('net/captures') as CaptureRecord[] | undefined) ?? []).map((row) => ({ ...row, sink: undefined }))
  return net
}

export function saveMachine(core: Core, net: NetRecord): void {
  const { records } = core.host
  for (const ifindex of core.gone) for (const key of ['dev', 'qdisc', 'frames']) remove(core, `${key}/${ifindex}`)
  for (const [name, ifindex] of core.names) records.put(`devname/${name}`, ifindex === 0 ? undefined : ifindex)
  core.names.clear()
  core.gone.clear()
  Object.assign(net, { now: core.clock.now, frames: core.frames, bytes: core.bytes, ends: Object.fromEntries(core.skbs.ends) })
  put(core, 'net', { ...net })
  const timers = core.clock.save()
  put(core, 'net/timers', timers.length > 0 ? timers : undefined)
  const captures = core.captures.map(({ sink: _sink, ...row }): CaptureRecord => row)
  put(core, 'net/captures', captures.length > 0 ? captures : undefined)
  const socks = [...core.txQueues].map(([flow, { ifindex, queue }]) => [flow, ifindex, queue])
  put(core, 'net/socks', socks.length > 0 ? socks : undefined)
}

function put(core: Core, key: string, value: unknown): void {
  const before = core.host.records.get(key)
  if (JSON.stringify(before) !== JSON.stringify(value)) core.host.records.put(key, value)
}

function remove(core: Core, key: string): void {
  if (key.startsWith('frames/')) core.host.records.putBlob(key, undefined)
  else core.host.records.put(key, undefined)
}

/** Ifindexes of all devices, ascending. */
export function allIfindexes(core: Core): number[] {
  const known = new Set<number>(core.ports.keys())
  for (const key of core.host.records.keys('dev/')) known.add(Number(key.slice('dev/'.length)))
  return [...known].filter((ifindex) => !core.gone.has(ifindex)).sort((a, b) => a - b)
}
