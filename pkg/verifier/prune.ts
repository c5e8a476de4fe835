// Saved states and when a path may end early: is_state_visited(), branch counts, and what loops need on top (kernel/bpf/verifier.c).
import { EINVAL } from '../uapi/errno.js'
import { printLine } from './btf-info.js'
import type { Env } from './env.js'
import { statesEqual } from './equal.js'
import { printState } from './log-state.js'
import { exitScc, enterScc, incompleteMarks, addBackedge } from './loops.js'
import { forgetPrecision, propagatePrecision } from './precision.js'
import type { Frame, State } from './state.js'
import { isMayGoto } from './subprogs.js'
import { sameHead } from './equal.js'
import type { Reg } from './reg.js'
import { sameScalar } from './scalar.js'
import { ITER, STACK_ITER } from './types.js'
import { slotType } from './state.js'

/** update_branch_counts(): a path has ended; states whose paths have all ended may be compared with. */
export function endPath(env: Env, state: State | undefined): void {
  for (let st = state; st !== undefined; st = st.parent) {
    st.branches--
    if (st.branches > 0) return
    exitScc(env, st)
  }
}

const key = (env: Env, state: State): number => ((env.insn ^ state.cur.callsite) >>> 0) % env.insns.length

/** True: this state is covered by one that was seen; false: go on (and perhaps remember it). */
export function isStateVisited(env: Env): boolean {
  const cur = env.state
  const aux = env.aux[env.insn]!
  const force = env.testStateFreq || aux.forceCheckpoint || cur.history.length > 40
  let add = force
  if (env.jmpsProcessed - env.prevJmpsProcessed >= 2 && env.insnProcessed - env.prevInsnProcessed >= 8) add = true
  const list = env.explored.get(key(env, cur)) ?? []
  let count = 0
  for (let n = 0; n < list.length; n++) {
    const old = list[n]!
    count++
    if (old.insn !== env.insn) continue
    const seen = old.branches > 0 ? active(env, old, cur) : settled(env, old, cur)
    if (seen !== 'miss' && seen !== 'soon') return hit(env, old, cur, seen === 'loop')
    if (seen === 'soon' && !force && env.jmpsProcessed - env.prevJmpsProcessed < 20 && env.insnProcessed - env.prevInsnProcessed < 100) add = false
    if (add) old.misses++
    const patience = aux.forceCheckpoint && old.branches > 0 ? 64 : 3
    if (old.misses > old.hits * patience + patience) {
      list.splice(n--, 1)
      env.exploredSize--
    }
  }
  env.maxStatesPerInsn = Math.max(env.maxStatesPerInsn, count)
  if (add) remember(env, cur, list)
  return false
}

type Seen = 'hit' | 'loop' | 'miss' | 'soon'

/** A state of the path that led here: equal ones are loops. */
function active(env: Env, old: State, cur: State): Seen {
  const f = old.cur
  const aux = env.aux[env.insn]!
  if (f.inAsyncCallback && f.asyncEntry !== cur.cur.asyncEntry) return 'soon'
  if (aux.iterNext) return statesEqual(env, old, cur, 'within') && iterActive(cur) ? 'loop' : 'soon'
  if (isMayGoto(env.insns[env.insn]!) && old.mayGotoDepth !== cur.mayGotoDepth && statesEqual(env, old, cur, 'within')) return 'loop'
  if (aux.callsCallback) return statesEqual(env, old, cur, 'within') ? 'loop' : 'soon'
  if (maybeLooping(old, cur) && statesEqual(env, old, cur, 'exact') && !iterDepthsDiffer(old, cur) &&
    old.mayGotoDepth === cur.mayGotoDepth && old.callbackUnroll === cur.callbackUnroll) infinite(env, old, cur)
  return 'soon'
}

function settled(env: Env, old: State, cur: State): Seen {
  const loop = incompleteMarks(env, old)
  if (!statesEqual(env, old, cur, loop ? 'within' : 'not')) return 'miss'
  return loop ? 'loop' : 'hit'
}

function infinite(env: Env, old: State, cur: State): never {
  printLine(env, env.insn, '; ')
  env.verbose(`infinite loop detected at insn ${env.insn}\n`)
  env.verbose('cur state:')
  printState(env, cur, cur.curframe, true)
  env.verbose('old state:')
  printState(env, old, cur.curframe, true)
  throw env.refusal(EINVAL)
}

/** states_maybe_looping(): a quick look before the whole comparison. */
function maybeLooping(old: State, cur: State): boolean {
  if (old.frames.length !== cur.frames.length) return false
  const [a, b] = [old.cur, cur.cur]
  return a.regs.every((r, n) => r === b.regs[n]! || identical(r, b.regs[n]!))
}

const identical = (a: Reg, b: Reg): boolean =>
  sameHead(a, b) && sameScalar(a.num, b.num) && a.id === b.id && a.refObjId === b.refObjId

function iterSlots(f: Frame): number[] {
  const out: number[] = []
  f.stack.forEach((s, spi) => {
    if (slotType(s, 0) === STACK_ITER) out.push(spi)
  })
  return out
}

function iterDepthsDiffer(old: State, cur: State): boolean {
  return old.frames.some((f, n) => iterSlots(f).some(spi => {
    const o = f.stack[spi]!.reg!
    return o.iterState === ITER.ACTIVE && o.iterDepth !== cur.frames[n]!.stack[spi]?.reg?.iterDepth
  }))
}

/** At a call of bpf_iter_*_next(): r1 names an iterator that has not run dry. */
function iterActive(cur: State): boolean {
  const r = cur.cur.regs[1]!
  const spi = (-(r.off + Number(BigInt.asIntN(64, r.num.value))) - 1) >> 3
  return cur.frames[r.frameno]?.stack[spi]?.reg?.iterState === ITER.ACTIVE
}

function hit(env: Env, old: State, cur: State, loop: boolean): boolean {
  old.hits++
  if (env.aux[env.insn]!.jmpPoint) env.pushHistory(cur, -1, undefined)
  propagatePrecision(env, old, cur)
  if (loop) addBackedge(env, old, cur)
  return true
}

function remember(env: Env, cur: State, list: State[]): void {
  env.totalStates++
  env.exploredSize++
  env.peakStates = Math.max(env.peakStates, env.exploredSize + env.freeListSize + env.numBackedges)
  env.prevJmpsProcessed = env.jmpsProcessed
  env.prevInsnProcessed = env.insnProcessed
  forgetPrecision(cur)
  const saved = cur.copy()
  saved.insn = env.insn
  enterScc(env, saved)
  cur.parent = saved
  cur.firstInsn = env.insn
  cur.dfsDepth = saved.dfsDepth + 1
  cur.history = []
  list.unshift(saved)
  env.explored.set(key(env, cur), list)
}
