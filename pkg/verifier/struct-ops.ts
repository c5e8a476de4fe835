// Programs that are members of a struct_ops table: what they are attached to, their typed arguments, what they may write and return
// (check_struct_ops_btf_id(), btf_ctx_access(), the btf_struct_access of the kinds; kernel/bpf/verifier.c, btf.c).
import type { Btf } from '../btf/btf.js'
import { isEnum, KIND, KIND_NAME, LINKAGE, type BtfFuncProto } from '../btf/types.js'
import { tableProgs, type TableProgs, type Writable } from '../helper/struct-ops.js'
import { EACCES, EINVAL, ENOTSUPP } from '../uapi/errno.js'
import { printLine, readFuncs } from './btf-info.js'
import { isGpl, type Env } from './env.js'
import type { Access } from './mem.js'
import { Reg, unknownScalar } from './reg.js'
import { ZERO } from './scalar.js'
import * as T from './types.js'

/** MAX_BPF_FUNC_ARGS */
const MAX_ARGS = 12

/** The member that a program is. */
export interface Member {
  readonly table: TableProgs
  readonly name: string
  readonly proto: BtfFuncProto
}

const members = new WeakMap<Env, Member>()
/** Reference ids of __ref arguments, by argument. */
const references = new WeakMap<Env, Map<number, number>>()

export const memberOf = (env: Env): Member | undefined => members.get(env)

/** check_struct_ops_btf_id() */
export function checkMember(env: Env): void {
  const { attachBtfId = 0, expectedAttachType: index = 0, license } = env.prog
  if (!isGpl(license)) env.fail(EINVAL, 'struct ops programs must have a GPL compatible license')
  if (attachBtfId === 0) throw env.refusal(ENOTSUPP)
  const btf = env.vmlinux!
  const struct = attachBtfId < btf.count ? btf.type(attachBtfId) : undefined
  const table = struct?.kind === KIND.STRUCT ? tableProgs(struct.name) : undefined
  if (struct?.kind !== KIND.STRUCT || !table) return env.fail(ENOTSUPP, `attach_btf_id ${attachBtfId} is not a supported struct`)
  const member = struct.members[index]
  if (!member) return env.fail(EINVAL, `attach to invalid member idx ${index} of struct ${struct.name}`)
  const proto = callbackType(btf, member.type)
  if (!proto) return env.fail(EINVAL, `attach to invalid member ${member.name}(@idx ${index}) of struct ${struct.name}`)
  const allowed = table.members ? table.members.includes(member.name) : !table.refused.includes(member.name)
  if (!allowed) env.fail(ENOTSUPP, `attach to unsupported member ${member.name} of struct ${struct.name}`)
  members.set(env, { table, name: member.name, proto })
}

function callbackType(btf: Btf, id: number): BtfFuncProto | undefined {
  const pointer = btf.resolve(id)
  const proto = pointer.kind === KIND.PTR ? btf.resolve(pointer.type) : pointer
  return proto.kind === KIND.FUNC_PROTO ? proto : undefined
}

/** At the start of a walk: arguments that are references are held from instruction 0. */
export function acquireArgs(env: Env): void {
  const member = members.get(env)
  if (member) sayResult(env)
  const held = new Map<number, number>()
  for (const arg of member?.table.refs[member.name] ?? []) held.set(arg, env.acquire(0))
  references.set(env, held)
}

/** btf_prepare_func_args() of the program itself, whose answer nobody heeds. */
function sayResult(env: Env): void {
  const { btf } = env.input
  const info = env.prog.funcInfo === undefined ? undefined : readFuncs(env.prog.funcInfo)[0]
  const func = info && btf && info.typeId < btf.count ? btf.type(info.typeId) : undefined
  if (func?.kind !== KIND.FUNC || func.linkage !== LINKAGE.GLOBAL) return
  const proto = btf!.resolve(func.type)
  const ret = proto.kind === KIND.FUNC_PROTO ? btf!.resolve(proto.ret) : undefined
  if (ret === undefined || ret.kind === KIND.INT || isEnum(ret)) return
  env.verbose(`Global function ${func.name}() doesn't return scalar. Only those are supported.\n`)
}

/** A program that is given a reference can't hand over to another one. */
export function checkTailCall(env: Env): void {
  if ((references.get(env)?.size ?? 0) > 0) env.fail(EINVAL, 'program with __ref argument cannot tail call')
}

/** btf_ctx_access() behind the checks of the kind. */
export function argumentAccess(env: Env, a: Access, off: number): void {
  const r = a.write || off < 0 || off >= MAX_ARGS * 8 || off % a.size !== 0 ? undefined : argument(env, a, off)
  if (r === undefined) {
    env.verbose(`invalid bpf_context access off=${off} size=${a.size}\n`)
    printLine(env, env.insn, '; ')
    throw env.refusal(EACCES)
  }
  if (a.value >= 0) env.setReg(a.value, r)
}

