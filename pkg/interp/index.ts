// The reference interpreter: the executable specification that the JIT is held against (HOOKPOINT_JIT=0 runs on it alone).
import { Bug, KernelError, assert } from '../bytes/errors.js'
import { RET_HI, STACK_TOP } from '../mem/layout.js'
import type { Engine, EngineHost, Runnable } from '../prog/engine.js'
import type { Image } from '../prog/image.js'
import { EOPNOTSUPP } from '../uapi/errno.js'
import { decodeImage, FUNCTION_BASE, type Decoded } from './decode.js'
import { execute, type AccessCheck, type LoopHost } from './loop.js'
import { Regs } from './regs.js'

export { FUNCTION_BASE } from './decode.js'
export { MAY_GOTO_LIMIT, type AccessCheck } from './loop.js'

/** Checking mode, for fuzzers: `check` is asked before every access, `step` sees the registers before every instruction. */
export interface InterpOptions {
  readonly check?: AccessCheck
  readonly step?: (image: Image, pc: number, lo: Int32Array, hi: Int32Array) => void
}

export function createInterp(options: InterpOptions = {}): Engine {
  return { name: 'interp', compile: (image, host) => new InterpRunnable(image, host, options) }
}

export const interp: Engine = createInterp()

class InterpRunnable implements Runnable, LoopHost {
  readonly image: Image
  readonly host: EngineHost
  readonly check: AccessCheck | undefined
  readonly step: LoopHost['step']
  callbackFp = STACK_TOP
  running: Decoded
  readonly #decoded: Decoded
  /** One set of registers an activation: callbacks run while a helper of the program below them waits. */
  readonly #regs: Regs[] = []
  #active = 0

  constructor(image: Image, host: EngineHost, options: InterpOptions) {
    this.image = image
    this.host = host
    this.check = options.check
    const { step } = options
    this.step = step === undefined ? undefined : (prog, pc, regs) => { step(prog.image, pc, regs.lo, regs.hi) }
    this.#decoded = this.running = decodeImage(image, host)
  }

  run(ctx: number): number {
    this.running = this.#decoded
    const result = this.#activate(this.#decoded, 0, STACK_TOP, [ctx])
    this.running = this.#decoded
    return result
  }

  callback(fn: number, r1: number, r2: number, r3: number, r4: number, r5: number): number {
    const slot = fn - FUNCTION_BASE
    const { callbackFp, running } = this
    assert(running.image.callbacks.includes(slot), `${running.image.name}: ${fn} is no function pointer`)
    const result = this.#activate(running, slot, callbackFp, [r1, r2, r3, r4, r5])
    this.callbackFp = callbackFp
    this.running = running
    return result
  }

  tailTarget(map: number, index: number): Decoded | undefined {
    const target = this.host.tailCall(map, index)
    if (target !== undefined && !(target instanceof InterpRunnable)) {
      throw new KernelError(EOPNOTSUPP, 'not supported yet: tail calls from and to a program too long for the JIT')
    }
    return target === undefined ? undefined : target.#decoded
  }

  #activate(prog: Decoded, slot: number, fp: number, args: readonly number[]): number {
    const regs = (this.#regs[this.#active] ??= new Regs())
    this.#active++
    try {
      regs.clear()
      regs.hi.fill(0)
      for (let n = 0; n < args.length; n++) regs.lo[1 + n] = args[n]!
      regs.lo[10] = fp
      execute(this, prog, slot, regs)
      this.host.mem.i32[RET_HI >> 2] = regs.hi[0]!
      return regs.lo[0]!
    } catch (error) {
      if (error instanceof RangeError) throw new Bug(`${prog.image.name}: an access outside of memory`)
      throw error
    } finally {
      this.#active--
    }
  }
}
