// The machine as the network side sees it: records in the store, programs by id, masks in sysfs, captures in files.
import { must } from '../bytes/errors.js'
import type { DatapathHost, RecordStore } from '../datapath/host.js'
import { Net } from '../datapath/index.js'
import type { NetEnv } from '../helper/env.js'
import { createNote, type HookProg, type RedirectNote } from '../hook/types.js'
import { DevHash } from '../map/devmap-hash.js'
import { DevMap } from '../map/devmap.js'
import { CaptureWriter } from '../packet/capture-writer.js'
import type { Runnable } from '../prog/engine.js'
import type { ProgRef } from '../request/rtnl.js'
import type { Json, Store } from '../state/store.js'
import { Captures } from './captures.js'
import type { Machine } from './machine.js'
import { tcStats } from './tc-stats.js'
import type { TestRunHost } from './test-run.js'
import { BPF_TIMER, Timers } from './timers.js'

const SYSFS = 'sys/class/net'
/** include/uapi/linux/bpf.h: this machine forwards nothing, it has no routes yet. */
const BPF_FIB_LKUP_RET_NOT_FWDED = 4
const BPF_FIB_LKUP_RET_FWD_DISABLED = 5
const AF_INET = 2

export class NetSide {
  readonly #machine: Machine
  readonly note: RedirectNote = createNote()
  readonly #hookProgs = new Map<number, HookProg>()
  readonly #captures: Captures
  /** Programs that may have run since the last save: every open map counts as written. */
  #ran = false
  #net: Net | undefined
  #timers: Timers | undefined

  constructor(machine: Machine) {
    this.#machine = machine
    this.#captures = new Captures(machine.store, (path) => CaptureWriter.append(path))
  }

  get net(): Net {
    this.#net ??= this.#boot()
    return this.#net
  }

  #boot(): Net {
    const net = new Net(this.#host())
    net.onTimer(BPF_TIMER, (timer) => this.timers().fire(timer))
    return net
  }

