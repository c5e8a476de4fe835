// Calls of kernel functions by BTF id, before any state: the id names a function, and the program may have such calls at all
// (add_kfunc_call(), kernel/bpf/verifier.c).
import { kfuncNamed, type Kfunc } from '../helper/kfuncs.js'
import { KIND } from '../btf/types.js'
import type { Insn } from '../insn/insn.js'
import { PROG_F } from '../uapi/bpf.js'
import { EINVAL, EPROTO } from '../uapi/errno.js'
import type { Env } from './env.js'

/** The name of the function an id stands for in vmlinux BTF; undefined: it stands for none. */
export function kfuncName(env: Env, id: number): string | undefined {
  const btf = env.vmlinux
  if (btf === undefined || id <= 0 || id >= btf.count) return undefined
  const t = btf.type(id)
  return t.kind === KIND.FUNC ? t.name : undefined
}

/** The row of a kfunc; undefined: no row. */
export function kfuncOf(env: Env, id: number): Kfunc | undefined {
  const name = kfuncName(env, id)
  return name === undefined ? undefined : kfuncNamed(name)
}

/** Functions that fixup turns into a move, as fixup_kfunc_call() does. */
export const INLINE_KFUNCS: ReadonlySet<string> = new Set(['bpf_cast_to_kern_ctx', 'bpf_rdonly_cast'])
export const isInlineKfunc = (env: Env, id: number): boolean => INLINE_KFUNCS.has(kfuncName(env, id) ?? '')

/** add_kfunc_call() */
export function addKfunc(env: Env, i: Insn): void {
  if (!env.gpl) env.fail(EINVAL, 'cannot call kernel function from non-GPL compatible program')
  if (i.imm === 0 && i.off === 0) return
  if (i.off !== 0) env.fail(EPROTO, 'failed to find BTF for kernel function')
  if (kfuncName(env, i.imm) === undefined) env.fail(EINVAL, `kernel btf_id ${i.imm} is not a function`)
  const bound = ((env.prog.flags ?? 0) & PROG_F.XDP_DEV_BOUND_ONLY) !== 0
  if (kfuncOf(env, i.imm)?.deviceBound && !bound) env.fail(EINVAL, 'metadata kfuncs require device-bound program')
}
