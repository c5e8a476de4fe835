// Calls of kernel functions by BTF id: who may be called, and what the static passes need to know of them (kernel/bpf/verifier.c,
// add_kfunc_call(), fetch_kfunc_meta()).
import { kfuncNamed, type Kfunc } from '../helper/kfuncs.js'
import { KIND } from '../btf/types.js'
import type { Env } from './env.js'

const known = new WeakMap<Env, Map<number, Kfunc | undefined>>()

/** The row of a kfunc that a call names by its id in vmlinux BTF; undefined: no such function. */
export function kfuncOf(env: Env, id: number): Kfunc | undefined {
  let map = known.get(env)
  if (map === undefined) known.set(env, (map = new Map()))
  if (!map.has(id)) map.set(id, find(env, id))
  return map.get(id)
}

function find(env: Env, id: number): Kfunc | undefined {
  const btf = env.vmlinux
  if (btf === undefined || id <= 0 || id >= btf.count) return undefined
  const t = btf.type(id)
  return t.kind === KIND.FUNC ? kfuncNamed(t.name) : undefined
}