  timers(): Timers {
    const machine = this.#machine
    this.#timers ??= new Timers({
      clock: this.net.clock,
      mem: machine.memory(),
      cpu: () => machine.engineSide.cpu,
      map: (id) => (machine.maps.attr(id) ? machine.maps.map(id) : undefined),
      enter: (id) => this.#enter(id),
    })
    return this.#timers
  }

  #enter(id: number): Runnable | undefined {
    const record = this.#machine.progs.find(id)
    if (!record) return undefined
    const { runState } = this.#machine.engineSide
    const runnable = this.#machine.progs.runnable(id)
    this.#ran = true
    Object.assign(runState, { runnable, progType: record.type, progId: id })
    return runnable
  }

  now(): number {
    return this.net.now()
  }

  deviceExists(ifindex: number): boolean {
    return this.net.device(ifindex) !== undefined
  }

  #host(): DatapathHost {
    const machine = this.#machine
    const { options } = machine
    return {
      get mem() {
        return machine.memory()
      },
      cpus: machine.cpus,
      strict: options.strict ?? false,
      records: recordStore(machine.store),
      note: this.note,
      prog: (id) => this.prog(id),
      progRef: (id) => this.#progRef(id),
      holdProg: (id) => machine.holdProg(id),
      releaseProg: (id) => machine.dropProg(id),
      setCpu: (cpu) => machine.engineSide.setCpu(cpu),
      random32: () => machine.random.next32(),
      defaultQdisc: () => machine.sysctl.get('net/core/default_qdisc'),
      xpsMasks: (dev, file) => this.#masks(dev, file),
      xpsConfigured: () => this.#anyMask(),
      devmapTargets: (mapId) => this.#devmapTargets(mapId),
      frameQueue: (mapId) => (machine.maps.attr(mapId) ? machine.maps.map(mapId).frames : undefined),
      openCapture: (file) => this.#captures.open(file),
      beginCapture: (file) => this.#captures.begin(file),
      bpfQdisc: machine.structOps.qdiscs,
      log: (text) => machine.trace.log(text, this.now()),
      tcStats: (progIds) => tcStats(machine, progIds),
      keepFrames: options.keepHandles ?? false,
    }
  }

  #devmapTargets(mapId: number): { ifindex: number; progId: number }[] {
    const map = this.#machine.maps.map(mapId)
    if (!(map instanceof DevMap || map instanceof DevHash)) return []
    return [...map.devices()].map(({ ifindex, progId = 0 }) => ({ ifindex, progId }))
  }

  /** The program as hooks run it; undefined when the id is gone. */
  prog(id: number): HookProg | undefined {
    const known = this.#hookProgs.get(id)
    this.#ran = true
    if (known) return known
    const record = this.#machine.progs.find(id)
    if (!record) return undefined
    const hook = this.#hookProg(id, record.type, record.expectedAttachType, record.dialect)
    this.#hookProgs.set(id, hook)
    return hook
  }

  #hookProg(id: number, type: number, expectedAttachType: number, dialect: string | undefined): HookProg {
    const { runState } = this.#machine.engineSide
    let runnable: Runnable | undefined
    return {
      id, type, expectedAttachType,
      ...(dialect === undefined ? {} : { dialect }),
      run: (ctx) => {
        runnable ??= this.#machine.progs.runnable(id)
        runState.runnable = runnable
        runState.progType = type
        runState.progId = id
        return runnable.run(ctx)
      },
    }
  }

  forgetProg(id: number): void {
    this.#hookProgs.delete(id)
  }

  #progRef(id: number): ProgRef {
    const { name, tag, loadTime, jitedLen, btfId } = this.#machine.progs.record(id)
    return { id, name, tag, jited: jitedLen > 0, loadTime, uid: 0, ...(btfId > 0 ? { btfId } : {}) }
  }

  /** Queue -> mask of the files that are not all zero, as bitmap_parse reads them: hexadecimal words with commas. */
  #masks(dev: string, file: 'xps_cpus' | 'xps_rxqs'): ReadonlyMap<number, bigint> | undefined {
    const { views } = this.#machine
    const masks = new Map<number, bigint>()
    for (let queue = 0; ; queue += 1) {
      const text = views.text(`${SYSFS}/${dev}/queues/tx-${queue}/${file}`)
      if (text === undefined) break
      const mask = parseMask(text)
      if (mask !== undefined && mask !== 0n) masks.set(queue, mask)
    }
    return masks.size > 0 ? masks : undefined
  }

  #anyMask(): boolean {
    return this.net.linkGet({}).some(({ name }) => (this.#masks(name, 'xps_cpus') ?? this.#masks(name, 'xps_rxqs')) !== undefined)
  }

  helperNet(): NetEnv {
    return {
      device: (ifindex) => this.net.device(ifindex),
      fibLookup: ({ family }) => ({ result: this.#forwards(family) ? BPF_FIB_LKUP_RET_NOT_FWDED : BPF_FIB_LKUP_RET_FWD_DISABLED }),
      cloneRedirect: (copy, ifindex, flags) => this.net.cloneRedirect(copy, ifindex, flags),
      scheduleDequeue: (ifindex) => this.net.scheduleDequeue(ifindex),
      dropPacket: (skb) => this.net.dropPacket(skb),
    }
  }

  /** Nothing can be routed here, and IPv6 forwarding has no switch. */
  #forwards(family: number): boolean {
    return family === AF_INET && this.#machine.sysctl.get('net/ipv4/ip_forward') !== '0'
  }

  testRunHost(): TestRunHost {
    const side = this
    return {
      get skbs() {
        return side.net.skbs
      },
      prog: (id) => {
        // Compiled before the stopwatch starts.
        this.#machine.progs.runnable(id)
        return must(this.prog(id), `program ${id}`)
      },
      device: (ifindex) => this.net.device(ifindex),
      stopwatch: this.#machine.options.stopwatch ?? (() => 0),
      live: (prog, run) => this.net.runLive(prog, run),
      settle: () => this.net.settle(),
    }
  }

  /** The devices of a new machine. */
  makeDevices(bare: boolean): void {
    this.net.init(bare)
  }

  /** Before a commit: devices to records, captures to files, and the sysfs files of devices that came or went. */
  flush(): void {
    if (!this.#net) return
    if (this.#ran) {
      this.#machine.maps.touchAll()
      this.#machine.engineSide.touchObjects()
    }
    this.#ran = false
    this.#sysfs(this.#net)
    this.#net.save()
    this.#captures.flush()
  }

  #sysfs(net: Net): void {
    const { views } = this.#machine
    for (const { name, txQueues } of net.changedNames()) {
      if (txQueues === 0) views.deleteTree(`${SYSFS}/${name}`)
      for (let queue = 0; queue < txQueues; queue += 1) addQueue(views, `${SYSFS}/${name}/queues/tx-${queue}`)
    }
  }
}

function addQueue(views: Machine['views'], folder: string): void {
  for (const file of ['xps_cpus', 'xps_rxqs']) {
    if (views.text(`${folder}/${file}`) === undefined) views.add(`${folder}/${file}`, '0\n')
  }
}

/** undefined when the text is no mask; the file system of the real /sys would have refused it. */
function parseMask(text: string): bigint | undefined {
  const words = text.trim().split(',')
  if (!words.every((word) => /^[0-9a-fA-F]{1,8}$/.test(word))) return undefined
  return BigInt(`0x${words.map((word, at) => (at === 0 ? word : word.padStart(8, '0'))).join('')}`)
}

const RECORDS = 'net/'

function recordStore(store: Store): RecordStore {
  return {
    get: (key) => store.get(RECORDS + key),
    put: (key, value) => (value === undefined ? store.delete(RECORDS + key) : store.set(RECORDS + key, value as Json)),
    getBlob: (key) => store.readBlob(RECORDS + key),
    putBlob: (key, bytes) => (bytes === undefined ? store.deleteBlob(RECORDS + key) : store.writeBlob(RECORDS + key, bytes)),
    keys: (prefix) => store.keys(RECORDS + prefix).map((key) => key.slice(RECORDS.length)),
  }
}

