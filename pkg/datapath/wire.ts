// What `wire` asks: frames in from the other end or from local sockets, the clock, the link behind a NIC, captures.
import { KernelError } from '../bytes/errors.js'
import { learnFlow } from '../dev/tun-state.js'
import type { CaptureInfo, WireDevice, WireFrame, WireRequests, WireSummary } from '../request/wire.js'
import { qdiscStats, treeOf } from '../sched/common.js'
import { EINVAL, ENODEV, ENOENT, EOPNOTSUPP } from '../uapi/errno.js'
import { ETH_HLEN, scale, skbHash, transportOffset } from '../skb/flow.js'
import { SKB } from '../skb/layout.js'
import { DELIVERED, HEADROOM, PRIV, TRANSMITTED } from '../skb/skb.js'
import type { Core } from './core.js'
import { devQueueXmit } from './egress.js'
import { drain, runIdle, runUntil } from './engine.js'
import type { Links } from './links.js'
import type { KeptFrame, Port } from './port.js'
import { receiveFrame } from './receive.js'
import { POLL_WEIGHT } from './softirq.js'
import { updateStopped, wakeQueues } from './nic-ring.js'

type Send = WireRequests['wire.send'][0]

export class Wire {
  readonly #core: Core
  readonly #links: Links

  constructor(core: Core, links: Links) {
    this.#core = core
    this.#links = links
  }

  send(request: Send): WireRequests['wire.send'][1] {
    const core = this.#core
    const port = this.#links.byName(request.dev)
    checkSend(core, port, request)
    const before = this.#mark()
    const trace = request.trace === true ? [] : undefined
    core.trace = trace
    core.tracedFrom = core.frames
    core.depth = 0
    try {
      this.#feed(port, request)
      if (request.hold !== true) runIdle(core)
    } finally {
      core.trace = undefined
    }
    return { ...this.#summary(before), ...(trace ? { trace } : {}) }
  }

  /** Frames enter at their times; those of one time are one poll, or one burst of sends. */
  #feed(port: Port, request: Send): void {
    const core = this.#core
    const start = core.clock.now
    const latency = request.direction === 'rx' && port.dev.wire && request.hold !== true ? port.dev.wire.latency : 0
    let polled = 0
    for (const frame of request.frames) {
      const at = start + frame.at + latency
      if (request.hold !== true && at > core.clock.now) {
        drain(core)
        polled = 0
        runUntil(core, at)
      }
      if (request.direction === 'tx') this.#transmit(port, request, frame)
      else this.#arrive(port, request, frame)
      polled += 1
      if (request.direction === 'tx' || polled === POLL_WEIGHT) {
        drain(core)
        polled = 0
      }
    }
    drain(core)
  }

