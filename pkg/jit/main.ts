// The main program as a function of its own, and the entrance `run` to it.
import { RET_HI } from '../mem/layout.js'
import { I32, MEM, OP, type FuncBuilder } from '../wasm/index.js'
import { emitBody, type Graph } from './body.js'
import type { ContextFacts } from './context-flow.js'
import { Fn } from './fn.js'
import { CODE_VERSION, TAIL_COUNT, type Unit } from './unit.js'

/** The parameter of a main program. */
export const CTX = 0

/** (ctx) -> low half of r0, the high half at RET_HI. */
class MainFn extends Fn {
  readonly #facts: ContextFacts

  constructor(unit: Unit, f: FuncBuilder, facts: ContextFacts) {
    super(unit, f, { sub: 0, fp: undefined, params: [] })
    this.#facts = facts
  }

  override contextLoad(pc: number): boolean {
    const offset = this.#facts.loads.get(pc)
    if (offset === undefined) return false
    loadPointer(this, offset)
    return true
  }

  override exit(): void {
    const { f } = this
    f.i32(RET_HI)
    this.get(0)
    f.i64(32, 0)
    f.op(OP.i64_shr_u)
    f.mem(MEM.i64_store32)
    this.get32(0)
    f.op(OP.return)
  }

  override tailCall(): void {
    this.f.returnCallIndirect(this.unit.mainType, 0)
  }
}

/** The lower half of a pointer in the context. */
export function loadPointer(fn: Fn, offset: number): void {
  fn.f.get(CTX)
  fn.f.mem(MEM.i64_load32_u, offset)
}

export function emitMain(unit: Unit, graph: Graph, facts: ContextFacts): void {
  const { f } = unit.subs[0]!
  const fn = new MainFn(unit, f, facts)
  takeContext(fn)
  emitBody(fn, graph, { inLoop: false })
  f.op(OP.unreachable)
}

/** r1 = ctx, if the program ever names r1. */
export function takeContext(fn: Fn): void {
  const { insns, subprogs } = fn.unit.image
  const names = insns.slice(0, subprogs[1]).some(i => i.dst === 1 || i.src === 1 || i.code === 0x85 || i.code === 0xf5)
  if (!names) return
  fn.f.get(CTX)
  fn.set32(1)
}

/** run(ctx): the main program itself; where it makes tail calls, their count is 0 before and after. */
export function emitRun(unit: Unit): void {
  const main = unit.subs[0]!.index
  unit.m.exportFunc('prog', main)
  unit.m.exportFunc(`v${CODE_VERSION}`, main)
  if (!unit.hasTailCalls) return unit.m.exportFunc('run', main)
  const { f, index } = unit.m.func([I32], [I32])
  resetTailCount(f)
  f.get(CTX)
  f.call(main)
  resetTailCount(f)
  unit.m.exportFunc('run', index)
}

export function resetTailCount(f: FuncBuilder): void {
  f.i32(TAIL_COUNT)
  f.i32(0)
  f.mem(MEM.i32_store)
}
