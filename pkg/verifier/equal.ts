// Is a state covered by one that was found safe? states_equal(), regsafe(), stacksafe(), refsafe() (kernel/bpf/verifier.c).
import type { Env } from './env.js'
import { linkOf, unknownScalar, type Reg } from './reg.js'
import { sameScalar, within } from './scalar.js'
import { ALL_MISC, emptySlot, isSpilledScalar64, slotType, type Frame, type Slot, type State } from './state.js'
import { tnumIn } from './tnum.js'
import * as T from './types.js'

/** NOT_EXACT: numbers that never mattered may differ. RANGE_WITHIN: all must be covered. EXACT: nothing may differ (loop detection). */
export type Exact = 'not' | 'within' | 'exact'

/** struct bpf_idmap: which id of the old state is which of the new one. */
class IdMap {
  readonly #old: number[] = []
  readonly #cur: number[] = []
  #count = 0
  #temporary = 0

  reset(first: number): void {
    this.#count = 0
    this.#temporary = first
  }

  /** check_ids() */
  same(old: number, cur: number): boolean {
    if ((old !== 0) !== (cur !== 0)) return false
    if (old === 0) return true
    for (let i = 0; i < this.#count; i++) {
      if (this.#old[i] === old) return this.#cur[i] === cur
      if (this.#cur[i] === cur) return false
    }
    this.#old[this.#count] = old
    this.#cur[this.#count++] = cur
    return true
  }

  /** check_scalar_ids(): a scalar without an id is linked to none. */
  sameScalar(old: number, cur: number): boolean {
    return this.same(old === 0 ? ++this.#temporary : old, cur === 0 ? ++this.#temporary : cur)
  }
}

const ids = new IdMap()

export function statesEqual(env: Env, old: State, cur: State, exact: Exact): boolean {
  if (old.frames.length !== cur.frames.length || old.inSleepable !== cur.inSleepable) return false
  ids.reset(env.idGen)
  if (!refsSafe(old, cur)) return false
  for (let n = 0; n < old.frames.length; n++) {
    const f = old.frames[n]!
    const insn = n === old.frames.length - 1 ? old.insn : old.frames[n + 1]!.callsite
    if (f.callsite !== cur.frames[n]!.callsite || !framesEqual(f, cur.frames[n]!, env.aux[insn]!.live, exact)) return false
  }
  return true
}

function refsSafe(old: State, cur: State): boolean {
  if (old.refs.length !== cur.refs.length || old.activeLocks !== cur.activeLocks || old.activePreempt !== cur.activePreempt ||
    old.activeRcu !== cur.activeRcu || old.activeLockPtr !== cur.activeLockPtr || !ids.same(old.activeLockId, cur.activeLockId)) return false
  return old.refs.every((r, n) => {
    const c = cur.refs[n]!
    return r.kind === c.kind && r.ptr === c.ptr && ids.same(r.id, c.id)
  })
}

function framesEqual(old: Frame, cur: Frame, live: number, exact: Exact): boolean {
  if (old.callbackDepth > cur.callbackDepth) return false
  for (let n = 0; n < 11; n++) {
    if (!(live & (1 << n)) && n !== 10) continue
    if (!regSafe(old.regs[n]!, cur.regs[n]!, (old.preciseRegs & (1 << n)) !== 0, exact)) return false
  }
  return stackSafe(old, cur, exact)
}

/** The part of a register in front of its number, field by field (memcmp up to var_off). */
export function sameHead(a: Reg, b: Reg): boolean {
  return a.type === b.type && a.off === b.off && a.range === b.range && a.memSize === b.memSize && a.map === b.map && a.mapUid === b.mapUid &&
    a.btf === b.btf && a.btfId === b.btfId && a.subprog === b.subprog && a.dynptrType === b.dynptrType && a.firstSlot === b.firstSlot
}

const exactlySame = (old: Reg, cur: Reg): boolean =>
  sameHead(old, cur) && sameScalar(old.num, cur.num) && ids.same(old.id, cur.id) && ids.same(old.refObjId, cur.refObjId)

const covers = (old: Reg, cur: Reg): boolean => old.num === cur.num || (within(old.num, cur.num) && tnumIn(old.num.t, cur.num.t))

function regSafe(old: Reg, cur: Reg, precise: boolean, exact: Exact): boolean {
  if (exact === 'exact') return exactlySame(old, cur)
  if (old.type === T.NOT_INIT) return true
  if (old.type !== cur.type) return false
  switch (T.baseType(old.type)) {
    case T.SCALAR_VALUE:
      if (!precise && exact === 'not') return true
      if (linkOf(old.id) !== linkOf(cur.id)) return false
      if (linkOf(old.id) !== 0 && old.off !== cur.off) return false
      return covers(old, cur) && ((old.id === 0 && cur.id === 0) || ids.sameScalar(old.id, cur.id))
    case T.PTR_TO_MAP_KEY: case T.PTR_TO_MAP_VALUE: case T.PTR_TO_MEM: case T.PTR_TO_BUF: case T.PTR_TO_TP_BUFFER:
      return sameHead(old, cur) && covers(old, cur) && ids.same(old.id, cur.id) && ids.same(old.refObjId, cur.refObjId)
    case T.PTR_TO_PACKET: case T.PTR_TO_PACKET_META:
      if (old.range < 0 || cur.range < 0 ? old.range !== cur.range : old.range > cur.range) return false
      return old.off === cur.off && ids.same(old.id, cur.id) && ids.same(old.refObjId, cur.refObjId) && covers(old, cur)
    case T.PTR_TO_STACK: return exactlySame(old, cur) && old.frameno === cur.frameno
    default: return exactlySame(old, cur)
  }
}

/** scalar_reg_for_stack(): eight bytes of one number, or of whatever. */
function scalarOf(s: Slot): Reg | undefined {
  if (isSpilledScalar64(s)) return s.reg
  return allMisc(s) ? unknownScalar : undefined
}

function allMisc(s: Slot): boolean {
  if (s.types === ALL_MISC) return true
  for (let b = 0; b < 8; b++) {
    const type = slotType(s, b)
    if (type !== T.STACK_MISC && type !== T.STACK_INVALID) return false
  }
  return true
}

function stackSafe(old: Frame, cur: Frame, exact: Exact): boolean {
  for (let spi = 0; spi < old.stack.length; spi++) {
    const o = old.stack[spi]!
    const c = cur.stack[spi]
    if (o === c && o.reg === undefined) continue
    if (!slotSafe(o, c, old.isPreciseSlot(spi), exact)) return false
  }
  return true
}

function slotSafe(o: Slot, c: Slot | undefined, precise: boolean, exact: Exact): boolean {
  for (let b = 0; b < 8; b++) {
    const type = slotType(o, b)
    if (exact === 'exact') {
      const is = (t: number): number => (t === T.STACK_INVALID ? T.STACK_MISC : t)
      if (c === undefined || is(type) !== is(slotType(c, b))) return false
    }
    if (type === T.STACK_INVALID || type === T.STACK_MISC) continue
    if (c === undefined) return false
    const [oldReg, curReg] = [scalarOf(o), scalarOf(c ?? emptySlot)]
    if (oldReg !== undefined && curReg !== undefined) return regSafe(oldReg, curReg, precise && oldReg !== unknownScalar, exact)
    if (type !== slotType(c, b)) return false
    if (b === 7 && !sameContents(o, c, type, precise, exact)) return false
  }
  return true
}

function sameContents(o: Slot, c: Slot, type: number, precise: boolean, exact: Exact): boolean {
  const [a, b] = [o.reg, c.reg]
  switch (type) {
    case T.STACK_SPILL: return regSafe(a!, b!, precise, exact)
    case T.STACK_DYNPTR:
      return a!.dynptrType === b!.dynptrType && a!.firstSlot === b!.firstSlot && ids.same(a!.refObjId, b!.refObjId)
    case T.STACK_ITER:
      return a!.btf === b!.btf && a!.btfId === b!.btfId && a!.iterState === b!.iterState && ids.same(a!.refObjId, b!.refObjId)
    case T.STACK_IRQ_FLAG: return ids.same(a!.refObjId, b!.refObjId)
    default: return true
  }
}
