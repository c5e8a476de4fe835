// Which numbers mattered: from a use that needs an exact value back along the path, marking registers and spills of the states on the
// way as precise, so that pruning compares only those (mark_chain_precision(), backtrack_insn(), kernel/bpf/verifier.c).
import { disasm } from '../insn/disasm.js'
import type { Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'
import { FUNC } from '../uapi/bpf.js'
import { EFAULT } from '../uapi/errno.js'
import { isSyncCallback } from './cfg.js'
import { Refusal, type Env } from './env.js'
import { printState } from './log-state.js'
import { kfuncOf } from './kfunc.js'
import { isSpilledScalar, type Frame, type History, type State } from './state.js'
import { isHelperCall, isKfuncCall, isPseudoCall } from './subprogs.js'
import * as T from './types.js'

const ARGS = 0x3e

/** struct backtrack_state: what is still looked for, by frame. */
class Backtrack {
  frame = 0
  readonly regs = new Int32Array(8)
  readonly low = new Int32Array(8)
  readonly high = new Int32Array(8)

  reset(frame: number): void {
    this.frame = frame
    for (let f = 0; f < 8; f++) this.regs[f] = this.low[f] = this.high[f] = 0
  }

  /** Nothing is looked for in frames that were left. */
  get empty(): boolean {
    for (let f = this.frame; f >= 0; f--) if (this.regs[f] || this.low[f] || this.high[f]) return false
    return true
  }

  has(reg: number, frame = this.frame): boolean {
    return (this.regs[frame]! & (1 << reg)) !== 0
  }

  set(reg: number, frame = this.frame): void {
    this.regs[frame]! |= 1 << reg
  }

  clear(reg: number, frame = this.frame): void {
    this.regs[frame]! &= ~(1 << reg)
  }

  hasSlot(frame: number, spi: number): boolean {
    return ((spi < 32 ? this.low : this.high)[frame]! & (1 << (spi & 31))) !== 0
  }

  setSlot(frame: number, spi: number): void {
    ;(spi < 32 ? this.low : this.high)[frame]! |= 1 << (spi & 31)
  }

  clearSlot(frame: number, spi: number): void {
    ;(spi < 32 ? this.low : this.high)[frame]! &= ~(1 << (spi & 31))
  }

  /** r1,r2 */
  regText(frame: number): string {
    return [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter(r => this.has(r, frame)).map(r => `r${r}`).join(',')
  }

  /** -8,-16 */
  slotText(frame: number): string {
    const out: string[] = []
    for (let spi = 0; spi < 64; spi++) if (this.hasSlot(frame, spi)) out.push(`${-(spi + 1) * 8}`)
    return out.join(',')
  }

  get slots(): boolean {
    return this.low[this.frame] !== 0 || this.high[this.frame] !== 0
  }
}

const bt = new Backtrack()

/** mark_chain_precision() */
export function markChainPrecision(env: Env, reg: number): void {
  bt.reset(env.state.curframe)
  if (env.regs[reg]!.type !== T.SCALAR_VALUE) throw new Refusal(EFAULT)
  bt.set(reg)
  backtrack(env, env.state)
}

/** mark_chain_precision_batch() for one spilled number. */
export function markSlotPrecision(env: Env, frame: number, spi: number): void {
  bt.reset(env.state.curframe)
  bt.setSlot(frame, spi)
  backtrack(env, env.state)
}

/** propagate_precision(): what mattered in `old` matters in `cur`, which was found equal. Answers whether a mark is new. */
export function propagatePrecision(env: Env, old: State, cur: State): boolean {
  bt.reset(cur.curframe)
  for (let fr = 0; fr < old.frames.length; fr++) collect(old.frames[fr]!, fr)
  if (bt.empty) return false
  return backtrack(env, cur)
}

function collect(f: Frame, fr: number): void {
  for (let r = 0; r < 10; r++) if (f.preciseRegs & (1 << r) && f.regs[r]!.type === T.SCALAR_VALUE) bt.set(r, fr)
  for (let spi = 0; spi < f.stack.length; spi++) {
    if (f.isPreciseSlot(spi) && isSpilledScalar(f.stack[spi]!)) bt.setSlot(fr, spi)
  }
}

/** __mark_chain_precision(): walks the state's own instructions backwards, then its parents'. Answers whether a mark is new. */
function backtrack(env: Env, start: State): boolean {
  let changed = false
  let skip = true
  let last = start.insn
  let subseq = -1
  let st: State | undefined = start
  while (st !== undefined) {
    if (env.level & 2) env.verbose(`mark_precise: frame${bt.frame}: last_idx ${last} first_idx ${st.firstInsn} subseq_idx ${subseq} \n`)
    if (last < 0) return entry(st) || changed
    const cursor = { left: st.history.length }
    for (let i = last; i >= 0; i = previous(st, i, cursor)) {
      if (skip) skip = false
      else if (!step(env, i, subseq, historyAt(st, cursor.left, i))) return markAllPrecise(start)
      if (bt.empty) return changed
      subseq = i
    }
    subseq = st.firstInsn
    st = st.parent
    if (st === undefined) break
    if (markState(env, st)) changed = true
    if (bt.empty) return changed
    last = st.lastInsn
  }
  return bt.empty ? changed : markAllPrecise(start)
}

/** get_prev_insn_idx(); -1 at the beginning of the state. */
function previous(st: State, i: number, cursor: { left: number }): number {
  const n = cursor.left
  if (i === st.firstInsn && (n === 0 || (n === 1 && st.history[0]!.idx === i))) return -1
  if (n > 0 && st.history[n - 1]!.idx === i) {
    cursor.left--
    return st.history[n - 1]!.prev
  }
  return i - 1
}

/** get_jmp_hist_entry() */
function historyAt(st: State, left: number, i: number): History | undefined {
  const hist = left > 0 ? st.history[left - 1] : undefined
  return hist !== undefined && hist.idx === i ? hist : undefined
}

/** A global function's own arguments end the search. */
function entry(st: State): boolean {
  let changed = false
  const f = st.frames[0]!
  if (st.curframe !== 0 || f.subprog === 0 || bt.slots || (bt.regs[0]! & ~ARGS) !== 0) throw new Refusal(EFAULT)
  for (let r = 1; r <= 5; r++) {
    if (!bt.has(r, 0)) continue
    bt.clear(r, 0)
    if (f.regs[r]!.type !== T.SCALAR_VALUE) continue
    f.preciseRegs |= 1 << r
    changed = true
  }
  return changed
}

/** Marks what is looked for in a saved state; what was marked already needs no more search. */
function markState(env: Env, st: State): boolean {
  let changed = false
  for (let fr = bt.frame; fr >= 0; fr--) {
    const f = st.frames[fr]!
    for (let r = 0; r < 10; r++) {
      if (!bt.has(r, fr)) continue
      if (f.regs[r]!.type !== T.SCALAR_VALUE || f.preciseRegs & (1 << r)) bt.clear(r, fr)
      else {
        f.preciseRegs |= 1 << r
        changed = true
      }
    }
    for (let spi = 0; spi < 64 && (bt.low[fr] || bt.high[fr]); spi++) {
      if (!bt.hasSlot(fr, spi)) continue
      const slot = f.stack[spi]
      if (slot === undefined || !isSpilledScalar(slot) || f.isPreciseSlot(spi)) bt.clearSlot(fr, spi)
      else {
        f.setPreciseSlot(spi)
        changed = true
      }
    }
    if (env.level & 2) {
      env.verbose(`mark_precise: frame${fr}: parent state regs=${bt.regText(fr)} stack=${bt.slotText(fr)}: `)
      printState(env, st, fr, true)
    }
  }
  return changed
}

/** mark_all_scalars_precise(): the path can't be followed, so every number of it counts. */
function markAllPrecise(start: State): true {
  for (let st: State | undefined = start; st !== undefined; st = st.parent) {
    for (const f of st.frames) {
      for (let r = 0; r < 10; r++) if (f.regs[r]!.type === T.SCALAR_VALUE) f.preciseRegs |= 1 << r
      f.stack.forEach((slot, spi) => {
        if (isSpilledScalar(slot)) f.setPreciseSlot(spi)
      })
    }
  }
  bt.reset(0)
  return true
}

/** mark_all_scalars_imprecise(): a new saved state starts without marks. */
export function forgetPrecision(st: State): void {
  for (const f of st.frames) f.preciseRegs = f.preciseLow = f.preciseHigh = 0
}

/** backtrack_insn(): what had to be precise before this instruction; false: can't tell. */
function step(env: Env, idx: number, subseq: number, hist: History | undefined): boolean {
  const i = env.insns[idx]!
  if (i.code === 0) return true
  if (env.level & 2) {
    env.verbose(`mark_precise: frame${bt.frame}: regs=${bt.regText(bt.frame)} stack=${bt.slotText(bt.frame)} before ${idx}: ${disasm(env.insns, idx)}\n`)
  }
  syncLinked(hist)
  const cls = B.BPF_CLASS(i.code)
  const ok = cls === B.BPF_ALU || cls === B.BPF_ALU64 ? stepAlu(i)
    : cls === B.BPF_LDX || isAtomicLoad(i) ? stepLoad(i, hist)
      : cls === B.BPF_STX || cls === B.BPF_ST ? stepStore(i, hist)
        : cls === B.BPF_LD ? stepLd(i) : stepJmp(env, i, idx, subseq, hist)
  if (ok && cls !== B.BPF_LDX) syncLinked(hist)
  return ok
}

const isAtomicLoad = (i: Insn): boolean =>
  B.BPF_CLASS(i.code) === B.BPF_STX && B.BPF_MODE(i.code) === B.BPF_ATOMIC && i.imm === B.BPF_LOAD_ACQ

/** bt_sync_linked_regs(): registers that a comparison narrowed together. */
function syncLinked(hist: History | undefined): void {
  const linked = hist?.linked
  if (linked === undefined) return
  const wanted = linked.some(l => (l.reg >= 0 ? bt.has(l.reg, l.frame) : bt.hasSlot(l.frame, l.spi)))
  if (!wanted) return
  for (const l of linked) {
    if (l.reg >= 0) bt.set(l.reg, l.frame)
    else bt.setSlot(l.frame, l.spi)
  }
}

function stepAlu(i: Insn): boolean {
  if (!bt.has(i.dst)) return true
  const op = B.BPF_OP(i.code)
  if (op === B.BPF_END || op === B.BPF_NEG) return true
  if (op === B.BPF_MOV) bt.clear(i.dst)
  if (B.BPF_SRC(i.code) === B.BPF_X && i.src !== 10) bt.set(i.src)
  return true
}

function stepLoad(i: Insn, hist: History | undefined): boolean {
  if (!bt.has(i.dst)) return true
  bt.clear(i.dst)
  if (hist !== undefined && hist.stack >= 0) bt.setSlot(hist.stack >> 8, hist.stack & 0xff)
  return true
}

function stepStore(i: Insn, hist: History | undefined): boolean {
  if (bt.has(i.dst)) return false
  if (hist === undefined || hist.stack < 0) return true
  const [fr, spi] = [hist.stack >> 8, hist.stack & 0xff]
  if (!bt.hasSlot(fr, spi)) return true
  bt.clearSlot(fr, spi)
  if (B.BPF_CLASS(i.code) === B.BPF_STX) bt.set(i.src)
  return true
}

function stepLd(i: Insn): boolean {
  if (!bt.has(i.dst)) return true
  bt.clear(i.dst)
  const mode = B.BPF_MODE(i.code)
  return mode !== B.BPF_IND && mode !== B.BPF_ABS
}

function stepJmp(env: Env, i: Insn, idx: number, subseq: number, hist: History | undefined): boolean {
  const op = B.BPF_OP(i.code)
  if (op === B.BPF_CALL && B.BPF_CLASS(i.code) === B.BPF_JMP) return stepCall(env, i, idx, subseq)
  if (op === B.BPF_EXIT) return stepExit(env, subseq)
  if (op === B.BPF_JA || B.BPF_SRC(i.code) !== B.BPF_X || op === B.BPF_JCOND) return true
  if (!bt.has(i.dst) && !bt.has(i.src)) return true
  const flags = hist?.flags ?? 0
  if (!(flags & 2)) bt.set(i.src)
  if (!(flags & 1)) bt.set(i.dst)
  return true
}

function stepCall(env: Env, i: Insn, idx: number, subseq: number): boolean {
  if (isPseudoCall(i)) {
    const callee = env.subprogs[env.subprogOf.get(idx + i.imm + 1)!]!
    if (callee.global) {
      bt.clear(0)
      return true
    }
    leaveSubprog(true)
    return true
  }
  if (idx !== subseq - 1 && callsBack(env, i)) {
    leaveSubprog(false)
    return true
  }
  if (isKfuncCall(i) && i.imm === 0) return false
  bt.clear(0)
  if (isHelperCall(i) && i.imm === FUNC.tail_call && subseq - idx !== 1) bt.frame++
  if (bt.regs[bt.frame]! & ARGS) throw new Refusal(EFAULT)
  return true
}

const callsBack = (env: Env, i: Insn): boolean =>
  (isHelperCall(i) && isSyncCallback(i.imm)) || (isKfuncCall(i) && kfuncOf(env, i.imm)?.callback === true)

/** From a function's first instruction to its caller: its arguments were the caller's registers. */
function leaveSubprog(args: boolean): void {
  if (bt.slots || (bt.regs[bt.frame]! & ~ARGS) !== 0 || bt.frame === 0) throw new Refusal(EFAULT)
  const wanted = bt.regs[bt.frame]!
  bt.regs[bt.frame] = 0
  bt.frame--
  if (args) bt.regs[bt.frame]! |= wanted
}

/** From behind a call into the function's exit. */
function stepExit(env: Env, subseq: number): boolean {
  if (subseq >= 0 && env.aux[subseq]!.callsCallback) bt.regs[bt.frame]! &= ~ARGS
  if (bt.regs[bt.frame]! & ARGS) throw new Refusal(EFAULT)
  const precise = subseq >= 1 && isPseudoCall(env.insns[subseq - 1]!) && bt.has(0)
  bt.clear(0)
  if (bt.frame === 7) throw new Refusal(EFAULT)
  bt.frame++
  if (precise) bt.set(0)
  return true
}
