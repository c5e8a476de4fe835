// Where programs send packets: XDP_TX, XDP_REDIRECT to an ifindex, devmap or cpumap (net/core/filter.c: xdp_do_redirect,
// xdp_do_generic_redirect), and bpf_redirect of classifiers (skb_do_redirect).
import { prepareXdp, runXdp, setXdpTxDevice, xdpMetaLen } from '../hook/xdp.js'
import { NOTE_IFINDEX, NOTE_MAP, NOTE_NEIGH, NOTE_PEER, type RedirectNote } from '../hook/types.js'
import { REDIRECTED } from '../dev/ifb.js'
import { XDP_RING } from '../dev/wire-link.js'
import { MAP_TYPE, XDP } from '../uapi/bpf.js'
import { EBADRQC, strerror } from '../uapi/errno.js'
import { RFC_MAP_TYPE } from '../uapi/rfc.js'
import { SKB } from '../skb/layout.js'
import { PRIV } from '../skb/skb.js'
import type { Core } from './core.js'
import { devQueueXmit, RECURSION_LIMIT } from './egress.js'
import { TC_AT_INGRESS } from './ingress.js'
import type { Port } from './port.js'
import { netifReceive } from './receive.js'
import { prepareRx, toRing } from './forward.js'
import { startWire } from './nic-ring.js'
import { xmitDirect } from './xmit.js'

const BPF_F_INGRESS = 1
const BPF_F_BROADCAST = 8
const BPF_F_EXCLUDE_INGRESS = 16

const XMIT_ERROR = 'XDP_XMIT_ERROR'
/** The driver has no room now. */
export const FULL_RING = 'FULL_RING'

/** ndo_xdp_xmit of one frame: past qdiscs, into rings of their own. */
export function xdpTransmit(core: Core, port: Port, skb: number, reason: string): void {
  flushKept(core, port)
  const failed = tryXdpTransmit(core, port, skb)
  if (failed === undefined) return
  if (failed !== XMIT_ERROR) port.dev.stats.txDropped += 1
  core.drop(skb, port.dev, failed === XMIT_ERROR ? `${reason}_ERROR` : failed)
}

/** Frames that dequeue programs left in this CPU's bulk queue go first, and what the driver refuses now is lost. */
function flushKept(core: Core, port: Port): void {
  const frames = port.bulk[core.cpu]?.frames
  if (!frames || frames.qlen === 0) return
  for (let skb = frames.shift(); skb !== 0; skb = frames.shift()) {
    const failed = tryXdpTransmit(core, port, skb)
    if (failed !== undefined) core.drop(skb, port.dev, failed)
    if (port.dev.dequeue) port.dev.dequeue.stats[failed === undefined ? 'transmitted' : 'dropped'] += 1
  }
}

/** undefined: sent. Else why not; the frame stays the caller's. */
export function tryXdpTransmit(core: Core, port: Port, skb: number): string | undefined {
  const { dev } = port
  const len = core.skbs.len(skb)
  const fits = len <= dev.mtu + 18
  if (!core.isUp(port) || !dev.kind.xdpXmit || !fits) return XMIT_ERROR
  if (dev.wire && port.ring.qlen - port.inRing >= (dev.wire.xdpRing ?? XDP_RING)) return FULL_RING
  if (core.trace) core.step(skb, dev, 'xdp_xmit', `len ${len}`)
  const failed = toDriver(core, port, skb)
  if (failed !== undefined) return failed
  dev.stats.txPackets += 1
  dev.stats.txBytes += len
  const queue = dev.tx[core.cpu % dev.realTx]!
  queue.packets += 1
  queue.bytes += len
  return undefined
}

function toDriver(core: Core, port: Port, skb: number): string | undefined {
  const { dev } = port
  if (dev.wire) {
    startWire(core, port, skb, true)
    return undefined
  }
  core.capture(port, skb, 'tx', core.clock.now)
  if (dev.tun) {
    core.devEnv.leave(dev, skb, core.cpu % Math.max(1, dev.tun.numQueues))
    return undefined
  }
  const peer = core.peerOf(dev)
  if (!peer || !core.isUp(peer)) return 'DEV_READY'
  return toRing(core, peer, skb, core.cpu % peer.dev.realRx)
}

