// The network side of the emulated kernel: devices, queueing, hooks and the way of every packet, over a DatapathHost (host.ts).
// Methods match the rtnl and wire requests of pkg/request one to one. One Net is one machine in one process; save() writes what
// changed into the host's records.
import { assert } from '../bytes/errors.js'
import type { RtnlRequests } from '../request/rtnl.js'
import type { WireRequests } from '../request/wire.js'
import { classDel, classList, classNew, filterDel, filterList, filterNew } from '../sched/class-api.js'
import { qdiscDel, qdiscList, qdiscNew, type SchedDefaults } from '../sched/sch-api.js'
import type { Skbs } from '../skb/skb.js'
import { loadBpfFrames, saveBpfFrames } from './bpf-frames.js'
import type { Clock, Timer } from './clock.js'
import { Core } from './core.js'
import { redirectCopy } from './redirect.js'
import { dropPacket, scheduleDequeue } from './dequeue.js'
import { drain } from './engine.js'
import { FrameMaps } from './frame-maps.js'
import { runLive, type LiveRun } from './live.js'
import type { HookProg } from '../hook/types.js'
import type { DatapathHost } from './host.js'
import { filterTun, setLink, steerTun } from './link-set.js'
import { Links } from './links.js'
import type { Port } from './port.js'
import { loadMachine, loadPort, saveMachine, savePort, type NetRecord } from './state.js'
import { Wire } from './wire.js'
import { makeDevEnv } from './dev-env.js'

import { defaultKind } from '../sched/kinds.js'
import type { BpfQdiscs } from '../sched/bpf-qdisc-run.js'

export { defaultKind }
export type { CaptureSink, DatapathHost, RecordStore } from './host.js'
export type { LiveRun } from './live.js'

type In<K extends keyof RtnlRequests> = RtnlRequests[K][0]
type Out<K extends keyof RtnlRequests> = RtnlRequests[K][1]
type WIn<K extends keyof WireRequests> = WireRequests[K][0]
type WOut<K extends keyof WireRequests> = WireRequests[K][1]

export class Net {
  readonly #core: Core
  readonly #net: NetRecord
  readonly #links: Links
  readonly #wire: Wire
  /** Where frames in maps are kept. */
  readonly frameMaps: FrameMaps

  constructor(host: DatapathHost) {
    const core = new Core(host, makeDevEnv)
    core.load = (ifindex) => loadPort(core, ifindex)
    this.#core = core
    this.#net = loadMachine(core)
    core.heldAtLoad = this.#net.held
    this.frameMaps = new FrameMaps(core)
    this.#links = new Links(core, this.#net)
    this.#wire = new Wire(core, this.#links)
    loadBpfFrames(core)
  }

  /** The slab of frames: helpers work on skbs through it. */
  get skbs(): Skbs {
    return this.#core.skbs
  }

  /** Qdiscs in BPF: what kernel functions act on. */
  get bpfQdiscs(): BpfQdiscs | undefined {
    return this.#core.schedEnv.bpf
  }