  #newSkb(frame: WireFrame): number {
    const core = this.#core
    core.frames += 1
    core.bytes += frame.bytes.length
    const skb = core.skbs.alloc(frame.bytes)
    if (skb === 0) {
      core.skbs.ends.set('NOMEM', (core.skbs.ends.get('NOMEM') ?? 0) + 1)
      return 0
    }
    core.skbs.set32(skb, PRIV.frame, core.frames)
    core.skbs.set16(skb, SKB.mac_header, HEADROOM)
    return skb
  }

  /** A local socket sends. */
  #transmit(port: Port, request: Send, frame: WireFrame): void {
    const core = this.#core
    const { skbs } = core
    const skb = this.#newSkb(frame)
    if (skb === 0) return
    core.setCpu(request.cpu ?? 0)
    const l2 = Math.min(ETH_HLEN, frame.bytes.length)
    const data = skbs.data(skb)
    skbs.u8[skb + SKB.protocol] = l2 === ETH_HLEN ? skbs.u8[data + 12]! : 0
    skbs.u8[skb + SKB.protocol + 1] = l2 === ETH_HLEN ? skbs.u8[data + 13]! : 0
    skbs.set16(skb, SKB.network_header, HEADROOM + l2)
    skbs.set16(skb, SKB.mac_len, l2)
    const proto = (skbs.u8[skb + SKB.protocol]! << 8) | skbs.u8[skb + SKB.protocol + 1]!
    const l4 = transportOffset(skbs.u8, proto, data + l2, data + frame.bytes.length)
    if (l4 !== 0) skbs.set16(skb, SKB.transport_header, HEADROOM + l2 + l4)
    skbs.set32(skb, SKB.mark, frame.mark ?? 0)
    skbs.set32(skb, SKB.priority, frame.priority ?? 0)
    if (frame.rxQueue !== undefined) skbs.set32(skb, PRIV.rxQueue, frame.rxQueue + 1)
    if (frame.flow) {
      skbs.set32(skb, PRIV.flow, frame.flow.id + 1)
      skbs.set32(skb, PRIV.flowFlags, (frame.flow.tcp ? 1 : 0) | (frame.flow.oooOkay === true ? 2 : 0))
      core.socks.own(skb)
    }
    if (port.dev.address.length === 0) this.#stripHeader(skb, l2)
    if (core.trace) core.step(skb, port.dev, 'socket', `len ${frame.bytes.length} cpu ${core.cpu}`)
    devQueueXmit(core, port, skb)
  }

  /** A tun device has no link header. */
  #stripHeader(skb: number, l2: number): void {
    const { skbs } = this.#core
    skbs.pull(skb, l2)
    skbs.set16(skb, SKB.mac_header, HEADROOM + l2)
    skbs.set16(skb, SKB.mac_len, 0)
  }

  /** The other end has sent. */
  #arrive(port: Port, request: Send, frame: WireFrame): void {
    const core = this.#core
    const skb = this.#newSkb(frame)
    if (skb === 0) return
    if (!core.isUp(port)) return core.drop(skb, port.dev, 'DEV_READY')
    const queue = this.#rxQueue(port, skb, frame)
    core.setCpu(request.cpu ?? queue % core.host.cpus)
    if (frame.mark !== undefined) core.skbs.set32(skb, SKB.mark, frame.mark)
    if (frame.priority !== undefined) core.skbs.set32(skb, SKB.priority, frame.priority)
    if (port.dev.tun) learnFlow(port.dev.tun, skbHash(core.skbs, skb), queue)
    if (port.dev.address.length === 0) this.#stripHeader(skb, Math.min(ETH_HLEN, frame.bytes.length))
    if (core.trace) core.step(skb, port.dev, 'rx', `rx-${queue} len ${frame.bytes.length} cpu ${core.cpu}`)
    receiveFrame(core, port, skb, queue)
  }

  /** What the frame names, else receive side scaling. */
  #rxQueue(port: Port, skb: number, frame: WireFrame): number {
    const { realRx } = port.dev
    if (frame.rxQueue !== undefined) return frame.rxQueue
    return realRx <= 1 ? 0 : scale(skbHash(this.#core.skbs, skb), realRx)
  }

  run(request: WireRequests['wire.run'][0]): WireSummary {
    const core = this.#core
    const before = this.#mark()
    if ('for' in request && !(request.for >= 0 && isTime(core.clock.now + request.for))) throw new KernelError(EINVAL)
    if ('for' in request) runUntil(core, core.clock.now + request.for)
    else runIdle(core)
    return this.#summary(before)
  }

  // Accounts: what ended how, as a difference of counters.

  #mark(): { frames: number; bytes: number; ends: Map<string, number> } {
    const core = this.#core
    return { frames: core.frames, bytes: core.bytes, ends: new Map(core.skbs.ends) }
  }

  #summary(since: { frames: number; bytes: number; ends: ReadonlyMap<string, number> }): WireSummary {
    const core = this.#core
    const ended: Record<string, number> = {}
    for (const [why, count] of core.skbs.ends) {
      const n = count - (since.ends.get(why) ?? 0)
      if (n !== 0) ended[why] = n
    }
    const { [TRANSMITTED]: transmitted = 0, [DELIVERED]: delivered = 0, ...dropped } = ended
    return {
      frames: core.frames - since.frames, bytes: core.bytes - since.bytes, transmitted, delivered, queued: core.held(), dropped,
      now: core.clock.now,
    }
  }

  set(request: WireRequests['wire.set'][0]): void {
    const port = this.#links.byName(request.dev)
    const { wire } = port.dev
    if (!wire) throw new KernelError(EOPNOTSUPP, `${request.dev} has no link behind it`)
    const { ring = 1, rate = 0, latency = 0, xdpRing = 1 } = request
    if (!(ring >= 1 && xdpRing >= 1 && rate >= 0 && rate < Infinity && isTime(latency))) throw new KernelError(EINVAL)
    wire.rate = request.rate ?? wire.rate
    wire.latency = request.latency ?? wire.latency
    wire.ring = request.ring ?? wire.ring
    if (request.xdpRing !== undefined) wire.xdpRing = request.xdpRing
    updateStopped(port)
    wakeQueues(this.#core, port)
    drain(this.#core)
  }

  captureAdd({ dev, direction, file }: WireRequests['wire.capture.add'][0]): void {
    const { ifindex } = this.#links.byName(dev).dev
    const core = this.#core
    const sink = core.captures.some((other) => other.file === file) ? undefined : core.host.beginCapture?.(file)
    core.captures.push({ ifindex, direction, file, packets: 0, sink })
  }

  captureDel({ dev, direction, file }: WireRequests['wire.capture.del'][0]): void {
    const core = this.#core
    const { ifindex } = this.#links.byName(dev).dev
    const kept = core.captures.filter(
      (c) => c.ifindex !== ifindex || (direction !== undefined && c.direction !== direction) || (file !== undefined && c.file !== file),
    )
    if (kept.length === core.captures.length) throw new KernelError(ENOENT)
    core.captures = kept
  }

  captureShow({ dev }: WireRequests['wire.capture.show'][0]): CaptureInfo[] {
    const only = dev === undefined ? undefined : this.#links.byName(dev).dev.ifindex
    return this.#core.captures
      .filter(({ ifindex }) => only === undefined || ifindex === only)
      .map(({ ifindex, direction, file, packets }) => ({ dev: this.#core.port(ifindex)?.dev.name ?? '', direction, file, packets }))
  }

  show({ dev }: WireRequests['wire.show'][0]): WireRequests['wire.show'][1] {
    const ports = dev === undefined ? this.#links.all() : [this.#links.byName(dev)]
    const total = this.#summary({ frames: 0, bytes: 0, ends: new Map() })
    return { devices: ports.map((port) => this.#device(port)), total }
  }

  #device(port: Port): WireDevice {
    const { dev, sched, ring, wireTimer: timer } = port
    const queued = treeOf(sched.root)
      .map((q) => ({ qdisc: q.kind.kind, handle: q.handle, packets: qdiscStats(q).qlen, bytes: qdiscStats(q).backlog }))
      .filter(({ packets }) => packets > 0)
    return {
      dev: dev.name, rate: dev.wire?.rate ?? 0, latency: dev.wire?.latency ?? 0, ring: dev.wire?.ring ?? 0,
      busyUntil: timer.slot < 0 ? 0 : timer.at, inRing: ring.qlen, queued,
    }
  }

  take({ dev, from }: WireRequests['wire.take'][0]): KeptFrame[] {
    const port = this.#links.find(dev)
    if (!port) throw new KernelError(ENODEV)
    const key = `${from}/${port.dev.ifindex}`
    const frames = this.#core.kept.get(key) ?? []
    this.#core.kept.delete(key)
    return frames
  }
}

/** Some 100 days: beyond, a double no longer counts single ns. */
const isTime = (ns: number): boolean => ns >= 0 && ns < 2 ** 53

/** A request is good as a whole before its first frame goes. */
function checkSend({ host }: Core, { dev }: Port, { cpu, direction, frames }: Send): void {
  if (cpu !== undefined && !(cpu >= 0 && cpu < host.cpus)) throw new KernelError(EINVAL, `there are CPUs 0 to ${host.cpus - 1}`)
  const ordered = frames.every(({ at }, i) => isTime(at) && at >= (frames[i - 1]?.at ?? 0))
  if (!ordered) throw new KernelError(EINVAL, 'frames are not in ascending order of time')
  if (direction === 'tx' || frames.every(({ rxQueue = 0 }) => rxQueue >= 0 && rxQueue < dev.realRx)) return
  throw new KernelError(EINVAL, `${dev.name} has ${dev.realRx} receive queues`)
}
