// Open-coded iterators: a stack slot that is made, asked and destroyed by kernel functions; asking branches into one more element and none
// (mark_stack_slots_iter(), process_iter_arg(), process_iter_next_call(), kernel/bpf/verifier.c).
import { EINVAL } from '../uapi/errno.js'
import { releaseReference } from './release.js'
import type { Env } from './env.js'
import { previousEntry } from './jmp.js'
import { Reg, zeroScalar } from './reg.js'
import { frameOf, slotAt, stackWrite, withinStack } from './stack.js'
import { ALL_ITER, emptySlot, slotType, type Frame } from './state.js'
import { s64 } from './tnum.js'
import * as T from './types.js'
import { widenImprecise } from './widen.js'

/** bpf_iter_num takes one slot. */
const KIND = 'num'

function spiOf(env: Env, r: Reg, words: string): number {
  const off = r.off + Number(s64(r.num.value))
  if (!r.num.isConst || off % 8 !== 0 || off >= 0 || off < -512) env.fail(EINVAL, words)
  return (-off - 1) >> 3
}

const isIter = (f: Frame, spi: number): boolean => slotType(slotAt(f, spi), 0) === T.STACK_ITER

/** process_iter_arg() */
export function iterArg(env: Env, regno: number, what: string): void {
  const r = env.regs[regno]!
  const n = regno - 1
  if (r.type !== T.PTR_TO_STACK) env.fail(EINVAL, `arg#${n} expected pointer to an iterator on stack`)
  const f = frameOf(env, r)
  if (what === 'iter_new') return make(env, f, r, regno)
  const words = `expected an initialized iter_${KIND} as arg #${n}`
  const spi = spiOf(env, r, words)
  if (!isIter(f, spi)) env.fail(EINVAL, words)
  if (what === 'iter_destroy') destroy(env, f, spi)
}

function make(env: Env, f: Frame, r: Reg, regno: number): void {
  const words = `expected uninitialized iter_${KIND} as arg #${regno - 1}`
  const spi = spiOf(env, r, words)
  if (isIter(f, spi)) env.fail(EINVAL, words)
  withinStack(env, regno, r.off, 8, true)
  stackWrite(env, undefined, regno, r.off, 8, -1)
  setIter(env, f, spi, env.acquire(env.insn), T.ITER.ACTIVE, 0)
}

function setIter(env: Env, f: Frame, spi: number, ref: number, state: number, depth: number): void {
  const reg = new Reg(T.PTR_TO_STACK)
  reg.refObjId = ref
  reg.iterState = state
  reg.iterDepth = depth
  reg.btf = env.vmlinux
  reg.btfId = reg.btf?.find(`bpf_iter_${KIND}`, 4)?.id ?? 0
  f.stack[spi] = { types: ALL_ITER, reg }
  env.scratchSlot(spi)
}

function destroy(env: Env, f: Frame, spi: number): void {
  const ref = f.stack[spi]!.reg!.refObjId
  f.stack[spi] = emptySlot
  env.scratchSlot(spi)
  releaseReference(env, ref)
}

/** Of the iterator that r1 names at a call of next: where it is and what it holds. */
export interface IterRef { readonly frame: number, readonly spi: number, readonly ref: number }

export function iterRef(env: Env): IterRef {
  const r = env.regs[1]!
  const spi = (-(r.off + Number(s64(r.num.value))) - 1) >> 3
  return { frame: r.frameno, spi, ref: env.state.frames[r.frameno]!.stack[spi]!.reg!.refObjId }
}

/** process_iter_next_call(): r0 holds an element that may be NULL; one path has it, the other finds the iterator dry. */
export function iterNext(env: Env, { frame, spi }: IterRef): void {
  const iter = env.state.frames[frame]!.stack[spi]!.reg!
  if (iter.iterState === T.ITER.ACTIVE) {
    const before = previousEntry(env.state, env.state.parent?.parent, env.insn)
    const queued = env.pushState(env.insn + 1, env.insn)
    setIter(env, queued.frames[frame]!, spi, iter.refObjId, T.ITER.ACTIVE, iter.iterDepth + 1)
    if (before !== undefined) widenImprecise(env, before, queued)
    const element = queued.cur.regs[0]!.copy()
    element.type &= ~T.PTR_MAYBE_NULL
    queued.cur.regs[0] = element
  }
  setIter(env, env.state.frames[frame]!, spi, iter.refObjId, T.ITER.DRAINED, iter.iterDepth)
  env.setReg(0, zeroScalar)
}
