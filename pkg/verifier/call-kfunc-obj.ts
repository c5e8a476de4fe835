// Arguments and results of kernel functions that are pointers to structs: the kernel's own, trusted, and what kinds of struct_ops tables
// let their members call (check_kfunc_args(), kernel/bpf/verifier.c; btf_kfunc_id_set filters).
import { KIND } from '../btf/types.js'
import type { Kfunc } from '../helper/kfuncs.js'
import { PROG_TYPE } from '../uapi/bpf.js'
import { EACCES, EINVAL } from '../uapi/errno.js'
import type { Meta } from './call-args.js'
import type { Env } from './env.js'
import type { Reg } from './reg.js'
import { releaseReference } from './release.js'
import { memberOf } from './struct-ops.js'
import * as T from './types.js'

/** The kind of table decides which member calls what. */
export function allowedMember(env: Env, k: Kfunc): boolean {
  if (env.type !== PROG_TYPE.STRUCT_OPS) return true
  const member = memberOf(env)!
  const who = member.table.kfuncs[k.name]
  if (who === undefined) return k.types === undefined
  return who === 'all' || who.includes(member.name)
}

/** is_trusted_reg() */
const isTrusted = (r: Reg): boolean => r.refObjId !== 0 || ((r.type & T.PTR_TRUSTED) !== 0 && (r.type & T.PTR_UNTRUSTED) === 0)

/** `btf:NAME` and `release:NAME`: a pointer to that struct of the kernel, whole and trusted. */
export function structArg(env: Env, n: number, r: Reg, release: boolean, name: string, meta: Meta): void {
  const regno = n + 1
  if (T.mayBeNull(r.type) || r.isNull) env.fail(EACCES, `Possibly NULL pointer passed to trusted arg${n}`)
  if (T.baseType(r.type) !== T.PTR_TO_BTF_ID) {
    env.fail(EINVAL, `arg#${n} is ${T.typeName(r.type)} expected ptr_ or socket`)
  }
  if (release && r.off !== 0) env.fail(EINVAL, `R${regno} must have zero offset when passed to release func or trusted arg to kfunc`)
  if (!isTrusted(r)) env.fail(EINVAL, `R${regno} must be referenced or trusted`)
  const struct = r.btf!.type(r.btfId)
  if (r.btf !== env.vmlinux || (struct.name !== name && !beginsWith(env, r, name))) {
    env.fail(EINVAL, `kernel function args#${n} expected pointer to STRUCT ${name} but R${regno} has a pointer to STRUCT ${struct.name}`)
  }
  if (!release) return
  if (r.refObjId === 0) env.fail(EINVAL, 'release kernel function expects refcounted PTR_TO_BTF_ID')
  meta.refObjId = r.refObjId
}

/** btf_struct_ids_match(): a tcp_sock is a sock, by its first member. */
function beginsWith(env: Env, r: Reg, name: string): boolean {
  if (r.off !== 0) return false
  let t = env.vmlinux!.type(r.btfId)
  while (t.kind === KIND.STRUCT && t.members.length > 0 && t.members[0]!.bitOffset === 0) {
    t = env.vmlinux!.resolve(t.members[0]!.type)
    if (t.name === name) return true
  }
  return false
}

/** After the arguments: what was given away is gone. */
export function releaseGiven(env: Env, k: Kfunc, meta: Meta): void {
  if (meta.refObjId === 0 || !k.args.some(arg => arg.startsWith('release:'))) return
  if (!releaseReference(env, meta.refObjId)) env.fail(EINVAL, `kfunc ${k.name}#0 reference has not been acquired before`)
}