function argument(env: Env, a: Access, off: number): Reg | undefined {
  const member = members.get(env)!
  const btf = env.vmlinux!
  const index = off >> 3
  if (off % 8 !== 0) return said(env, `func '${member.name}' offset ${off} is not multiple of 8`)
  const param = member.proto.params[index]
  if (param === undefined) return said(env, `func '${member.name}' doesn't have ${index + 1}-th argument`)
  const named = member.table.argTypes[member.name]?.[index]
  if (named !== undefined) return pointer(env, btf.find(named, KIND.STRUCT)!.id)
  const t = btf.resolve(param.type)
  if (t.kind === KIND.INT || t.kind === KIND.ENUM || t.kind === KIND.ENUM64) return unknownScalar
  if (t.kind !== KIND.PTR) {
    return said(env, `func '${member.name}' arg${index} '${t.name}' has type ${KIND_NAME[t.kind]}. Only pointer access is allowed`)
  }
  if (a.size !== 8) return said(env, `func '${member.name}' size ${a.size} must be 8`)
  const held = reference(env, member, index, off)
  const target = btf.resolve(t.type)
  if (target.kind === KIND.UNKN || target.kind === KIND.FUNC_PROTO || target.kind === KIND.INT || target.kind === KIND.ENUM) return unknownScalar
  if (target.kind !== KIND.STRUCT && target.kind !== KIND.FWD && target.kind !== KIND.UNION) {
    return said(env, `func '${member.name}' arg${index} type ${KIND_NAME[target.kind]} is not a struct`)
  }
  env.verbose(`func '${member.name}' arg${index} has btf_id ${target.id} type ${KIND_NAME[target.kind]} '${target.name}'\n`)
  const promoted = member.table.promote[target.name]
  const r = pointer(env, promoted === undefined ? target.id : btf.find(promoted, KIND.STRUCT)!.id)
  r.refObjId = held
  return r
}

/** Id of the reference that an argument is; 0: it is none. */
function reference(env: Env, member: Member, index: number, off: number): number {
  const id = references.get(env)?.get(index)
  if (!member.table.refs[member.name]?.includes(index)) return 0
  if (id === undefined || env.state.curframe > 0 || !env.state.refs.some(r => r.id === id)) {
    env.fail(EACCES, `invalid bpf_context access off=${off}. Reference may already be released`)
  }
  return id
}

function said(env: Env, text: string): undefined {
  env.verbose(`${text}\n`)
  return undefined
}

function pointer(env: Env, id: number): Reg {
  const r = new Reg(T.PTR_TO_BTF_ID | T.PTR_TRUSTED, ZERO)
  r.btf = env.vmlinux
  r.btfId = id
  return r
}

/** btf_struct_access of the kind, for stores. */
export function checkStructWrite(env: Env, r: Reg, off: number, size: number): void {
  const member = members.get(env)
  if (member === undefined) return env.fail(EACCES, 'only read is supported')
  const struct = r.btf!.type(r.btfId).name
  const place = member.table.writable
    .filter(row => reaches(env.vmlinux!, struct, row.struct))
    .map(row => ({ row, ...placeOf(env.vmlinux!, row) }))
    .find(p => off >= p.at && off < p.at + p.size)
  if (place === undefined) return env.fail(EACCES, member.table.refuseWrite(struct, off))
  if (off + size <= place.at + place.size) return
  env.fail(EACCES, `write access at off ${off} with size ${size} beyond the member of ${struct} ended at ${place.at + place.size}`)
}

/** tcp_sock begins with inet_connection_sock, and that with sock. */
const CHAIN = ['tcp_sock', 'inet_connection_sock', 'inet_sock', 'sock']
function reaches(_: Btf, struct: string, wanted: string): boolean {
  return struct === wanted || (CHAIN.includes(struct) && CHAIN.indexOf(wanted) > CHAIN.indexOf(struct))
}

function placeOf(btf: Btf, { struct, member, size }: Writable): { at: number; size: number } {
  const [path, extra] = member.split('+') as [string, string?]
  let id = btf.find(struct, KIND.STRUCT)!.id
  let at = 0
  let whole = 0
  for (const name of path.split('.')) {
    const found = btf.member(id, name)
    if (!found) return { at: 0, size: 0 }
    at += found.bitOffset >> 3
    id = found.member.type
    whole = found.member.bitSize === 0 ? btf.sizeof(id) ?? 0 : 1
  }
  return { at: at + Number(extra ?? 0), size: size ?? whole }
}

/** The end of a program that returns nothing, or the reference it returns to the kernel: check_return_code() asks no more. */
export function returnsPointer(env: Env): boolean {
  const { proto } = members.get(env)!
  if (proto.ret === 0) return true
  const r = env.regs[0]!
  const wanted = returnedStruct(env)
  if (wanted === 0 || r.refObjId === 0 || T.baseType(r.type) !== T.PTR_TO_BTF_ID || r.btf !== env.vmlinux || r.btfId !== wanted) return false
  if (T.mayBeNull(r.type) || r.type & T.MEM_ALLOC) return false
  if (r.off === 0) return true
  return env.fail(EINVAL, `dereference of modified ${T.typeName(r.type)} ptr R0 off=${r.off} disallowed`)
}

/** A pointer that is none is NULL; numbers are free. */
export const returnRangeOf = (env: Env): { min: number, max: number } | undefined => (returnedStruct(env) === 0 ? undefined : { min: 0, max: 0 })

function returnedStruct(env: Env): number {
  const ret = env.vmlinux!.resolve(members.get(env)!.proto.ret)
  return ret.kind === KIND.PTR ? env.vmlinux!.resolve(ret.type).id : 0
}
