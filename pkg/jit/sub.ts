// Subprograms: functions of r1 … r5 and the frame pointer, also called on behalf of helpers through `callback`.
import { RET_HI } from '../mem/layout.js'
import { I32, I64, MEM, OP, type FuncBuilder } from '../wasm/index.js'
import { emitBody, type Graph } from './body.js'
import { tailCallAndReturn } from './emit-call.js'
import { Fn } from './fn.js'
import type { Unit } from './unit.js'

/** (r1 … r5, fp) -> r0 */
class SubFn extends Fn {
  constructor(unit: Unit, f: FuncBuilder, sub: number) {
    super(unit, f, { sub, fp: 5, params: [[1, 0], [2, 1], [3, 2], [4, 3], [5, 4]] })
  }

  override exit(): void {
    this.get(0)
    this.f.op(OP.return)
  }

  override tailCall(): void {
    const { f } = this
    tailCallAndReturn(this)
    f.op(OP.i64_extend_i32_u)
    pushHighHalf(f)
    f.op(OP.return)
  }
}

/** i64 | (u64)*RET_HI << 32 */
function pushHighHalf(f: FuncBuilder): void {
  f.i32(RET_HI)
  f.mem(MEM.i64_load32_u)
  f.i64(32, 0)
  f.op(OP.i64_shl)
  f.op(OP.i64_or)
}

export function emitSub(unit: Unit, sub: number, graph: Graph): void {
  const { f } = unit.subs[sub]!
  emitBody(new SubFn(unit, f, sub), graph, { inLoop: false })
  f.op(OP.unreachable)
}

/** callback(slot, r1 … r5): low halves in and out; the frame pointer comes back as it was, for the next call of the same helper. */
export function emitCallback(unit: Unit, fpGlobal: number): void {
  const { f, index } = unit.m.func([I32, I32, I32, I32, I32, I32], [I32])
  const fp = f.local(I32)
  const result = f.local(I64)
  f.globalGet(fpGlobal)
  f.set(fp)
  for (const slot of unit.image.callbacks) {
    f.get(0)
    f.i32(slot)
    f.op(OP.i32_eq)
    const chosen = f.if()
    for (let arg = 1; arg <= 5; arg++) {
      f.get(arg)
      f.op(OP.i64_extend_i32_u)
    }
    f.get(fp)
    f.call(unit.subprogram(slot))
    f.set(result)
    f.end(chosen)
  }
  f.get(fp)
  f.globalSet(fpGlobal)
  f.i32(RET_HI)
  f.get(result)
  f.i64(32, 0)
  f.op(OP.i64_shr_u)
  f.mem(MEM.i64_store32)
  f.get(result)
  f.op(OP.i32_wrap_i64)
  unit.m.exportFunc('callback', index)
}
