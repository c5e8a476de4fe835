// bpf_kptr_xchg: a pointer that is held goes into a field of a map value, and what was there comes out (process_kptr_func(),
// map_kptr_match_type(), kernel/bpf/verifier.c).
import type { Btf } from '../btf/btf.js'
import { KIND } from '../btf/types.js'
import { EACCES, EINVAL } from '../uapi/errno.js'
import type { Meta } from './call-args.js'
import type { Env } from './env.js'
import type { Reg } from './reg.js'
import { s64 } from './tnum.js'
import * as T from './types.js'

/** What a kptr field points at: a struct of the kernel, or one of the program's own. */
export interface Kptr {
  readonly btf: Btf
  readonly id: number
  readonly kernel: boolean
  readonly referenced: boolean
}

const fields = new WeakMap<Meta, Kptr>()

export const kptrOf = (meta: Meta): Kptr | undefined => fields.get(meta)

/** Of the first argument: the field that it points to. */
export function kptrDest(env: Env, r: Reg, regno: number, meta: Meta): void {
  if (!r.num.isConst) env.fail(EINVAL, `R${regno} doesn't have constant offset. kptr has to be at the constant offset`)
  const off = r.off + Number(s64(r.num.value))
  const field = r.type === T.PTR_TO_MAP_VALUE ? mapField(env, r, off) : kptrAt(env, r.btf!, r.btfId, off)
  if (field === undefined) return env.fail(EACCES, `off=${off} doesn't point to kptr`)
  if (!field.referenced) env.fail(EACCES, `off=${off} kptr isn't referenced kptr`)
  fields.set(meta, field)
}

function mapField(env: Env, r: Reg, off: number): Kptr | undefined {
  const map = r.map!
  const btf = map.btfValueTypeId === 0 ? undefined : env.btfOf(map.btfId)
  if (btf === undefined) return env.fail(EINVAL, `map '${map.name}' has no valid kptr`)
  return kptrAt(env, btf, map.btfValueTypeId, off)
}

/** The kptr field at an offset of a type. */
export function kptrAt(env: Env, btf: Btf, id: number, off: number): Kptr | undefined {
  const t = btf.resolve(id)
  if (t.kind === KIND.PTR) return off === 0 ? pointee(env, btf, t.type) : undefined
  if (t.kind === KIND.ARRAY) {
    const size = btf.sizeof(t.element) ?? 0
    return size === 0 || off >= size * t.count ? undefined : kptrAt(env, btf, t.element, off % size)
  }
  if (t.kind === KIND.DATASEC) {
    const v = t.vars.find(one => off >= one.offset && off < one.offset + one.size)
    return v === undefined ? undefined : kptrAt(env, btf, v.type, off - v.offset)
  }
  if (t.kind === KIND.VAR) return kptrAt(env, btf, t.type, off)
  if (t.kind !== KIND.STRUCT && t.kind !== KIND.UNION) return undefined
  const m = t.members.find(one => off >= one.bitOffset >> 3 && off < (one.bitOffset >> 3) + (btf.sizeof(one.type) ?? 0))
  return m === undefined ? undefined : kptrAt(env, btf, m.type, off - (m.bitOffset >> 3))
}

function pointee(env: Env, btf: Btf, id: number): Kptr | undefined {
  const tag = btf.type(id)
  if (tag.kind !== KIND.TYPE_TAG || !['kptr', 'kptr_untrusted'].includes(tag.name)) return undefined
  const struct = btf.resolve(tag.type)
  const kernel = env.vmlinux?.find(struct.name, KIND.STRUCT)
  const referenced = tag.name === 'kptr'
  return kernel ? { btf: env.vmlinux!, id: kernel.id, kernel: true, referenced } : { btf, id: struct.id, kernel: false, referenced }
}

/** Of the second argument: a pointer to what the field holds. */
export function kptrSource(env: Env, r: Reg, regno: number, meta: Meta): void {
  const field = fields.get(meta)
  if (field === undefined) return
  if (T.baseType(r.type) === T.PTR_TO_BTF_ID && r.btf === field.btf && r.btfId === field.id && r.off === 0) return
  const found = `${T.typeName(r.type)}${r.btf?.type(r.btfId).name ?? ''}`
  env.fail(EACCES, `invalid kptr access, R${regno} type=${found} expected=ptr_${field.btf.type(field.id).name}`)
}
