// Control flow before any state: every instruction can be reached, and where states are kept and jumps recorded (check_cfg()).
import * as B from '../insn/opcode.js'
import type { Insn } from '../insn/insn.js'
import { FUNC } from '../uapi/bpf.js'
import { EINVAL } from '../uapi/errno.js'
import type { Env } from './env.js'
import { isCall, isHelperCall, isKfuncCall, isMayGoto, isPseudoCall, isPseudoFunc, subprogAt } from './subprogs.js'
import { kfuncOf } from './kfunc.js'

const SYNC_CALLBACKS: ReadonlySet<number> = new Set([FUNC.for_each_map_elem, FUNC.find_vma, FUNC.loop, FUNC.user_ringbuf_drain])

/** bpf_helper_changes_pkt_data() */
const CHANGES_PKT_DATA: ReadonlySet<number> = new Set([
  FUNC.clone_redirect, FUNC.l3_csum_replace, FUNC.l4_csum_replace, FUNC.lwt_push_encap, FUNC.lwt_seg6_action, FUNC.lwt_seg6_adjust_srh,
  FUNC.lwt_seg6_store_bytes, FUNC.msg_pop_data, FUNC.msg_pull_data, FUNC.msg_push_data, FUNC.skb_adjust_room, FUNC.skb_change_head,
  FUNC.skb_change_proto, FUNC.skb_change_tail, FUNC.skb_pull_data, FUNC.skb_store_bytes, FUNC.skb_vlan_pop, FUNC.skb_vlan_push,
  FUNC.store_hdr_opt, FUNC.xdp_adjust_head, FUNC.xdp_adjust_meta, FUNC.xdp_adjust_tail, FUNC.tail_call,
])
export const changesPktData = (helper: number): boolean => CHANGES_PKT_DATA.has(helper)
export const isSyncCallback = (helper: number): boolean => SYNC_CALLBACKS.has(helper)

/** Where control may go next inside of a function. */
export function successors(insns: readonly Insn[], n: number): number[] {
  const i = insns[n]!
  const cls = B.BPF_CLASS(i.code)
  if (B.isLdImm64(i.code)) return [n + 2]
  if (cls !== B.BPF_JMP && cls !== B.BPF_JMP32) return [n + 1]
  const op = B.BPF_OP(i.code)
  if (op === B.BPF_EXIT) return []
  if (op === B.BPF_CALL) return [n + 1]
  if (op === B.BPF_JA) return [n + 1 + (cls === B.BPF_JMP ? i.off : i.imm)]
  return [n + 1, n + 1 + i.off]
}

export function checkCfg(env: Env): void {
  const reached = walk(env)
  for (let n = 0; n < env.insns.length; n++) {
    if (!reached[n]) env.fail(EINVAL, `unreachable insn ${n}`)
    if (!B.isLdImm64(env.insns[n]!.code)) continue
    if (reached[n + 1]) env.fail(EINVAL, `jump into the middle of ldimm64 insn ${n}`)
    n++
  }
  spreadEffects(env)
}

function walk(env: Env): Uint8Array {
  const reached = new Uint8Array(env.insns.length)
  const todo = [0]
  while (todo.length > 0) {
    const n = todo.pop()!
    if (n >= env.insns.length || reached[n]) continue
    reached[n] = 1
    mark(env, n)
    todo.push(...successors(env.insns, n))
    const i = env.insns[n]!
    if (isPseudoCall(i) || isPseudoFunc(i)) todo.push(n + i.imm + 1)
  }
  return reached
}

/** Prune points, jump points and checkpoints that an instruction makes (visit_insn(), push_insn()). */
function mark(env: Env, n: number): void {
  const i = env.insns[n]!
  const cls = B.BPF_CLASS(i.code)
  const branch = (to: number): void => {
    const aux = env.aux[to]
    if (aux === undefined) return
    aux.prunePoint = true
    aux.jmpPoint = true
  }
  if (isPseudoFunc(i)) {
    branch(n + 2)
    env.aux[n]!.prunePoint = true
    return branch(n + i.imm + 1)
  }
  if (cls !== B.BPF_JMP && cls !== B.BPF_JMP32) return
  if (isCall(i)) return markCall(env, n, i, branch)
  const op = B.BPF_OP(i.code)
  if (op === B.BPF_EXIT) return
  if (op === B.BPF_JA) return branch(successors(env.insns, n)[0]!)
  env.aux[n]!.prunePoint = true
  if (isMayGoto(i)) env.aux[n]!.forceCheckpoint = true
  branch(n + 1 + i.off)
}

function markCall(env: Env, n: number, i: Insn, branch: (to: number) => void): void {
  const aux = env.aux[n]!
  branch(n + 1)
  if (isPseudoCall(i)) {
    aux.prunePoint = true
    return branch(n + i.imm + 1)
  }
  const sub = env.subprogs[subprogAt(env, n)]!
  if (isHelperCall(i)) {
    if (i.imm === FUNC.timer_set_callback) aux.prunePoint = true
    if (isSyncCallback(i.imm)) markCallback(env, n)
    if (changesPktData(i.imm)) sub.changesPktData = true
  } else if (isKfuncCall(i)) {
    const k = kfuncOf(env, i.imm)
    if (k?.iterNext) {
      aux.prunePoint = true
      aux.forceCheckpoint = true
      aux.iterNext = true
    }
    if (k?.callback) markCallback(env, n)
    if (k?.changesPktData) sub.changesPktData = true
  }
}

function markCallback(env: Env, n: number): void {
  const aux = env.aux[n]!
  aux.callsCallback = true
  aux.forceCheckpoint = true
  aux.prunePoint = true
  aux.jmpPoint = true
}

/** merge_callee_effects(): a function that calls one that moves packet data moves it too. */
function spreadEffects(env: Env): void {
  for (let changed = true; changed;) {
    changed = false
    env.insns.forEach((i, n) => {
      if (!isPseudoCall(i) && !isPseudoFunc(i)) return
      const caller = env.subprogs[subprogAt(env, n)]!
      const callee = env.subprogs[env.subprogOf.get(n + i.imm + 1)!]!
      if (!callee.changesPktData || caller.changesPktData) return
      caller.changesPktData = changed = true
    })
  }
}
