// An object's whole behaviour on a machine in memory: what its load says, what each program makes of the frames of fixtures/run/packets.txt,
// and what its maps hold afterwards. test/oracle/runobj.c asks the real kernel for the same.
import { readFileSync } from 'node:fs'
import { KernelError, InputError } from '../../pkg/bytes/errors.js'
import { openMachine, type Machine } from '../../pkg/machine.js'
import { MAP_TYPE, PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { root } from '../support/root.js'

export interface Run {
  readonly prog: string
  readonly packet: number
  readonly ctx: number
  readonly repeat: number
  readonly err: number
  readonly retval?: number
  readonly out?: string
  readonly ctxOut?: string
}

export type Entries = [key: string, value: string | Entries][]

export interface Behaviour {
  readonly err: number
  readonly log: string
  readonly runs: readonly Run[]
  readonly maps: Readonly<Record<string, Entries>>
}

/** CPUs of the machine, as many as the kernel that was asked has. */
export const CPUS = 2

export const packets: readonly Uint8Array[] = readFileSync(root('fixtures', 'run', 'packets.txt'), 'utf8').split('\n')
  .flatMap(line => (/^[^#].*: ([0-9a-f]+)$/.exec(line) ?? []).slice(1).map(hex => new Uint8Array(Buffer.from(hex, 'hex'))))

export function behaviourOf(object: Uint8Array, file: string, jit: boolean): Behaviour {
  const machine = openMachine({ jit, cpus: CPUS })
  try {
    const { progs, maps } = machine.load(object, { file })
    const runs = Object.entries(progs).flatMap(([name, id]) => runAll(machine, name, id))
    return { err: 0, log: '', runs, maps: Object.fromEntries(Object.entries(maps).map(([name, id]) => [name, entries(machine, id, 0)])) }
  } catch (error) {
    if (error instanceof KernelError) return { err: error.errno, log: logOf(object, file, error), runs: [], maps: {} }
    if (error instanceof InputError) return { err: 22, log: error.message, runs: [], maps: {} }
    return { err: -1, log: String(error instanceof Error ? error.stack : error), runs: [], maps: {} }
  } finally {
    machine.close()
  }
}

/** As libbpf does: a load that failed is tried again with a log. */
function logOf(object: Uint8Array, file: string, first: KernelError): string {
  const machine = openMachine({ cpus: CPUS })
  try {
    machine.load(object, { file, logLevel: 1 })
    return ''
  } catch (error) {
    return error instanceof KernelError ? `${error.extack ?? ''}\n${error.log ?? ''}` : first.message
  } finally {
    machine.close()
  }
}

function runAll(machine: Machine, prog: string, id: number): Run[] {
  const { type } = machine.bpf('prog.info', { id })
  const runs: Run[] = []
  packets.forEach((_, n) => {
    runs.push(run(machine, prog, id, type, n, 0, 1))
    if (n % 3 === 0 && type !== PROG_TYPE.FLOW_DISSECTOR) runs.push(run(machine, prog, id, type, n, 1, 1))
    if (n === 0) runs.push(run(machine, prog, id, type, n, 0, 3))
  })
  return runs
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function run(machine: Machine, prog: string, progId: number, type: number, packet: number, ctx: number, repeat: number): Run {
  const base = { prog, packet, ctx, repeat }
  const frame = packets[packet]!
  const xdp = type === PROG_TYPE.XDP
  const dataIn = ctx && xdp ? Uint8Array.of(...XDP_META, ...frame) : frame
  try {
    const { retval, dataOut, ctxOut } = machine.bpf('prog.test_run', { progId, dataIn, repeat, ...(ctx ? { ctxIn: userCtx(xdp, frame.length) } : {}) })
    return { ...base, err: 0, retval, out: hex(dataOut ?? new Uint8Array()), ...(ctx ? { ctxOut: hex(ctxOut ?? new Uint8Array()) } : {}) }
  } catch (error) {
    if (error instanceof KernelError) return { ...base, err: error.errno }
    throw error
  }
}

/** Metadata before the frame of runs with an xdp_md. */
export const XDP_META = new Uint8Array(8).fill(0x5a)

/** What test/oracle/runobj.c fills in. */
export function userCtx(xdp: boolean, len: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(xdp ? 24 : 192))
  const words: [number, number][] = xdp ? [[0, 8], [4, len + 8], [12, 1]]
    : [[8, 0x1234], [32, 5], [40, 1], [48, 1], [52, 0x01010102], [56, 0x02020203], [60, 0x03030304], [64, 0x04040405],
      [152, 123456789], [160, len + 14], [164, 3], [176, 500]]
  for (const [at, value] of words) view.setUint32(at, value, true)
  return new Uint8Array(view.buffer)
}

const KEEP_ZERO: readonly number[] = [MAP_TYPE.HASH, MAP_TYPE.LRU_HASH, MAP_TYPE.LPM_TRIE]
const POPPED: readonly number[] = [MAP_TYPE.QUEUE, MAP_TYPE.STACK]
const OPAQUE: readonly number[] = [MAP_TYPE.BLOOM_FILTER, MAP_TYPE.RINGBUF, MAP_TYPE.PERF_EVENT_ARRAY]
const OF_MAPS: readonly number[] = [MAP_TYPE.ARRAY_OF_MAPS, MAP_TYPE.HASH_OF_MAPS]

function entries(machine: Machine, mapId: number, depth: number): Entries {
  const { type } = machine.bpf('map.info', { id: mapId })
  if (OPAQUE.includes(type)) return []
  if (POPPED.includes(type)) return popAll(machine, mapId)
  const out: Entries = []
  for (const { key, value } of machine.bpf('map.entries', { mapId }).slice(0, 5000)) {
    if (!value || (value.every(byte => byte === 0) && !KEEP_ZERO.includes(type))) continue
    if (OF_MAPS.includes(type)) out.push([hex(key), depth === 0 ? entries(machine, new DataView(value.buffer, value.byteOffset).getUint32(0, true), 1) : []])
    else out.push([hex(key), type === MAP_TYPE.PROG_ARRAY ? '' : hex(value)])
  }
  return out
}

function popAll(machine: Machine, mapId: number): Entries {
  const out: Entries = []
  try {
    for (;;) out.push(['', hex(machine.bpf('map.lookup_and_delete', { mapId, key: new Uint8Array() }))])
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    return out
  }
}