/** How a redirected frame leaves: ndo_xdp_xmit, or as an skb past the qdisc. */
type Send = (core: Core, target: Port, skb: number, reason: string) => void

/** XDP_REDIRECT of a native program, as the helper's note says. */
export function redirectFrame(core: Core, port: Port, skb: number): void {
  redirectXdp(core, port, skb, xdpTransmit)
}

/** XDP_REDIRECT of a generic program: the frame is an skb, data at its Ethernet header. */
export function redirectGeneric(core: Core, port: Port, skb: number): void {
  core.skbs.u8[skb + SKB.redirected]! |= REDIRECTED.redirected
  redirectXdp(core, port, skb, xmitDirect)
}

function redirectXdp(core: Core, port: Port, skb: number, send: Send): void {
  const { note } = core.host
  if (core.trace) core.step(skb, port.dev, 'redirect', describe(core))
  if (note.kind === NOTE_MAP && note.mapType === MAP_TYPE.CPUMAP) return toCpu(core, port, skb, note.index, note.progId)
  if (note.kind === NOTE_MAP && note.mapType === RFC_MAP_TYPE.PIFO_XDP) return toPifo(core, port, skb, send === xmitDirect)
  if (note.kind === NOTE_MAP && (note.flags & BPF_F_BROADCAST) !== 0) return broadcast(core, port, skb, send)
  // Nobody has a socket in an xskmap.
  const target = note.kind === NOTE_IFINDEX || isDevmap(note) ? core.port(note.ifindex) : undefined
  if (!target) return core.drop(skb, port.dev, REDIRECT_ERROR)
  toDevice(core, port, target, skb, note.kind === NOTE_MAP ? note.progId : 0, send)
}

const isDevmap = ({ kind, mapType }: RedirectNote): boolean =>
  kind === NOTE_MAP && (mapType === MAP_TYPE.DEVMAP || mapType === MAP_TYPE.DEVMAP_HASH)

const REDIRECT_ERROR = 'XDP_REDIRECT_ERROR'

function describe(core: Core): string {
  const { note } = core.host
  if (note.kind !== NOTE_MAP) return `ifindex ${note.ifindex}`
  return `map ${note.mapId} ${note.mapType === RFC_MAP_TYPE.PIFO_XDP ? `rank ${rankText(note)}` : `entry ${note.index}`}`
}

const rankText = ({ index, rankHigh = 0 }: RedirectNote): string => ((BigInt(rankHigh >>> 0) << 32n) | BigInt(index >>> 0)).toString()

/** Into the map's order, until a dequeue program takes the frame out. As posted, frames of generic programs and ranks beyond 32 bits are no good. */
function toPifo(core: Core, port: Port, skb: number, generic: boolean): void {
  const { note, strict } = core.host
  const queue = strict && generic ? undefined : core.host.frameQueue?.(note.mapId)
  if (!generic) core.skbs.set32(skb, PRIV.meta, xdpMetaLen(core.skbs))
  else core.skbs.u8[skb + SKB.redirected] = 0
  const failed = queue?.enqueue(skb, note.index >>> 0, strict ? 0 : (note.rankHigh ?? 0) >>> 0) ?? -EBADRQC
  if (failed === 0) return
  if (core.trace) core.step(skb, port.dev, 'pifo', `map ${note.mapId} refuses: ${strerror(-failed)}`)
  core.drop(skb, port.dev, REDIRECT_ERROR)
}

/** A devmap entry's own program sees the frame before it leaves. */
function toDevice(core: Core, from: Port, target: Port, skb: number, progId: number, send: Send): void {
  const prog = progId === 0 ? undefined : core.host.prog(progId)
  if (prog) {
    prepareXdp(core.skbs, skb, core.devStruct(from), 0)
    setXdpTxDevice(core.skbs, core.devStruct(target))
    if (runXdp(core.skbs, skb, prog) !== XDP.PASS) return core.drop(skb, target.dev, 'XDP_DROP')
  }
  send(core, target, skb, 'XDP_REDIRECT')
}