  /** A kind that net.core.default_qdisc may name. */
  isDefaultKind(kind: string): boolean {
    return defaultKind(kind, this.#core.schedEnv) !== undefined
  }

  get clock(): Clock {
    return this.#core.clock
  }

  /** Virtual ns. */
  now(): number {
    return this.#core.clock.now
  }

  /** What to do when a timer of this kind fires (bpf_timer). */
  onTimer(kind: string, handler: (timer: Timer) => void): void {
    this.#core.timerHandlers.set(kind, handler)
  }

  /** Makes a new machine's devices: lo (down) when bare, else lo, eth0 and eth1, all up. */
  init(bare: boolean): void {
    this.#links.createDefaults(bare)
  }

  /** A request begins: what the outside may have changed (xps masks) is read anew. */
  begin(): void {
    for (const port of this.#core.ports.values()) port.xpsMaps = undefined
  }

  save(): void {
    let held = saveBpfFrames(this.#core) + this.frameMaps.save()
    for (const port of this.#core.ports.values()) held += savePort(this.#core, port)
    assert(held === this.skbs.held, `${this.skbs.held} frames are held, of which devices list ${held}`)
    this.#net.held = this.#core.held()
    saveMachine(this.#core, this.#net)
  }

  /** The device as helpers and test runs see it; addr is its struct net_device. */
  device(ifindex: number): { addr: number; ifindex: number; name: string; mtu: number; hardHeaderLen: number; address: Uint8Array; broadcast: Uint8Array } | undefined {
    const port = this.#core.port(ifindex)
    if (!port) return undefined
    const { name, mtu, address, broadcast } = port.dev
    return { addr: this.#core.devStruct(port), ifindex, name, mtu, address, broadcast, hardHeaderLen: address.length === 0 ? 0 : 14 }
  }

  /** Names that came or went since the last save: the transmit queues that are in use, 0: the device is gone. */
  changedNames(): { name: string; txQueues: number }[] {
    return [...this.#core.names].map(([name, ifindex]) => ({
      name, txQueues: ifindex === 0 ? 0 : this.#core.port(ifindex)?.dev.realTx ?? 0,
    }))
  }

  /** bpf_clone_redirect: takes over the copy and sends it when the program has ended. 0 or -errno. */
  cloneRedirect(copy: number, ifindex: number, flags: number): number {
    return redirectCopy(this.#core, copy, ifindex, flags)
  }

  /** bpf_schedule_iface_dequeue: 0 or -errno. */
  scheduleDequeue(ifindex: number): number {
    return scheduleDequeue(this.#core, ifindex)
  }

  /** bpf_packet_drop */
  dropPacket(skb: number): void {
    dropPacket(this.#core, skb)
  }

  /** BPF_F_TEST_XDP_LIVE_FRAMES */
  runLive(prog: HookProg, run: LiveRun): void {
    runLive(this.#core, prog, run)
  }

  /** A program ran outside of the datapath: what it asked for is done. */
  settle(): void {
    drain(this.#core)
  }

  linkGet(request: In<'link.get'>): Out<'link.get'> {
    return this.#links.get(request)
  }

  linkNew(request: In<'link.new'>): Out<'link.new'> {
    return this.#links.create(request)
  }

  linkSet(request: In<'link.set'>): void {
    setLink({ core: this.#core, links: this.#links }, request)
    drain(this.#core)
  }

  linkDel(request: In<'link.del'>): void {
    this.#links.delete(request)
  }

  tunAdd(request: In<'tun.add'>): void {
    this.#links.tunAdd(request)
  }

  tunDel(request: In<'tun.del'>): void {
    this.#links.tunDel(request)
  }

  tunSteer(request: In<'tun.steer'>): void {
    steerTun({ core: this.#core, links: this.#links }, request)
  }

  tunFilter(request: In<'tun.filter'>): void {
    filterTun({ core: this.#core, links: this.#links }, request)
  }

  qdiscGet(request: In<'qdisc.get'>): Out<'qdisc.get'> {
    const ports = request.dev === undefined ? this.#links.all() : [this.#links.byName(request.dev)]
    return ports.flatMap((port) => qdiscList(port.sched, request))
  }

  qdiscNew(request: In<'qdisc.new'>): void {
    const port = this.#links.byName(request.dev)
    this.#withDefaults((defaults) => qdiscNew(port.sched, request, defaults))
    this.#kick(port)
  }

  qdiscDel(request: In<'qdisc.del'>): void {
    const port = this.#links.byName(request.dev)
    this.#withDefaults((defaults) => qdiscDel(port.sched, request, defaults))
  }

  #withDefaults(work: (defaults: SchedDefaults) => void): void {
    const defaults: SchedDefaults = { defaultQdisc: this.#core.host.defaultQdisc(), autohandle: this.#net.autohandle }
    try {
      work(defaults)
    } finally {
      this.#net.autohandle = defaults.autohandle
    }
  }

  /** A changed qdisc may have packets to send at once. */
  #kick(port: Port): void {
    for (const q of new Set(port.sched.queues)) if (q.qlen > 0) this.#core.softirq.schedule(this.#core.cpu, q)
    drain(this.#core)
  }

  classGet(request: In<'class.get'>): Out<'class.get'> {
    return classList(this.#links.byName(request.dev).sched, request)
  }

  classNew(request: In<'class.new'>): void {
    classNew(this.#links.byName(request.dev).sched, request)
  }

  classDel(request: In<'class.del'>): void {
    classDel(this.#links.byName(request.dev).sched, request)
  }

  filterGet(request: In<'filter.get'>): Out<'filter.get'> {
    return filterList(this.#links.byName(request.dev).sched, request)
  }

  filterNew(request: In<'filter.new'>): Out<'filter.new'> {
    return { notes: filterNew(this.#links.byName(request.dev).sched, request) }
  }

  filterDel(request: In<'filter.del'>): void {
    filterDel(this.#links.byName(request.dev).sched, request)
  }

  wireSend(request: WIn<'wire.send'>): WOut<'wire.send'> {
    this.begin()
    return this.#wire.send(request)
  }

  wireRun(request: WIn<'wire.run'>): WOut<'wire.run'> {
    this.begin()
    return this.#wire.run(request)
  }

  wireTime(): WOut<'wire.time'> {
    return { now: this.now() }
  }

  wireSet(request: WIn<'wire.set'>): void {
    this.#wire.set(request)
  }

  wireCaptureAdd(request: WIn<'wire.capture.add'>): void {
    this.#wire.captureAdd(request)
  }

  wireCaptureDel(request: WIn<'wire.capture.del'>): void {
    this.#wire.captureDel(request)
  }

  wireCaptureShow(request: WIn<'wire.capture.show'>): WOut<'wire.capture.show'> {
    return this.#wire.captureShow(request)
  }

  wireShow(request: WIn<'wire.show'>): WOut<'wire.show'> {
    return this.#wire.show(request)
  }

  wireTake(request: WIn<'wire.take'>): WOut<'wire.take'> {
    return this.#wire.take(request)
  }
}
