// Dynptrs on the stack: two slots that only helpers may write (mark_stack_slots_dynptr(), unmark_stack_slots_dynptr(),
// destroy_if_dynptr_stack_slot(), process_dynptr_func(), kernel/bpf/verifier.c).
import { EINVAL } from '../uapi/errno.js'
import type { Env } from './env.js'
import { Reg, unknownScalar } from './reg.js'
import { ALL_DYNPTR, emptySlot, slotType, type Frame } from './state.js'
import { s64 } from './tnum.js'
import * as T from './types.js'

export const isDynptrSlot = (f: Frame, spi: number): boolean => slotType(f.stack[spi] ?? emptySlot, 0) === T.STACK_DYNPTR

/** dynptr_get_spi(): the slot at the higher address; undefined: not aligned, not constant, not on the stack. */
export function dynptrSpi(env: Env, r: Reg, words: string): number {
  if (!r.num.isConst) env.fail(EINVAL, 'dynptr has to be at a constant offset')
  const off = r.off + Number(s64(r.num.value))
  const spi = (-off - 1) >> 3
  if (off % 8 === 0 && spi >= 1) return spi
  env.verbose(`cannot pass in dynptr at an offset=${off}\n`)
  return env.fail(EINVAL, words)
}

/** destroy_if_dynptr_stack_slot(): overwriting half of a dynptr ends it; one that holds a reference may not be overwritten. */
export function destroyDynptr(env: Env, f: Frame, spi: number): void {
  if (!isDynptrSlot(f, spi)) return
  const first = f.stack[spi]!.reg!.firstSlot ? spi : spi + 1
  const { refObjId, id } = f.stack[first]!.reg!
  if (refObjId !== 0) env.fail(EINVAL, 'cannot overwrite referenced dynptr')
  f.stack[first] = emptySlot
  f.stack[first - 1] = emptySlot
  env.scratchSlot(first)
  env.scratchSlot(first - 1)
  invalidateSlices(env, id)
}

/** Slices of a dynptr that is gone point nowhere. */
export function invalidateSlices(env: Env, dynptrId: number): void {
  env.state.mapRegs(r => (T.baseType(r.type) === T.PTR_TO_MEM && r.dynptrId === dynptrId && dynptrId !== 0 ? unknownScalar : r))
}

/** mark_stack_slots_dynptr() */
export function markDynptr(env: Env, f: Frame, spi: number, type: number, refObjId: number): void {
  destroyDynptr(env, f, spi)
  destroyDynptr(env, f, spi - 1)
  const id = env.newId()
  for (const [at, first] of [[spi, true], [spi - 1, false]] as const) {
    const reg = new Reg(T.CONST_PTR_TO_DYNPTR)
    reg.dynptrType = type
    reg.firstSlot = first
    reg.id = id
    reg.refObjId = refObjId
    f.stack[at] = { types: ALL_DYNPTR, reg }
    env.scratchSlot(at)
  }
}

/** invalidate_dynptr() on both slots. */
export function unmarkDynptr(env: Env, f: Frame, spi: number): void {
  f.stack[spi] = emptySlot
  f.stack[spi - 1] = emptySlot
  env.scratchSlot(spi)
  env.scratchSlot(spi - 1)
}
