// What all stages share: the frames, the clock, the devices by ifindex, counters, and the way to the host.
import { KernelError, must } from '../bytes/errors.js'
import { runningFlags } from '../dev/info.js'
import { IFF, type DevEnv, type NetDev } from '../dev/types.js'
import { writeNetDev } from '../dev/netdev.js'
import { KERNEL_STRUCTS } from '../mem/layout.js'
import { ENOMEM } from '../uapi/errno.js'
import type { TraceStep } from '../request/wire.js'
import { BpfQdiscs } from '../sched/bpf-qdisc-run.js'
import type { Qdisc, SchedEnv } from '../sched/types.js'
import { ETH_HLEN } from '../skb/flow.js'
import { SKB } from '../skb/layout.js'
import { PRIV, Skbs } from '../skb/skb.js'
import { Clock, type Timer } from './clock.js'
import type { CaptureSink, DatapathHost } from './host.js'
import type { KeptFrame, Port } from './port.js'
import { SOCKS, Socks } from './sock.js'
import { Softirq } from './softirq.js'

/** struct net_device takes 2496 bytes. */
const NETDEV_STRIDE = 2560

export interface Capture {
  ifindex: number
  direction: 'rx' | 'tx' | 'all'
  file: string
  packets: number
  sink: CaptureSink | undefined
}

export class Core {
  readonly host: DatapathHost
  readonly skbs: Skbs
  readonly clock = new Clock()
  readonly softirq: Softirq
  readonly ports = new Map<number, Port>()
  /** By place of their struct net_device. */
  readonly #byStruct: Port[] = []
  /** Set by Net: loads a device from the records. */
  load: (ifindex: number) => Port | undefined = () => undefined
  cpu = 0
  /** struct sock of local senders. */
  readonly socks: Socks
  /** Flow of a TCP socket -> its cached tx queue (sk_tx_queue_mapping). */
  readonly txQueues = new Map<number, { ifindex: number; queue: number }>()
  captures: Capture[] = []
  trace: TraceStep[] | undefined
  /** Frames that came in before the traced ones: those may still wait somewhere, and are none of the request's. */
  tracedFrom = 0
  readonly kept = new Map<string, KeptFrame[]>()
  /** Frames that came in since the machine was made. */
  frames = 0
  bytes = 0
  /** Names given or taken away in this process: name -> ifindex, 0: nobody's. */
  readonly names = new Map<string, number>()
  /** Devices removed in this process. */
  readonly gone = new Set<number>()
  /** Timers of others (bpf_timer): kind -> what to do. */
  readonly timerHandlers = new Map<string, (timer: Timer) => void>()
  /** Frames the machine held when it was loaded, and how many of them devices have brought in since. */
  heldAtLoad = 0
  loadedFrames = 0
  /** Copies that wait for the end of a program (bpf_clone_redirect). */
  readonly clones: { skb: number; ifindex: number; flags: number }[] = []
  /** Nested dev_queue_xmit (XMIT_RECURSION_LIMIT). */
  depth = 0
  readonly schedEnv: SchedEnv
  readonly devEnv: DevEnv

  constructor(host: DatapathHost, makeDevEnv: (core: Core) => DevEnv) {
    this.host = host
    this.skbs = new Skbs(host.mem)
    this.socks = new Socks(this.skbs)
    this.softirq = new Softirq(host.cpus, this.skbs)
    this.schedEnv = makeSchedEnv(this)
    this.devEnv = makeDevEnv(this)
  }

  /** Frames that wait anywhere in the machine: those in memory, and those of devices not loaded. */
  held(): number {
    return this.skbs.held - this.loadedFrames + this.heldAtLoad
  }

  port(ifindex: number): Port | undefined {
    return this.ports.get(ifindex) ?? (this.gone.has(ifindex) ? undefined : this.load(ifindex))
  }

  isUp(port: Port): boolean {
    return (port.dev.flags & IFF.UP) !== 0
  }

  peerOf(dev: NetDev): Port | undefined {
    return dev.peer === 0 ? undefined : this.port(dev.peer)
  }

  peerUp(dev: NetDev): boolean {
    const peer = this.peerOf(dev)
    return peer !== undefined && this.isUp(peer)
  }

  /** Address of the device's struct net_device, laid down when the first packet needs it. */
  devStruct(port: Port): number {
    const dev = port.dev as { -readonly [K in keyof NetDev]: NetDev[K] }
    if (dev.addr === 0) {
      dev.addr = KERNEL_STRUCTS + this.#byStruct.length * NETDEV_STRIDE
      if (dev.addr + NETDEV_STRIDE > SOCKS) throw new KernelError(ENOMEM, 'not supported yet: packets on over 5000 devices at once')
      this.#byStruct.push(port)
      this.refreshStruct(port)
    }
    return dev.addr
  }