function broadcast(core: Core, from: Port, skb: number, send: Send): void {
  const { note } = core.host
  const all = core.host.devmapTargets?.(note.mapId) ?? []
  const exclude = (note.flags & BPF_F_EXCLUDE_INGRESS) !== 0
  const targets = all.filter(({ ifindex }) => !(exclude && ifindex === from.dev.ifindex) && core.port(ifindex) !== undefined)
  const last = targets.pop()
  if (!last) return core.drop(skb, from.dev, REDIRECT_ERROR)
  for (const { ifindex, progId } of targets) {
    const copy = core.skbs.copy(skb)
    if (copy !== 0) toDevice(core, from, core.port(ifindex)!, copy, progId, send)
  }
  toDevice(core, from, core.port(last.ifindex)!, skb, last.progId, send)
}

/** cpumap: the other CPU builds the skb, after the entry's program. */
function toCpu(core: Core, port: Port, skb: number, cpu: number, progId: number): void {
  const work = core.softirq.cpus[cpu]
  if (!work) return core.drop(skb, port.dev, REDIRECT_ERROR)
  core.setDev(skb, port)
  core.skbs.set32(skb, PRIV.order, progId)
  work.cpumap.push(skb)
}

/** TC_ACT_REDIRECT: data at the Ethernet header. */
export function redirectSkb(core: Core, port: Port, skb: number): void {
  const { kind, ifindex, flags } = core.host.note
  if (core.trace) core.step(skb, port.dev, 'redirect', describe(core))
  const target = kind === NOTE_IFINDEX || kind === NOTE_PEER || kind === NOTE_NEIGH ? core.port(ifindex) : undefined
  if (!target) return core.drop(skb, port.dev, 'TC_REDIRECT_ERROR')
  if (kind === NOTE_PEER) return toPeer(core, port, target, skb)
  // An emulated link has no neighbours that would answer.
  if (kind === NOTE_NEIGH) return core.drop(skb, target.dev, 'NEIGH_FAILED')
  sendTo(core, target, skb, flags)
}

/** __bpf_redirect: out of the device, or in through it. */
function sendTo(core: Core, target: Port, skb: number, flags: number): void {
  const { u8 } = core.skbs
  const fromIngress = (u8[skb + SKB.tc_flags]! & TC_AT_INGRESS) !== 0
  u8[skb + SKB.tc_flags]! &= ~TC_AT_INGRESS
  if ((flags & BPF_F_INGRESS) !== 0) return toIngress(core, target, skb)
  u8[skb + SKB.redirected] = REDIRECTED.redirected | (fromIngress ? REDIRECTED.fromIngress : 0)
  devQueueXmit(core, target, skb)
}

/** bpf_redirect(…, BPF_F_INGRESS): into the target's receive path. */
function toIngress(core: Core, target: Port, skb: number): void {
  if (!core.isUp(target)) return core.drop(skb, target.dev, 'DEV_READY')
  core.devEnv.netifRx(target.dev, skb)
}

/** bpf_redirect_peer: straight to the ingress of the other end, without a softirq in between. */
function toPeer(core: Core, port: Port, target: Port, skb: number): void {
  const peer = core.peerOf(target.dev)
  if (!peer || !core.isUp(peer)) return core.drop(skb, port.dev, 'DEV_READY')
  core.skbs.u8[skb + SKB.tc_flags]! &= ~TC_AT_INGRESS
  if (core.depth >= RECURSION_LIMIT) return core.drop(skb, port.dev, 'RECURSION_LIMIT')
  core.depth += 1
  prepareRx(core, peer, skb)
  netifReceive(core, peer, skb)
  core.depth -= 1
}

/** bpf_clone_redirect: takes over the copy, which leaves when the program has ended. */
export function redirectCopy(core: Core, copy: number, ifindex: number, flags: number): number {
  core.clones.push({ skb: copy, ifindex, flags })
  return 0
}

/** Sends the copies that the last program left. */
export function sendClones(core: Core): void {
  for (let clone = core.clones.shift(); clone; clone = core.clones.shift()) {
    const target = core.port(clone.ifindex)
    if (!target) {
      core.skbs.free(clone.skb, 'TC_REDIRECT_ERROR')
      continue
    }
    sendTo(core, target, clone.skb, clone.flags)
  }
}
