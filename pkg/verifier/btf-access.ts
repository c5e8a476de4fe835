// Loads through pointers to kernel structs, by the kernel's BTF: check_ptr_to_btf_access(), btf_struct_access() (kernel/bpf/btf.c).
import { KIND } from '../btf/types.js'
import { EACCES } from '../uapi/errno.js'
import type { Env } from './env.js'
import type { Access } from './mem.js'
import { Reg, unknownScalar } from './reg.js'
import { ZERO } from './scalar.js'
import { objectAccess } from './graph.js'
import { checkStructWrite } from './struct-ops.js'
import { tnumText } from './log-state.js'
import * as T from './types.js'

export function btfAccess(env: Env, a: Access, r: Reg, off: number): void {
  const btf = r.btf!
  const name = btf.type(r.btfId).name
  if (off < 0) env.fail(EACCES, `R${a.regno} is ptr_${name} invalid negative access: off=${off}`)
  if (!r.num.isConst || r.num.value !== 0n) {
    env.fail(EACCES, `R${a.regno} is ptr_${name} invalid variable offset: off=${off}, var_off=${tnumText(r.num.t)}`)
  }
  if (r.type & T.MEM_PERCPU) env.fail(EACCES, `R${a.regno} is ptr_${name} access percpu memory: off=${off}`)
  if (r.type & T.MEM_ALLOC) return objectAccess(env, a, r, off)
  if (a.write) return checkStructWrite(env, r, off, a.size)
  const loaded = walk(env, r, off, a.size, name)
  env.aux[env.insn]!.probe = (r.type & (T.PTR_TRUSTED | T.MEM_ALLOC)) === 0
  if (a.value >= 0) env.setReg(a.value, loaded)
}

/** btf_struct_walk(): the member at an offset; pointers to structs stay pointers, but nobody vouches for them. */
function walk(env: Env, r: Reg, off: number, size: number, name: string): Reg {
  const btf = r.btf!
  let t = btf.resolve(r.btfId)
  let at = off
  const where = { member: '', moff: 0, owner: name }
  for (;;) {
    if (t.kind === KIND.ARRAY) {
      const each = btf.sizeof(t.element)!
      at %= each
      t = btf.resolve(t.element)
      continue
    }
    if (t.kind !== KIND.STRUCT && t.kind !== KIND.UNION) break
    if (at + size > t.size) env.fail(EACCES, `access beyond struct ${name} at off ${off} size ${size}`)
    const m = t.members.find(x => at >= x.bitOffset >> 3 && at < (x.bitOffset >> 3) + Math.max(1, btf.sizeof(x.type) ?? 0))
    if (m === undefined) env.fail(EACCES, `struct ${name} doesn't have field at offset ${off}`)
    Object.assign(where, { member: m.name, moff: off - at + (m.bitOffset >> 3), owner: t.name === '' ? '(anon)' : t.name })
    at -= m.bitOffset >> 3
    t = btf.resolve(m.type)
    if (m.bitSize !== 0) return unknownScalar
  }
  if (t.kind !== KIND.PTR) return unknownScalar
  if (size !== 8 || at !== 0) {
    env.fail(EACCES, `cannot access ptr member ${where.member} with moff ${where.moff} in struct ${where.owner} with off ${off} size ${size}`)
  }
  const target = btf.resolve(t.type)
  if (target.kind !== KIND.STRUCT) return unknownScalar
  const out = new Reg(T.PTR_TO_BTF_ID | T.PTR_UNTRUSTED, ZERO)
  out.btf = btf
  out.btfId = target.id
  return out
}
