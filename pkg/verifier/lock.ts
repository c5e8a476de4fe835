// bpf_spin_lock, bpf_res_spin_lock and bpf_timer inside of map values: process_spin_lock(), process_timer_func() (kernel/bpf/verifier.c).
import { EINVAL } from '../uapi/errno.js'
import type { Env } from './env.js'
import { invalidateNonOwning } from './graph.js'
import { specialFields } from './map-record.js'
import { notInit, scalar, type Reg } from './reg.js'
import { sync, UNKNOWN, type Scalar } from './scalar.js'
import type { Ref } from './state.js'
import { s64 } from './tnum.js'
import * as T from './types.js'

/** Kinds of locks: struct, and what a region is called; resilient ones may be held together. */
type LockKind = Extract<Ref['kind'], 'lock' | 'res_lock' | 'res_lock_irq'>
const isLock = (ref: Ref): boolean => ref.kind === 'lock' || ref.kind === 'res_lock' || ref.kind === 'res_lock_irq'

export function processSpinLock(env: Env, r: Reg, regno: number, lock: boolean, kind: LockKind = 'lock'): void {
  const name = kind === 'lock' ? 'bpf_spin' : 'bpf_res_spin'
  if (!r.num.isConst) env.fail(EINVAL, `R${regno} doesn't have constant offset. ${name}_lock has to be at the constant offset`)
  if (r.type !== T.PTR_TO_MAP_VALUE) return env.missing('locks in allocated objects')
  const map = r.map!
  if (map.btfId === 0) env.fail(EINVAL, `map '${map.name}' has to have BTF in order to use ${name}_lock`)
  const field = specialFields(env, map).find(f => f.name === `${name}_lock`)
  if (field === undefined) return env.fail(EINVAL, `map '${map.name}' has no valid ${name}_lock`)
  const off = Number(s64(r.num.value)) + r.off
  if (field.off !== off) env.fail(EINVAL, `off ${off} doesn't point to 'struct ${name}_lock' that is at ${field.off}`)
  if (lock) take(env, kind, r.id, map)
  else giveBack(env, kind, r.id, map, name)
}

/** acquire_lock_state() */
function take(env: Env, kind: LockKind, id: number, ptr: unknown): void {
  const st = env.state
  if (kind === 'lock' && st.refs.some(ref => ref.kind === 'lock')) env.fail(EINVAL, 'Locking two bpf_spin_locks are not allowed')
  if (kind !== 'lock' && st.refs.some(ref => ref.kind === 'res_lock' && ref.id === id && ref.ptr === ptr)) {
    env.fail(EINVAL, 'Acquiring the same lock again, AA deadlock detected')
  }
  st.refs = [...st.refs, { kind, id, insn: env.insn, ptr }]
  st.activeLocks++
  st.activeLockId = id
  st.activeLockPtr = ptr
}

/** release_lock_state(): the one taken last. */
function giveBack(env: Env, kind: LockKind, id: number, ptr: unknown, name: string): void {
  const st = env.state
  if (st.activeLocks === 0) env.fail(EINVAL, `${name}_unlock without taking a lock`)
  const at = st.refs.findIndex(ref => ref.kind === kind && ref.id === id && ref.ptr === ptr)
  if (at < 0) env.fail(EINVAL, `${name}_unlock of different lock`)
  if (id !== st.activeLockId || ptr !== st.activeLockPtr) env.fail(EINVAL, `${name}_unlock cannot be out of order`)
  st.refs = st.refs.filter((_, n) => n !== at)
  const before = st.refs.findLast(isLock)
  st.activeLocks--
  st.activeLockId = before?.id ?? 0
  st.activeLockPtr = before?.ptr
  invalidateNonOwning(env)
}

const MAX_ERRNO = 4095
const failed = failure()

/** What bpf_res_spin_lock() returns when it can't have the lock. */
function failure(): Scalar {
  const num = UNKNOWN.copy()
  num.s32min = -MAX_ERRNO
  num.s32max = -1
  num.smin = BigInt(-MAX_ERRNO)
  num.smax = -1n
  return sync(num)
}

/** A resilient lock may fail: that path waits, its registers gone as behind any call. */
export function forkUnlocked(env: Env): void {
  const { regs } = env.pushState(env.insn + 1, env.insn).cur
  for (let n = 1; n <= 5; n++) regs[n] = notInit
  regs[0] = scalar(failed)
}

/** `res_lock`, `res_unlock` and their _irq kin, as the row of a kernel function says. */
export function resLockArg(env: Env, r: Reg, regno: number, what: string): void {
  if (r.type !== T.PTR_TO_MAP_VALUE && r.type !== (T.PTR_TO_BTF_ID | T.MEM_ALLOC)) {
    env.fail(EINVAL, `arg#${regno - 1} doesn't point to map value or allocated object`)
  }
  processSpinLock(env, r, regno, what.startsWith('res_lock'), what.endsWith('_irq') ? 'res_lock_irq' : 'res_lock')
}

export function processTimer(env: Env, r: Reg, regno: number): void {
  if (!r.num.isConst) env.fail(EINVAL, `R${regno} doesn't have constant offset. bpf_timer has to be at the constant offset`)
  const map = r.map!
  if (map.btfId === 0) env.fail(EINVAL, `map '${map.name}' has to have BTF in order to use bpf_timer`)
  const field = specialFields(env, map).find(f => f.name === 'bpf_timer')
  if (field === undefined) return env.fail(EINVAL, `map '${map.name}' has no valid bpf_timer`)
  const off = Number(s64(r.num.value)) + r.off
  if (field.off !== off) env.fail(EINVAL, `off ${off} doesn't point to 'struct bpf_timer' that is at ${field.off}`)
}
