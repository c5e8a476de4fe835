// Calls: helpers and kfuncs by the ABI of pkg/prog/engine.ts, subprograms as wasm functions, tail calls through the table.
import { Bug } from '../bytes/errors.js'
import type { Insn } from '../insn/insn.js'
import { ARG_HI, RET_HI } from '../mem/layout.js'
import type { HelperImpl } from '../prog/engine.js'
import { CALL, FUNC, MAX_TAIL_CALL_CNT } from '../uapi/bpf.js'
import { I32, MEM, OP } from '../wasm/index.js'
import { emitLookup } from './emit-map.js'
import type { Fn } from './fn.js'
import { TAIL_COUNT } from './unit.js'

export function emitCall(fn: Fn, i: Insn, pc: number): void {
  switch (i.src) {
    case CALL.PSEUDO_CALL: return emitSubprogram(fn, pc + 1 + i.imm)
    case CALL.PSEUDO_KFUNC: return emitImport(fn, fn.unit.kfunc(i.imm))
    case CALL.HELPER: return emitHelper(fn, i.imm, pc)
    default: throw new Bug(`no such kind of call at ${pc}`)
  }
}

function emitHelper(fn: Fn, id: number, pc: number): void {
  if (id === FUNC.tail_call) return emitTailCall(fn)
  if (id === FUNC.get_smp_processor_id && fn.unit.inlines) return emitCpu(fn)
  const map = fn.unit.inlineLookup(id, pc)
  if (map !== undefined) return emitLookup(fn, map)
  emitImport(fn, fn.unit.helper(id))
}

function emitCpu(fn: Fn): void {
  fn.f.i32(fn.unit.host.cpuAddr)
  fn.f.mem(MEM.i32_load)
  fn.set32(0)
}

/** An imported helper: low halves as arguments, wide ones' high halves in memory, r0 from its low half as `ret` says. */
function emitImport(fn: Fn, { index, impl }: { index: number, impl: HelperImpl }): void {
  const { f } = fn
  if (fn.unit.callbackFp !== undefined) {
    fn.nextFrame()
    f.globalSet(fn.unit.callbackFp)
  }
  for (let n = 0; n < 5; n++) if (((impl.wide ?? 0) >> n) & 1) emitHighHalf(fn, n)
  for (let reg = 1; reg <= 5; reg++) {
    if (fn.isNamed(reg)) fn.get32(reg)
    else f.i32(0)
  }
  f.call(index)
  if (impl.ret === 'int') f.op(OP.i64_extend_i32_s)
  else f.op(OP.i64_extend_i32_u)
  if (impl.ret === 'wide') {
    f.i32(RET_HI)
    f.mem(MEM.i64_load32_u)
    f.i64(32, 0)
    f.op(OP.i64_shl)
    f.op(OP.i64_or)
  }
  fn.set(0)
  fn.afterCall()
}

function emitHighHalf(fn: Fn, n: number): void {
  const { f } = fn
  f.i32(ARG_HI + 4 * n)
  fn.get(1 + n)
  f.i64(32, 0)
  f.op(OP.i64_shr_u)
  f.mem(MEM.i64_store32)
}

function emitSubprogram(fn: Fn, slot: number): void {
  const { f } = fn
  for (let reg = 1; reg <= 5; reg++) {
    if (fn.isNamed(reg)) fn.get(reg)
    else f.i64(0, 0)
  }
  fn.nextFrame()
  f.call(fn.unit.subprogram(slot))
  fn.set(0)
  fn.afterCall()
}

/** bpf_tail_call(ctx, map, index): away for good, or on with r0 = -1. */
export function emitTailCall(fn: Fn): void {
  const { f, unit } = fn
  const slot = f.borrow(I32)
  const stays = f.block()
  f.i32(TAIL_COUNT)
  f.mem(MEM.i32_load)
  f.i32(MAX_TAIL_CALL_CNT)
  f.op(OP.i32_ge_u)
  f.brIf(stays)
  fn.get32(2)
  fn.get32(3)
  f.call(unit.tailTarget!)
  f.tee(slot)
  f.i32(0)
  f.op(OP.i32_lt_s)
  f.brIf(stays)
  f.i32(TAIL_COUNT)
  f.i32(TAIL_COUNT)
  f.mem(MEM.i32_load)
  f.i32(1)
  f.op(OP.i32_add)
  f.mem(MEM.i32_store)
  if (fn.fp !== undefined) saveStack(fn)
  fn.get32(1)
  f.get(slot)
  fn.tailCall()
  f.end(stays)
  f.i64(-1, -1)
  fn.set(0)
  f.free(I32, slot)
}

/** The target's frame ends at STACK_TOP, where callers of this subprogram still have theirs: those bytes step aside. */
function saveStack(fn: Fn): void {
  fn.nextFrame()
  fn.f.call(fn.unit.saveStack!)
}

/** In a subprogram: calls the target, brings the stack back, leaves the result on the stack. */
export function tailCallAndReturn(fn: Fn): void {
  fn.f.callIndirect(fn.unit.mainType, 0)
  fn.f.call(fn.unit.restoreStack!)
}
