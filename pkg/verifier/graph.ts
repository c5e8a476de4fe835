// Objects that programs allocate and the lists they hang in: arguments and results of their kernel functions (process_kf_arg_ptr_to_list_head(),
// process_kf_arg_ptr_to_list_node(), check_reg_allocation_locked(), ref_convert_owning_non_owning(), kernel/bpf/verifier.c).
import type { Btf } from '../btf/btf.js'
import { KIND, type BtfType } from '../btf/types.js'
import type { Kfunc } from '../helper/kfuncs.js'
import { movK } from '../skb/ctx-types.js'
import type { Insn } from '../insn/insn.js'
import { EACCES, EINVAL } from '../uapi/errno.js'
import type { Meta } from './call-args.js'
import type { Env } from './env.js'
import { recordOf } from './map-record.js'
import type { Access } from './mem.js'
import { invalid } from './marks.js'
import { Reg, unknownScalar } from './reg.js'
import { releaseReference } from './release.js'
import { ZERO } from './scalar.js'
import { s64 } from './tnum.js'
import * as T from './types.js'

/** What hangs in a list, by the `contains:STRUCT:NODE` tag of its head. */
interface Root {
  readonly btf: Btf
  readonly typeId: number
  readonly nodeOff: number
}

interface Graph {
  root?: Root
  /** Of an allocation, or of a given object: its type. */
  typeId?: number
  /** Reference that a list takes over. */
  inserted?: number
}

const graphs = new WeakMap<Meta, Graph>()
const graphOf = (meta: Meta): Graph => {
  let graph = graphs.get(meta)
  if (graph === undefined) graphs.set(meta, (graph = {}))
  return graph
}

/** Instructions in front of a call: what the kernel function needs to know of types. */
const prefixes = new WeakMap<Env, Map<number, readonly Insn[]>>()
export const kfuncPrefix = (env: Env, n: number): readonly Insn[] => prefixes.get(env)?.get(n) ?? []

function setPrefix(env: Env, list: readonly Insn[]): void {
  const all = prefixes.get(env) ?? new Map<number, readonly Insn[]>()
  prefixes.set(env, all.set(env.insn, list))
}

/** kfunc_spin_allowed(): what may be called under a lock. */
export const UNDER_LOCK: ReadonlySet<string> = new Set([
  'bpf_list_push_front_impl', 'bpf_list_push_back_impl', 'bpf_list_pop_front', 'bpf_list_pop_back', 'bpf_list_front', 'bpf_list_back',
  'bpf_iter_num_new', 'bpf_iter_num_next', 'bpf_iter_num_destroy',
  'bpf_res_spin_lock', 'bpf_res_spin_unlock', 'bpf_res_spin_lock_irqsave', 'bpf_res_spin_unlock_irqrestore',
])

export function graphArg(env: Env, k: Kfunc, n: number, r: Reg, what: string, meta: Meta): boolean {
  switch (what) {
    case 'type': return typeArg(env, r, meta)
    case 'obj': return objectArg(env, k, n, r, meta)
    case 'list_head': return headArg(env, n, r, meta)
    case 'list_node': return nodeArg(env, n, r, meta)
    default: return false
  }
}

/** The first argument of bpf_obj_new: a struct of the program's own. */
function typeArg(env: Env, r: Reg, meta: Meta): boolean {
  const id = Number(r.num.value)
  const btf = env.input.btf
  if (btf === undefined) return env.fail(EINVAL, 'bpf_obj_new/bpf_percpu_obj_new requires prog BTF')
  const t = id > 0 && id < btf.count ? btf.type(id) : undefined
  if (t?.kind !== KIND.STRUCT) return env.fail(EINVAL, 'bpf_obj_new/bpf_percpu_obj_new type ID argument must be of a struct')
  graphOf(meta).typeId = id
  setPrefix(env, [movK(1, t.size), movK(2, env.prog.btfId ?? 0), movK(3, id)])
  return true
}

const isAllocated = (r: Reg): boolean => T.baseType(r.type) === T.PTR_TO_BTF_ID && (r.type & T.MEM_ALLOC) !== 0 && !T.mayBeNull(r.type)

