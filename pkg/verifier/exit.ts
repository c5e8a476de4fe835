// The end of a program or function: leaks, locks, return values (check_resource_leak(), check_return_code(), prepare_func_exit(),
// kernel/bpf/verifier.c).
import type { Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'
import { ATTACH_TYPE, PROG_TYPE } from '../uapi/bpf.js'
import { EACCES, EINVAL } from '../uapi/errno.js'
import { RFC_PROG_TYPE } from '../uapi/rfc.js'
import { returnPacket } from './dequeue.js'
import type { Env } from './env.js'
import { irqRegion } from './irq.js'
import { printState } from './log-state.js'
import { previousEntry } from './jmp.js'
import { readReg } from './marks.js'
import { markChainPrecision } from './precision.js'
import type { Reg } from './reg.js'
import { S64_MAX, S64_MIN } from './scalar.js'
import type { RetRange } from './state.js'
import * as T from './types.js'
import { returnRangeOf, returnsPointer } from './struct-ops.js'
import { widenImprecise } from './widen.js'

const EXIT = 'BPF_EXIT instruction in main prog'

/** A struct_ops program may return what it holds; check_return_code() sees to the type. */
const givenBack = (env: Env, prefix: string, id: number): boolean =>
  env.type === PROG_TYPE.STRUCT_OPS && prefix === EXIT && env.regs[0]!.refObjId === id

/** check_resource_leak() */
export function checkResourceLeak(env: Env, checkLock: boolean, prefix: string): void {
  const st = env.state
  if (checkLock && st.activeLocks > 0) env.fail(EINVAL, `${prefix} cannot be used inside bpf_spin_lock-ed region`)
  const leaked = env.frame.frameno > 0 ? [] : st.refs.filter(r => r.kind === 'ptr' && !givenBack(env, prefix, r.id))
  for (const r of leaked) env.verbose(`Unreleased reference id=${r.id} alloc_insn=${r.insn}\n`)
  if (leaked.length > 0) env.fail(EINVAL, `${prefix} would lead to reference leak`)
  if (checkLock && irqRegion(st)) env.fail(EINVAL, `${prefix} cannot be used inside bpf_local_irq_save-ed region`)
  if (checkLock && st.activeRcu) env.fail(EINVAL, `${prefix} cannot be used inside bpf_rcu_read_lock-ed region`)
  if (checkLock && st.activePreempt > 0) env.fail(EINVAL, `${prefix} cannot be used inside bpf_preempt_disable-ed region`)
}

/** True: the program ends here; false: a function returned to its caller. */
export function checkExit(env: Env, i: Insn): boolean {
  if (B.BPF_SRC(i.code) !== B.BPF_K || i.imm !== 0 || i.src !== 0 || i.dst !== 0 || B.BPF_CLASS(i.code) === B.BPF_JMP32) {
    env.fail(EINVAL, 'BPF_EXIT uses reserved fields')
  }
  const nested = env.state.curframe > 0
  const returns = !nested && env.type === RFC_PROG_TYPE.DEQUEUE && env.frame.subprog === 0 && !env.frame.inAsyncCallback
  if (returns) returnPacket(env)
  checkResourceLeak(env, !nested, EXIT)
  if (nested) {
    leaveFunction(env)
    return false
  }
  if (!returns) checkReturnCode(env)
  return true
}

/** prepare_func_exit() */
export function leaveFunction(env: Env): void {
  const st = env.state
  const callee = st.cur
  const caller = st.frames[st.curframe - 1]!
  const r0 = callee.regs[0]!
  if (r0.type === T.PTR_TO_STACK) env.fail(EINVAL, 'cannot return stack pointer to the caller')
  if (callee.inCallback) {
    if (r0.type !== T.SCALAR_VALUE) env.fail(EACCES, 'R0 not a scalar value')
    markChainPrecision(env, 0)
    if (!inRange(callee.retRange!, r0, false)) invalidScalar(env, r0, callee.retRange!, 'At callback return', 'R0')
  } else {
    caller.regs[0] = r0
  }
  const next = callee.inCallback ? callee.callsite : callee.callsite + 1
  if (env.level & 3) {
    env.verbose('returning from callee:\n')
    printState(env, st, callee.frameno, true)
    env.verbose(`to caller at ${next}:\n`)
    printState(env, st, caller.frameno, true)
  }
  st.frames.pop()
  if (callee.inCallback) {
    const before = previousEntry(st, st.parent, next)
    if (before !== undefined) widenImprecise(env, before, st)
  }
  env.insn = next
}

/** retval_range_within() */
function inRange(range: RetRange, r: Reg, half: boolean): boolean {
  if (half) return range.min <= r.num.s32min && r.num.s32max <= range.max
  return BigInt(range.min) <= r.num.smin && r.num.smax <= BigInt(range.max)
}

/** verbose_invalid_scalar() */
function invalidScalar(env: Env, r: Reg, range: RetRange, ctx: string, name: string): never {
  const { smin, smax } = r.num
  const known = (smin > S64_MIN ? ` smin=${smin}` : '') + (smax < S64_MAX ? ` smax=${smax}` : '')
  env.fail(EINVAL, `${ctx} the register ${name} has${known === '' ? ' unknown scalar value' : known} should have been in [${range.min}, ${range.max}]`)
}

/** check_return_code() */
function checkReturnCode(env: Env): void {
  if (env.type === PROG_TYPE.STRUCT_OPS && env.frame.subprog === 0 && returnsPointer(env)) return
  const r = readReg(env, 0)
  if (env.frame.inAsyncCallback) return enforce(env, r, { min: 0, max: 0 }, 'At async callback return')
  if (env.frame.subprog > 0) {
    if (r.type === T.SCALAR_VALUE) return
    env.fail(EINVAL, `At subprogram exit the register R0 is not a scalar value (${T.typeName(r.type)})`)
  }
  const range = returnRange(env)
  if (range !== undefined) enforce(env, r, range, 'At program exit')
}

function enforce(env: Env, r: Reg, range: RetRange, ctx: string): void {
  if (r.type !== T.SCALAR_VALUE) env.fail(EINVAL, `${ctx} the register R0 is not a known value (${T.typeName(r.type)})`)
  markChainPrecision(env, 0)
  if (!inRange(range, r, false)) invalidScalar(env, r, range, ctx, 'R0')
}

/** What a type's programs may return; undefined: anything. */
function returnRange(env: Env): RetRange | undefined {
  switch (env.type) {
    case PROG_TYPE.CGROUP_SKB:
      return { min: 0, max: env.prog.expectedAttachType === ATTACH_TYPE.CGROUP_INET_EGRESS ? 3 : 1 }
    case PROG_TYPE.SK_LOOKUP: case PROG_TYPE.NETFILTER: case PROG_TYPE.CGROUP_SOCK: case PROG_TYPE.SOCK_OPS: case PROG_TYPE.CGROUP_DEVICE:
    case PROG_TYPE.CGROUP_SYSCTL: case PROG_TYPE.CGROUP_SOCKOPT: case PROG_TYPE.CGROUP_SOCK_ADDR:
      return { min: 0, max: 1 }
    case PROG_TYPE.STRUCT_OPS: return returnRangeOf(env)
    default: return undefined
  }
}