  /** After a change that programs can read. */
  refreshStruct(port: Port): void {
    if (port.dev.addr !== 0) writeNetDev(this.host.mem, port.dev, runningFlags(port.dev, this.peerUp(port.dev)))
  }

  setDev(skb: number, port: Port): void {
    this.skbs.set32(skb, SKB.dev, this.devStruct(port))
  }

  /** The device of an skb, from its dev pointer. */
  devOf(skb: number): Port {
    const addr = this.skbs.get32(skb, SKB.dev)
    return must(this.#byStruct[(addr - KERNEL_STRUCTS) / NETDEV_STRIDE], 'skb without a device')
  }

  setCpu(cpu: number): void {
    if (this.cpu === cpu) return
    this.cpu = cpu
    this.host.setCpu(cpu)
  }

  /** dev: wanted only while tracing. */
  drop(skb: number, dev: NetDev | undefined, reason: string): void {
    if (this.trace && dev) this.step(skb, dev, 'drop', reason)
    this.skbs.free(skb, reason)
  }

  /** A line of `wire trace`. Callers test core.trace first, so that no text is made for nothing. */
  step(skb: number, dev: NetDev, hook: string, text: string): void {
    const frame = this.skbs.get32(skb, PRIV.frame) - this.tracedFrom - 1
    if (frame >= 0) this.trace?.push({ at: this.clock.now, frame, dev: dev.name, hook, text })
  }

  /** Gives a frame to the captures of a device. */
  capture(port: Port, skb: number, direction: 'rx' | 'tx', at: number): void {
    for (const capture of this.captures) {
      if (capture.ifindex !== port.dev.ifindex || (capture.direction !== 'all' && capture.direction !== direction)) continue
      capture.sink ??= this.host.openCapture(capture.file)
      capture.packets += 1
      capture.sink.write(this.#frame(port.dev, skb), at)
    }
  }

  /** The bytes as an Ethernet frame: a tun device has none, so it gets a header that says IPv4 or IPv6. */
  #frame(dev: NetDev, skb: number): Uint8Array {
    const bytes = this.skbs.bytes(skb)
    if (dev.address.length > 0) return bytes
    const frame = new Uint8Array(ETH_HLEN + bytes.length)
    frame.set(bytes[0]! >> 4 === 6 ? [0x86, 0xdd] : [0x08, 0x00], 12)
    frame.set(bytes, ETH_HLEN)
    return frame
  }

  keep(dev: NetDev, from: 'tx' | 'stack', skb: number, at: number, queue: number): void {
    if (!this.host.keepFrames) return
    const key = `${from}/${dev.ifindex}`
    const list = this.kept.get(key) ?? []
    list.push({ bytes: this.#frame(dev, skb), at, queue })
    this.kept.set(key, list)
  }
}

function makeSchedEnv(core: Core): SchedEnv {
  const { host } = core
  const devStruct = (ifindex: number): number => core.devStruct(must(core.port(ifindex), `device ${ifindex}`))
  const bpf = host.bpfQdisc ? { bpf: new BpfQdiscs(host.bpfQdisc, devStruct, () => core.schedEnv) } : {}
  const watchdogOf = (q: Qdisc) => core.clock.timer('watchdog', q.port.dev.ifindex, q.handle)
  return {
    skbs: core.skbs,
    get strict() {
      return host.strict
    },
    now: () => core.clock.now,
    drop: (skb, reason) => core.drop(skb, core.trace ? core.devOf(skb).dev : undefined, reason),
    prog: (id) => host.prog(id),
    progRef: (id) => host.progRef(id),
    hold: (id) => host.holdProg(id),
    release: (id) => host.releaseProg(id),
    watchdog: (q, at) => core.clock.arm(watchdogOf(q), at, core.cpu),
    watchdogCancel: (q) => core.clock.cancel(watchdogOf(q)),
    watchdogAt: (q) => (watchdogOf(q).slot < 0 ? undefined : watchdogOf(q).at),
    warn: (text) => host.log(text),
    tcStats: (ids) => host.tcStats?.(ids),
    ...bpf,
    get tracing() {
      return core.trace !== undefined
    },
    trace: (skb, dev, hook, text) => core.step(skb, dev, hook, text),
  }
}