function objectArg(env: Env, k: Kfunc, n: number, r: Reg, meta: Meta): boolean {
  const owned = isAllocated(r) && (r.type & T.NON_OWN_REF) === 0
  if (!isAllocated(r)) env.fail(EINVAL, `arg#${n} expected pointer to allocated object`)
  if (k.name === 'bpf_obj_drop_impl') {
    if (!owned || r.refObjId === 0) env.fail(EINVAL, 'allocated object must be referenced')
    meta.refObjId = r.refObjId
    if (r.off !== 0) env.fail(EINVAL, `R${n + 1} must have zero offset when passed to release func or trusted arg to kfunc`)
  } else if (!recordOf(r.btf!, r.btfId).some(f => f.name === 'bpf_refcount')) {
    env.fail(EINVAL, `arg#${n} doesn't point to a type with bpf_refcount field`)
  }
  graphOf(meta).typeId = r.btfId
  return true
}

function headArg(env: Env, n: number, r: Reg, meta: Meta): boolean {
  if (r.type !== T.PTR_TO_MAP_VALUE && !isAllocated(r)) env.fail(EINVAL, `arg#${n} expected pointer to map value or allocated object`)
  if (r.type !== T.PTR_TO_MAP_VALUE) return env.missing('lists in allocated objects')
  const off = constantOffset(env, n, r, 'bpf_list_head')
  const map = r.map!
  const btf = map.btfValueTypeId === 0 ? undefined : env.btfOf(map.btfId)
  const root = btf && rootAt(btf, map.btfValueTypeId, off)
  if (root === undefined) return env.fail(EINVAL, `bpf_list_head not found at offset=${off}`)
  locked(env, r, recordOf(btf!, map.btfValueTypeId).find(f => f.name === 'bpf_spin_lock')?.off ?? 0)
  graphOf(meta).root = root
  return true
}

function constantOffset(env: Env, n: number, r: Reg, name: string): number {
  if (!r.num.isConst) env.fail(EINVAL, `R${n + 1} doesn't have constant offset. ${name} has to be at the constant offset`)
  return r.off + Number(s64(r.num.value))
}

/** check_reg_allocation_locked() */
function locked(env: Env, r: Reg, lockOff: number): void {
  const st = env.state
  const held = st.activeLocks > 0
  if (held && st.activeLockPtr === r.map && st.activeLockId === r.id) return
  if (held) env.verbose('held lock and object are not in the same allocation\n')
  env.fail(EINVAL, `bpf_spin_lock at off=${lockOff} must be held for bpf_list_head`)
}

/** Follows a type to the list head at an offset and reads its tag. */
function rootAt(btf: Btf, id: number, off: number, owner?: { id: number, component: number }): Root | undefined {
  const t = btf.resolve(id)
  if (t.kind === KIND.STRUCT && t.name === 'bpf_list_head') return off === 0 && owner ? containedIn(btf, owner) : undefined
  if (t.kind === KIND.DATASEC) {
    const v = t.vars.find(one => off >= one.offset && off < one.offset + one.size)
    return v && rootAt(btf, v.type, off - v.offset)
  }
  if (t.kind === KIND.VAR) return rootAt(btf, t.type, off, { id: t.id, component: -1 })
  if (t.kind === KIND.ARRAY) {
    const size = btf.sizeof(t.element) ?? 0
    return size === 0 || off >= size * t.count ? undefined : rootAt(btf, t.element, off % size, owner)
  }
  if (t.kind !== KIND.STRUCT && t.kind !== KIND.UNION) return undefined
  const index = t.members.findIndex(m => off >= m.bitOffset >> 3 && off < (m.bitOffset >> 3) + (btf.sizeof(m.type) ?? 0))
  const m = t.members[index]
  return m && rootAt(btf, m.type, off - (m.bitOffset >> 3), { id: t.id, component: index })
}

function containedIn(btf: Btf, owner: { id: number, component: number }): Root | undefined {
  const isTag = (t: BtfType): boolean =>
    t.kind === KIND.DECL_TAG && t.type === owner.id && t.component === owner.component && t.name.startsWith('contains:')
  const tag = btf.types.find(isTag)
  const [, struct = '', node = ''] = tag?.name.split(':') ?? []
  const found = btf.find(struct, KIND.STRUCT)
  const member = found && btf.member(found.id, node)
  return found && member ? { btf, typeId: found.id, nodeOff: member.bitOffset >> 3 } : undefined
}

