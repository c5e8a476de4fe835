// bpf_spin_lock and bpf_timer inside of map values: process_spin_lock(), process_timer_func() (kernel/bpf/verifier.c).
import { EINVAL } from '../uapi/errno.js'
import type { Env } from './env.js'
import { invalidateNonOwning } from './graph.js'
import { specialFields } from './map-record.js'
import type { Reg } from './reg.js'
import { s64 } from './tnum.js'
import * as T from './types.js'

export function processSpinLock(env: Env, r: Reg, regno: number, lock: boolean): void {
  const name = lock ? 'bpf_spin_lock' : 'bpf_spin_unlock'
  if (!r.num.isConst) env.fail(EINVAL, `R${regno} doesn't have constant offset. bpf_spin_lock has to be at the constant offset`)
  if (r.type !== T.PTR_TO_MAP_VALUE) return env.missing('locks in allocated objects')
  const map = r.map!
  if (map.btfId === 0) env.fail(EINVAL, `map '${map.name}' has to have BTF in order to use bpf_spin_lock`)
  const field = specialFields(env, map).find(f => f.name === 'bpf_spin_lock')
  if (field === undefined) return env.fail(EINVAL, `map '${map.name}' has no valid bpf_spin_lock`)
  const off = Number(s64(r.num.value)) + r.off
  if (field.off !== off) env.fail(EINVAL, `off ${off} doesn't point to 'struct bpf_spin_lock' that is at ${field.off}`)
  const st = env.state
  if (lock) {
    if (st.activeLocks > 0) env.fail(EINVAL, 'Locking two bpf_spin_locks are not allowed')
    st.refs = [...st.refs, { kind: 'lock', id: r.id, insn: env.insn, ptr: map }]
    st.activeLocks++
    st.activeLockId = r.id
    st.activeLockPtr = map
    return
  }
  if (st.activeLocks === 0) env.fail(EINVAL, `${name} without taking a lock`)
  const at = st.refs.findIndex(ref => ref.kind === 'lock' && ref.id === r.id && ref.ptr === map)
  if (at < 0) env.fail(EINVAL, `${name} of different lock`)
  st.refs = st.refs.filter((_, n) => n !== at)
  st.activeLocks--
  st.activeLockId = 0
  st.activeLockPtr = undefined
  invalidateNonOwning(env)
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
