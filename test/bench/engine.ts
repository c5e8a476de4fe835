// ns per run of eight programs (a drop, b parse, c jhash, c2 fnv, d and d2 hash map, e array map, f checksum): the JIT in its ring
// loop, the JIT called once per packet, the interpreter. Medians of trials, as numbers for the bench report.
import { interp } from '../../pkg/interp/index.js'
import { jit } from '../../pkg/jit/index.js'
import { CONTEXTS, RING, RING_SLOTS } from '../../pkg/mem/layout.js'
import type { Runnable } from '../../pkg/prog/engine.js'
import { XDP_BUFF } from '../../pkg/skb/layout.js'
import { memory, testHost, type TestHost } from '../insn/machine.js'
import { arrayMap, hashMap } from '../insn/maps.js'
import { BENCH_MAP, benchImage } from './objects.js'

export interface EngineRow {
  readonly program: string
  /** ns per run; best and median of the trials. */
  readonly batch: { best: number, median: number }
  readonly run: { best: number, median: number }
  readonly interp: { best: number, median: number }
  readonly wasmBytes: number
  /** ms: image to bytes to instance, first time in this process. */
  readonly compileMs: number
}

interface Program {
  readonly key: string
  readonly object: string
  readonly packet: () => Uint8Array[]
  readonly map?: (host: TestHost) => void
  /** Packets of a trial of the ring loop. */
  readonly packets: number
}

const SLAB = 0x110_0000
const STRIDE = 2048
const MAPS = 0x200_0000

function udp4(length: number, source: number): Uint8Array {
  const bytes = new Uint8Array(length)
  bytes.set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 8, 0, 0x45, 0, 0, length - 14, 0, 0, 0, 0, 64, 17])
  new DataView(bytes.buffer).setUint32(26, source)
  bytes.set([0x12, 0x34, 0x10, 0x92, 0, length - 34], 34)
  for (let n = 42; n < length; n++) bytes[n] = (n * 7) & 255
  return bytes
}

const same = (bytes: Uint8Array) => (): Uint8Array[] => Array.from({ length: 64 }, () => bytes)
const hash = (host: TestHost): void => { hashMap(host, BENCH_MAP, MAPS, { keySize: 4, valueSize: 8, buckets: 8192 }) }

const PROGRAMS: readonly Program[] = [
  { key: 'a', object: 'drop', packet: same(udp4(64, 1)), packets: 4_000_000 },
  { key: 'b', object: 'parse', packet: same(udp4(64, 1)), packets: 2_000_000 },
  { key: 'c', object: 'jhash', packet: same(udp4(64, 1)), packets: 4096 },
  { key: 'c2', object: 'fnv', packet: same(udp4(64, 1)), packets: 200_000 },
  { key: 'd', object: 'hash_count', packet: same(udp4(64, 1)), packets: 2_000_000, map: hash },
  { key: 'd2', object: 'hash_count', packet: randomSources, packets: 2_000_000, map: hash },
  {
    key: 'e', object: 'array_count', packet: same(udp4(64, 1)), packets: 2_000_000,
    map: host => { arrayMap(host, BENCH_MAP, MAPS, { stride: 8, maxEntries: 16 }) },
  },
  { key: 'f', object: 'csum', packet: same(udp4(1500, 1)), packets: 20_000 },
]

/** 4096 sources in an order that no cache can guess. */
function randomSources(): Uint8Array[] {
  let x = 12345
  return Array.from({ length: 4096 }, () => {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0
    return udp4(64, x)
  })
}

export const engineKeys: readonly string[] = PROGRAMS.map(p => p.key)

/** Measures the programs named, all by default. */
export function measureEngines(keys: readonly string[] = engineKeys, trials = 7): EngineRow[] {
  return PROGRAMS.filter(p => keys.includes(p.key)).map(program => measure(program, trials))
}

function measure(program: Program, trials: number): EngineRow {
  const host = testHost()
  program.map?.(host)
  const image = benchImage(program.object)
  const started = performance.now()
  const fast = jit.compile(image, host)
  const compileMs = performance.now() - started
  const slow = interp.compile(image, host)
  const packets = layOut(program.packet())
  return {
    program: program.key,
    batch: series(trials, () => ringLoop(fast, packets, program.packets)),
    run: series(trials, () => callLoop(fast, packets, program.packets)),
    interp: series(Math.min(trials, 3), () => callLoop(slow, packets, Math.max(64, program.packets >> 7))),
    wasmBytes: fast.bytes!.length,
    compileMs,
  }
}

function series(trials: number, once: () => number): { best: number, median: number } {
  once()
  const times = Array.from({ length: trials }, once).sort((a, b) => a - b)
  return { best: times[0]!, median: times[trials >> 1]! }
}

interface Laid { readonly at: number, readonly end: number }

function layOut(packets: readonly Uint8Array[]): Laid[] {
  const { u8 } = memory()
  return packets.map((bytes, n) => {
    const at = SLAB + n * STRIDE
    u8.set(bytes, at)
    return { at, end: at + bytes.length }
  })
}

/** Fills the ring, runs it, and so on; the descriptors of one packet list repeat. */
function ringLoop(runnable: Runnable, packets: readonly Laid[], count: number): number {
  const { u32 } = memory()
  const batch = runnable.batch!
  const rings = Math.max(1, packets.length / RING_SLOTS)
  const fill = (ring: number): void => {
    for (let n = 0; n < RING_SLOTS; n++) {
      const p = packets[(ring * RING_SLOTS + n) % packets.length]!
      u32[(RING >> 2) + n * 4] = p.at
      u32[(RING >> 2) + n * 4 + 1] = p.end
    }
  }
  fill(0)
  const started = performance.now()
  for (let done = 0, ring = 0; done < count; done += RING_SLOTS) {
    if (rings > 1) fill(ring = (ring + 1) % rings)
    batch(CONTEXTS, RING_SLOTS)
  }
  return (performance.now() - started) * 1e6 / count
}

function callLoop(runnable: Runnable, packets: readonly Laid[], count: number): number {
  const { u32 } = memory()
  const data = (CONTEXTS + XDP_BUFF.data) >> 2
  const end = (CONTEXTS + XDP_BUFF.data_end) >> 2
  const started = performance.now()
  for (let n = 0, next = 0; n < count; n++) {
    const p = packets[next]!
    next = next + 1 === packets.length ? 0 : next + 1
    u32[data] = p.at
    u32[end] = p.end
    runnable.run(CONTEXTS)
  }
  return (performance.now() - started) * 1e6 / count
}