function nodeArg(env: Env, n: number, r: Reg, meta: Meta): boolean {
  const { root } = graphOf(meta)
  if (!isAllocated(r) || r.type & T.NON_OWN_REF) env.fail(EINVAL, `arg#${n} expected pointer to allocated object`)
  if (r.refObjId === 0) env.fail(EINVAL, 'allocated object must be referenced')
  const off = constantOffset(env, n, r, 'bpf_list_node')
  const own = r.btf!.type(r.btfId).name
  if (!recordOf(r.btf!, r.btfId).some(f => f.name === 'bpf_list_node' && f.off === off)) env.fail(EINVAL, `bpf_list_node not found at offset=${off}`)
  const want = root!.btf.type(root!.typeId).name
  if (own === want && off !== root!.nodeOff) {
    env.fail(EINVAL, `arg#1 offset=${off}, but expected bpf_list_node at offset=${root!.nodeOff} in struct ${want}`)
  }
  if (own !== want) {
    env.fail(EINVAL, `operation on bpf_list_head expects arg#1 bpf_list_node at offset=${root!.nodeOff} in struct ${want}, but arg is at offset=${off} in struct ${own}`)
  }
  graphOf(meta).inserted = r.refObjId
  setPrefix(env, [movK(4, off)])
  return true
}

/** Behind the arguments: an object that is dropped is gone, one in a list is no longer owned. */
export function graphEffects(env: Env, k: Kfunc, meta: Meta): void {
  const graph = graphs.get(meta)
  if (graph === undefined) return
  if (k.name === 'bpf_obj_drop_impl') releaseReference(env, meta.refObjId)
  const { inserted } = graph
  if (inserted === undefined) return
  env.state.refs = env.state.refs.filter(ref => ref.kind !== 'ptr' || ref.id !== inserted)
  env.state.mapRegs(r => {
    if (r.refObjId !== inserted) return r
    const out = r.copy()
    out.type |= T.NON_OWN_REF
    out.refObjId = 0
    return out
  })
  env.scratchAll()
}

/** Unlocking: what hangs in a list may be gone now. */
export function invalidateNonOwning(env: Env): void {
  env.state.mapRegs(r => ((r.type & T.NON_OWN_REF) !== 0 && T.baseType(r.type) === T.PTR_TO_BTF_ID ? invalid : r))
  env.scratchAll()
}

export function graphResult(env: Env, k: Kfunc, meta: Meta): Reg | undefined {
  const graph = graphOf(meta)
  switch (k.ret) {
    case 'obj': return object(env, env.input.btf!, graph.typeId!, 0, true)
    case 'node': return object(env, graph.root!.btf, graph.root!.typeId, graph.root!.nodeOff, true)
    case 'node_held': return object(env, graph.root!.btf, graph.root!.typeId, graph.root!.nodeOff, false)
    default: return undefined
  }
}

function object(env: Env, btf: Btf, typeId: number, off: number, owned: boolean): Reg {
  const r = new Reg(T.PTR_TO_BTF_ID | T.MEM_ALLOC | T.PTR_MAYBE_NULL | (owned ? 0 : T.NON_OWN_REF), ZERO)
  r.btf = env.input.btf?.type(typeId).name === btf.type(typeId).name ? env.input.btf : btf
  r.btfId = typeId
  r.off = off
  if (owned) r.id = r.refObjId = env.acquire(env.insn)
  else r.id = env.newId()
  return r
}

/** Loads and stores in an object, around the parts that are the kernel's: numbers only. */
export function objectAccess(env: Env, a: Access, r: Reg, off: number): void {
  const t = r.btf!.type(r.btfId)
  const size = r.btf!.sizeof(r.btfId) ?? 0
  if (off + a.size > size) env.fail(EACCES, `access beyond struct ${t.name} at off ${off} size ${a.size}`)
  const field = recordOf(r.btf!, r.btfId).find(f => off < f.off + f.size && f.off < off + a.size)
  if (field !== undefined) env.fail(EACCES, `direct access to ${field.name} is disallowed`)
  if (!a.write && a.value >= 0) env.setReg(a.value, unknownScalar)
}
