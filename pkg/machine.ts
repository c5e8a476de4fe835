// The library's machine: an emulated network host in memory or on a state directory, answering the same requests the commands make.
import { bootDirectory, bootMemory } from './kernel/boot.js'
import type { BootOptions } from './kernel/options.js'
import { tools } from './kernel/tools.js'
import { loadObject, type LoadOptions } from './object/load.js'
import { openObject } from './object/open.js'
import { parse, type Grammar } from './grammar/index.js'
import { buildPacket, packetWords, type PacketFields } from './packet/index.js'
import type { BpfRequests, TestRunResult } from './request/bpf.js'
import type { Kernel, Op, Reply, Request, SystemRequests } from './request/kernel.js'
import type { RtnlRequests } from './request/rtnl.js'
import type { WireFrame, WireRequests } from './request/wire.js'

export interface MachineOptions {
  /** State directory, shared with the commands; absent: in memory, gone with the process. */
  readonly dir?: string
  /** CPUs of a new machine; 4 when absent. */
  readonly cpus?: number
  /** lo alone (down), as a new network namespace has; else lo, eth0 and eth1. */
  readonly bare?: boolean
  /** The WebAssembly JIT runs programs, or the interpreter. */
  readonly jit?: boolean
  /** The proposals exactly as posted, defects included. */
  readonly strict?: boolean
  /** Refusals of the verifier carry an explanation. */
  readonly explain?: boolean
  /** Reading of the proposals' numbers: 'schbpf2', 'pifo2022' … */
  readonly dialect?: string
}

/** A packet: bytes, the words of `wire send` ('eth_type ipv4 ip_proto udp dst_port 7'), or fields; a valid frame is built from both. */
export type Packet = Uint8Array | string | PacketFields

export interface ObjectOptions extends LoadOptions {
  /** The object's name in messages. */
  readonly file?: string
}

/** Names to ids. */
export interface LoadedIds {
  readonly progs: Readonly<Record<string, number>>
  readonly maps: Readonly<Record<string, number>>
}

type Ask<R> = <K extends keyof R & Op>(op: K, request: Request<K>) => Reply<K>

export interface Machine {
  /** bpf(2): maps, programs, BTF, links, pins. Throws KernelError {errno, extack, log}. */
  readonly bpf: Ask<BpfRequests>
  /** rtnetlink: links, addresses, qdiscs, classes, filters. */
  readonly rtnl: Ask<RtnlRequests>
  /** The other end of every device: frames in, frames out, captures, the clock. */
  readonly wire: Ask<WireRequests>
  readonly sys: Ask<SystemRequests>
  /** Loads every program of an object clang made: names to ids. */
  load(object: Uint8Array, options?: ObjectOptions): LoadedIds
  /** One program over one packet, without effects on devices: BPF_PROG_TEST_RUN. */
  run(progId: number, packet: Packet): TestRunResult
  /** Sends packets until the machine is idle; rx: they arrive at the device, tx: a local socket sends them. */
  send(dev: string, direction: 'rx' | 'tx', ...packets: Packet[]): Reply<'wire.send'>
  /** Makes the state directory hold everything so far. */
  commit(): void
  close(): void
}

/** Boots a machine. Close it to release a state directory's lock; what was not committed is gone then. */
export function openMachine(options: MachineOptions = {}): Machine {
  const boot = bootOptions(options)
  const kernel = options.dir === undefined ? bootMemory(boot) : bootDirectory(options.dir, 'write', boot)
  const ask = <K extends Op>(op: K, request: Request<K>): Reply<K> => kernel.request(op, request)
  return {
    bpf: ask, rtnl: ask, wire: ask, sys: ask,
    load: (object, how = {}) => loadAll(kernel, object, options.dialect === undefined ? how : { dialect: options.dialect, ...how }),
    run: (progId, packet) => kernel.request('prog.test_run', { progId, dataIn: frame(packet) }),
    send: (dev, direction, ...packets) => kernel.request('wire.send', { dev, direction, frames: packets.map((packet) => wireFrame(packet)) }),
    commit: () => kernel.commit(),
    close: () => kernel.close(),
  }
}

function bootOptions({ cpus, bare, jit, strict, explain, dialect }: MachineOptions): BootOptions {
  return {
    toolchain: () => tools,
    ...(jit === undefined ? {} : { jit }),
    keepHandles: true,
    ...(cpus === undefined ? {} : { cpus }),
    ...(bare === undefined ? {} : { bare }),
    ...(strict === undefined ? {} : { strict }),
    ...(explain === undefined ? {} : { explain }),
    ...(dialect === undefined ? {} : { dialect }),
  }
}

function loadAll(kernel: Kernel, object: Uint8Array, { file = 'object', ...options }: ObjectOptions): LoadedIds {
  const { progs, maps } = loadObject(openObject(object, { file }), kernel, options)
  return { progs: byName(progs), maps: byName(maps) }
}

function byName(list: readonly { readonly name: string; readonly id: number }[]): Record<string, number> {
  return Object.fromEntries(list.map(({ name, id }) => [name, id]))
}

const PACKET: Grammar<PacketFields> = { name: 'packet', match: 'whole', rows: packetWords }

function fieldsOf(packet: string | PacketFields): PacketFields {
  return typeof packet === 'string' ? parse(PACKET, packet.split(/\s+/).filter((word) => word !== ''), {}) : packet
}

/** The bytes of a packet. InputError when its words or fields make none. */
export function frame(packet: Packet): Uint8Array {
  return packet instanceof Uint8Array ? packet : buildPacket(fieldsOf(packet))
}

function wireFrame(packet: Packet): WireFrame {
  if (packet instanceof Uint8Array) return { bytes: packet, at: 0 }
  const fields = fieldsOf(packet)
  const { mark, priority } = fields
  return { bytes: buildPacket(fields), at: 0, ...(mark === undefined ? {} : { mark }), ...(priority === undefined ? {} : { priority }) }
}
