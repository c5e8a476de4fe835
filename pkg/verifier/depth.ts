// Stack of all call chains: at most 512 bytes and 8 frames deep (check_max_stack_depth(), kernel/bpf/verifier.c).
import { E2BIG, EACCES } from '../uapi/errno.js'
import type { Env } from './env.js'
import { MAX_CALL_FRAMES, MAX_STACK } from './limits.js'
import { isPseudoCall, isPseudoFunc } from './subprogs.js'

/** Frames count in steps of 16 bytes: round_up_stack_depth() with a JIT. */
const rounded = (bytes: number): number => Math.ceil(bytes / 16) * 16

export function checkStackDepth(env: Env): void {
  env.subprogs.forEach((sub, n) => {
    if (n === 0 || sub.isAsyncCb) walk(env, n, 0, 1)
  })
  env.subprogs.forEach(s => {
    if (s.tailCallReachable) s.hasTailCall = true
  })
}

function walk(env: Env, n: number, above: number, frames: number): void {
  const sub = env.subprogs[n]!
  if (above > 0 && sub.hasTailCall && above >= 256) {
    env.fail(EACCES, `tail_calls are not allowed when call stack of previous frames is ${above} bytes. Too large`)
  }
  const depth = above + rounded(sub.stackDepth)
  if (depth > MAX_STACK) env.fail(EACCES, `combined stack size of ${frames} calls is ${depth}. Too large`)
  for (let at = sub.start; at < sub.end; at++) {
    const i = env.insns[at]!
    if (!isPseudoCall(i) && !isPseudoFunc(i)) continue
    const callee = env.subprogOf.get(at + i.imm + 1)!
    if (isPseudoFunc(i) && env.subprogs[callee]!.isAsyncCb) continue
    if (frames >= MAX_CALL_FRAMES) env.fail(E2BIG, `the call stack of ${frames} frames is too deep !`)
    walk(env, callee, depth, frames + 1)
  }
}
