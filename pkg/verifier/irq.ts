// Interrupt flags on the stack: bpf_local_irq_save() fills a slot that only bpf_local_irq_restore() may empty, last saved first
// (process_irq_flag(), mark_stack_slot_irq_flag(), release_irq_state(), kernel/bpf/verifier.c).
import { EACCES, EINVAL } from '../uapi/errno.js'
import type { Env } from './env.js'
import { Reg } from './reg.js'
import { frameOf, slotAt, stackWrite, withinStack } from './stack.js'
import { ALL_IRQ_FLAG, emptySlot, slotType, type Frame, type Ref, type State } from './state.js'
import { s64 } from './tnum.js'
import * as T from './types.js'

/** The innermost region in which interrupts are off; undefined: they are on. */
export const irqRegion = (st: State): Ref | undefined => st.refs.findLast(ref => ref.kind === 'irq')

/** enum {IRQ_NATIVE_KFUNC, IRQ_LOCK_KFUNC}: what saves must restore. */
type Saver = 'native' | 'lock'

export function irqArg(env: Env, regno: number, save: boolean, by: Saver = 'native'): void {
  const r = env.regs[regno]!
  if (r.type !== T.PTR_TO_STACK) env.fail(EINVAL, `arg#${regno - 1} doesn't point to an irq flag on stack`)
  const words = save ? `expected uninitialized irq flag as arg#${regno - 1}` : `expected an initialized irq flag as arg#${regno - 1}`
  const f = frameOf(env, r)
  const spi = spiOf(env, r, words)
  const holds = slotType(slotAt(f, spi), 0) === T.STACK_IRQ_FLAG
  if (holds === save) env.fail(EINVAL, words)
  if (save) keep(env, f, spi, r, regno, by)
  else restore(env, f, spi, by)
}

/** irq_flag_get_spi() */
function spiOf(env: Env, r: Reg, words: string): number {
  if (!r.num.isConst) env.verbose('irq_flag has to be at a constant offset\n')
  const off = r.off + Number(s64(r.num.value))
  if (r.num.isConst && (off % 8 !== 0 || off >= 0)) env.verbose(`cannot pass in irq_flag at an offset=${off}\n`)
  if (!r.num.isConst || off % 8 !== 0 || off >= 0) env.fail(EINVAL, words)
  return (-off - 1) >> 3
}

function keep(env: Env, f: Frame, spi: number, r: Reg, regno: number, by: Saver): void {
  withinStack(env, regno, r.off, 8, true)
  stackWrite(env, undefined, regno, r.off, 8, -1)
  const reg = new Reg(T.PTR_TO_STACK)
  reg.refObjId = env.newId()
  env.state.refs = [...env.state.refs, { kind: 'irq', id: reg.refObjId, insn: env.insn, ptr: by }]
  f.stack[spi] = { types: ALL_IRQ_FLAG, reg }
  env.scratchSlot(spi)
}

function restore(env: Env, f: Frame, spi: number, by: Saver): void {
  const saved = env.state.refs.find(ref => ref.kind === 'irq' && ref.id === f.stack[spi]!.reg!.refObjId)
  if (saved?.ptr !== by) env.fail(EINVAL, `irq flag acquired by ${by === 'lock' ? 'native' : 'lock'} kfuncs cannot be restored with ${by} kfuncs`)
  const last = irqRegion(env.state)!
  if (saved !== last) {
    env.fail(EACCES, `cannot restore irq state out of order, expected id=${last.id} acquired at insn_idx=${last.insn}`)
  }
  env.state.refs = env.state.refs.filter(ref => ref !== last)
  f.stack[spi] = emptySlot
  env.scratchSlot(spi)
}
