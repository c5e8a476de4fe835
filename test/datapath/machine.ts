// A Net over a host made for tests: programs are plain functions, records live in a Map, nothing touches a file.
import { KernelError } from '../../pkg/bytes/errors.js'
import { errnoName } from '../../pkg/uapi/errno.js'
import { createMemory, type Memory } from '../../pkg/mem/memory.js'
import type { DatapathHost, RecordStore } from '../../pkg/datapath/host.js'
import { Net } from '../../pkg/datapath/index.js'
import { createNote, type HookProg } from '../../pkg/hook/types.js'
import type { Link } from '../../pkg/request/rtnl.js'
import type { WireFrame } from '../../pkg/request/wire.js'

export class TestRecords implements RecordStore {
  readonly values = new Map<string, string>()
  readonly blobs = new Map<string, Uint8Array>()
  reads: string[] = []

  get(key: string): unknown {
    this.reads.push(key)
    const text = this.values.get(key)
    return text === undefined ? undefined : JSON.parse(text)
  }

  put(key: string, value: unknown): void {
    if (value === undefined) this.values.delete(key)
    else this.values.set(key, JSON.stringify(value))
  }

  getBlob(key: string): Uint8Array | undefined {
    return this.blobs.get(key)
  }

  putBlob(key: string, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) this.blobs.delete(key)
    else this.blobs.set(key, bytes)
  }

  keys(prefix: string): Iterable<string> {
    return [...this.values.keys()].filter((key) => key.startsWith(prefix))
  }
}

let memory: Memory | undefined

export class TestHost implements DatapathHost {
  readonly mem = (memory ??= createMemory())
  readonly cpus: number = 4
  strict = false
  readonly records = new TestRecords()
  readonly note = createNote()
  readonly keepFrames: boolean = true
  readonly progs = new Map<number, HookProg>()
  readonly refs = new Map<number, number>()
  readonly masks = new Map<string, Map<number, bigint>>()
  readonly logs: string[] = []
  readonly captured: { file: string; frame: Uint8Array; at: number }[] = []
  cpu = 0
  qdisc = 'pfifo_fast'
  #next = 1

  /** Loads a "program": a function of its context. */
  load(type: number, run: (ctx: number) => number, extra: { dialect?: string; expectedAttachType?: number } = {}): number {
    const id = this.#next++
    this.progs.set(id, { id, type, run, ...extra })
    return id
  }

  prog(id: number): HookProg | undefined {
    return this.progs.get(id)
  }

  progRef(id: number) {
    return { id, name: `p${id}`, tag: '0123456789abcdef', jited: true, loadTime: 0, uid: 0 }
  }

  holdProg(id: number): void {
    this.refs.set(id, (this.refs.get(id) ?? 0) + 1)
  }

  releaseProg(id: number): void {
    this.refs.set(id, (this.refs.get(id) ?? 0) - 1)
  }

  setCpu(cpu: number): void {
    this.cpu = cpu
  }

  random32(): number {
    return 4
  }

  defaultQdisc(): string {
    return this.qdisc
  }

  xpsMasks(dev: string, file: string): ReadonlyMap<number, bigint> | undefined {
    return this.masks.get(`${dev}/${file}`)
  }

  xpsConfigured(): boolean {
    return this.masks.size > 0
  }

  openCapture(file: string) {
    return { write: (frame: Uint8Array, at: number) => void this.captured.push({ file, frame, at }) }
  }

  log(text: string): void {
    this.logs.push(text)
  }
}

/** What the kernel answers: 0, or the errno with the extended ack behind it. */
export function answer(work: () => unknown): string {
  try {
    work()
    return '0'
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    return error.extack === undefined ? errnoName(error.errno) : `${errnoName(error.errno)} ${error.extack}`
  }
}

/** A machine and the shortest words for what tests do with it. */
export class Machine {
  readonly host: TestHost
  net: Net

  constructor(bare = false, host = new TestHost()) {
    this.host = host
    this.net = new Net(host)
    this.net.init(bare)
  }

  /** What the next command sees: saved, forgotten, loaded. */
  reboot(): void {
    this.net.save()
    this.host.records.reads = []
    this.net = new Net(this.host)
  }

  link(dev: string): Link {
    return this.net.linkGet({ dev })[0]!
  }

  send(dev: string, direction: 'rx' | 'tx', frames: readonly (Uint8Array | Partial<WireFrame>)[], extra: { cpu?: number; hold?: boolean; trace?: boolean } = {}) {
    return this.net.wireSend({ dev, direction, frames: frames.map(wireFrame), ...extra })
  }

  tap(name: string, queues: number): void {
    this.net.tunAdd({ name, mode: 'tap', multiQueue: queues > 1, queues })
    this.net.linkSet({ dev: name, up: true })
  }
}

const wireFrame = (frame: Uint8Array | Partial<WireFrame>): WireFrame =>
  frame instanceof Uint8Array ? { bytes: frame, at: 0 } : { bytes: udp(), at: 0, ...frame }

export interface UdpWords {
  len?: number
  src?: number
  dst?: number
  /** Last byte of the destination address. */
  host?: number
  vlan?: number
}

/** A UDP packet from 10.0.0.1 to 10.0.0.2, `len` bytes in all. */
export function udp({ len = 60, src = 1000, dst = 7, host = 2, vlan }: UdpWords = {}): Uint8Array {
  const l2 = vlan === undefined ? 14 : 18
  const frame = new Uint8Array(len)
  frame.set([0x52, 0x54, 0, 0, 0, 2, 0x52, 0x54, 0, 0, 0, 1, 8, 0])
  if (vlan !== undefined) frame.set([0x81, 0, vlan >> 8, vlan & 0xff, 8, 0], 12)
  frame.set([0x45, 0, 0, len - l2, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, host], l2)
  frame.set([src >> 8, src & 0xff, dst >> 8, dst & 0xff], l2 + 20)
  return frame
}
