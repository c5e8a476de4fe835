// What the two engines share: compile an image once, run it often.
import type { Memory } from '../mem/memory.js'
import type { MapJit } from '../map/types.js'
import type { Image } from './image.js'

/**
 * A helper or kfunc as engines call it. Arguments are the low halves of r1..r5 as int32; `wide` bit i asks for the high half of argument
 * i at ARG_HI + 4*i. The result is the low half of r0: 'int' sign-extends it, 'uint' zero-extends, 'wide' takes the high half from RET_HI.
 */
export interface HelperImpl {
  readonly wide?: number
  readonly ret: 'int' | 'uint' | 'wide'
  readonly call: (r1: number, r2: number, r3: number, r4: number, r5: number) => number
}

/** What an engine asks of the process around it. */
export interface EngineHost {
  readonly mem: Memory
  /** Address of `struct bpf_map` of a map id. */
  mapAddr(id: number): number
  /** Address of the value area (array-like single value maps) for MAP_VALUE loads. */
  mapValueAddr(id: number): number
  mapJit(id: number): MapJit | undefined
  /** CPU number that per-CPU accesses use, as an address of a u32. */
  readonly cpuAddr: number
  helper(id: number): HelperImpl
  kfunc(btfId: number): HelperImpl
  /** bpf_tail_call: the program in slot `index` of the prog_array at `map`, undefined when there is none. */
  tailCall(map: number, index: number): Runnable | undefined
}

export interface Runnable {
  readonly image: Image
  /** Runs with r1 = ctx. Low half of r0 as int32; the high half is left at RET_HI. */
  run(ctx: number): number
  /**
   * Runs over `count` descriptors of the ring at RING ({u32 data, data_end, verdict, id}), on one xdp_buff-like context at `ctx` whose data,
   * data_end and data_meta it sets for each; writes verdicts. Absent: the caller loops over run.
   */
  batch?(ctx: number, count: number): void
  /** Calls a callback subprogram (value of a PSEUDO_FUNC load) on behalf of a helper that this program called; int32 low halves. */
  callback(fn: number, r1: number, r2: number, r3: number, r4: number, r5: number): number
  /** Emitted wasm, for the cache. */
  readonly bytes?: Uint8Array
}

export interface Engine {
  readonly name: 'interp' | 'jit'
  /** cached: bytes an earlier process emitted for the same image. */
  compile(image: Image, host: EngineHost, cached?: Uint8Array): Runnable
}
