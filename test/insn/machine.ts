// A bare machine for instruction tests: one memory, a host with a few helpers, and images made from assembler text. Every suite
// runs on each of `engines`.
import type { Insn } from '../../pkg/insn/insn.js'
import { slotsOf } from '../../pkg/insn/decode.js'
import { FUNCTION_BASE, interp } from '../../pkg/interp/index.js'
import { createJit, jit } from '../../pkg/jit/index.js'
import type { MapJit } from '../../pkg/map/types.js'
import { RET_HI, SCRATCH } from '../../pkg/mem/layout.js'
import { createMemory, type Memory } from '../../pkg/mem/memory.js'
import type { Engine, EngineHost, HelperImpl, Runnable } from '../../pkg/prog/engine.js'
import type { Image, InsnAux } from '../../pkg/prog/image.js'

/** The interpreter, the JIT, and the JIT with neither inlining nor structured control flow. */
export const engines: readonly (readonly [string, Engine])[] = [
  ['interp', interp],
  ['jit', jit],
  ['plain jit', createJit({ inline: false, structured: false })],
]

/** Addresses that tests use. */
export const AT = { mem: 0x50_0000, skb: 0x51_0000, packet: 0x52_0000, map: 0x53_0000, cpu: SCRATCH + 0xf0 } as const

export interface TestHost extends EngineHost {
  helpers: Map<number, HelperImpl>
  kfuncs: Map<number, HelperImpl>
  maps: Map<number, MapJit>
  /** `${map address}:${index}` */
  tails: Map<string, Runnable>
  /** The program whose helpers run, for bpf_loop. */
  running: Runnable | undefined
}

let shared: Memory | undefined

/** The memory of this test process. */
export const memory = (): Memory => (shared ??= createMemory())

export function testHost(): TestHost {
  const mem = memory()
  const host: TestHost = {
    mem,
    cpuAddr: AT.cpu,
    helpers: new Map(),
    kfuncs: new Map(),
    maps: new Map(),
    tails: new Map(),
    running: undefined,
    mapAddr: id => AT.map + id * 0x1000,
    mapValueAddr: id => AT.map + id * 0x1000 + 0x100,
    mapJit: id => host.maps.get(id),
    helper: id => host.helpers.get(id) ?? { ret: 'int', call: () => { throw new Error(`no helper ${id}`) } },
    kfunc: id => host.kfuncs.get(id)!,
    tailCall: (map, index) => host.tails.get(`${map}:${index}`),
  }
  // bpf_loop(nr, callback, ctx, flags)
  host.helpers.set(181, {
    ret: 'int',
    call: (nr, fn, ctx) => {
      let n = 0
      while (n < nr) if (host.running!.callback(fn, n++, ctx, 0, 0, 0) !== 0) break
      return n
    },
  })
  return host
}

/** An image of these instructions, its subprograms found by their callers. */
export function imageOf(insns: readonly Insn[], more: Partial<Image> & { aux?: Map<number, InsnAux> } = {}): Image {
  const subprogs = new Set([0])
  const callbacks = new Set<number>()
  for (let pc = 0; pc < insns.length; pc += slotsOf(insns[pc]!)) {
    const i = insns[pc]!
    if (i.code === 0x85 && i.src === 1) subprogs.add(pc + 1 + i.imm)
    if (i.code === 0x18 && i.src === 4) {
      subprogs.add(pc + 1 + i.imm)
      callbacks.add(pc + 1 + i.imm)
    }
  }
  const sorted = [...subprogs].sort((a, b) => a - b)
  return {
    name: 'test', type: 1, insns, subprogs: sorted, stack: sorted.map(() => 512), callbacks: [...callbacks],
    aux: new Map(), mapIds: [], ...more,
  }
}

/** r0 as 64 bits, in hex. */
export function run64(runnable: Runnable, ctx: number): string {
  const low = runnable.run(ctx) >>> 0
  return hex64(low, memory().u32[RET_HI >> 2]!)
}

export function hex64(low: number, high: number): string {
  return `0x${((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString(16)}`
}

export { FUNCTION_BASE }
