// Helper calls: what the call does to the state, once its arguments are right (check_helper_call(), kernel/bpf/verifier.c).
import * as A from '../helper/arg-types.js'
import { mayCall } from '../helper/allowed.js'
import { allProtos, helperText, protoOf } from '../helper/protos.js'
import type { Insn } from '../insn/insn.js'
import { FUNC, MAP_F, MAP_TYPE } from '../uapi/bpf.js'
import { EACCES, EINVAL } from '../uapi/errno.js'
import { checkArg, newMeta, type Meta } from './call-args.js'
import { acquires, casts, mapFits } from './call-must.js'
import { changesPktData } from './cfg.js'
import { callbackOf } from './callback.js'
import { invalidateSlices, isDynptrSlot, unmarkDynptr } from './dynptr.js'
import type { Env } from './env.js'
import { checkResourceLeak, leaveFunction } from './exit.js'
import { kptrOf } from './kptr.js'
import { specialFields } from './map-record.js'
import { clearCallerSaved, clearPacketPointers } from './marks.js'
import { markChainPrecision } from './precision.js'
import { releaseReference } from './release.js'
import { notInit, Reg, scalar, unknownScalar, withNum } from './reg.js'
import { sync, UNKNOWN, ZERO, type Scalar } from './scalar.js'
import { frameOf, stackWrite, withinStack } from './stack.js'
import { checkTailCall, memberOf } from './struct-ops.js'
import { s64 } from './tnum.js'
import * as T from './types.js'

const MAX_FUNC = Math.max(...[...allProtos()].filter(p => p.id < 0x10000).map(p => p.id))

export function checkHelperCall(env: Env, i: Insn): void {
  const id = i.imm
  const name = `${helperText(id)}#${id}`
  if ((id < 0 || id > MAX_FUNC) && !mayCall(env.type, id)) env.fail(EINVAL, `invalid func ${name}`)
  if (!mayCall(env.type, id) && !memberOf(env)?.table.helpers.includes(id)) env.fail(EINVAL, `program of this type cannot use helper ${name}`)
  const proto = protoOf(id, env.type)
  if (proto === undefined) return env.missing(`helper ${name}`)
  if (proto.gpl && !env.gpl) env.fail(EINVAL, 'cannot call GPL-restricted function from non-GPL compatible program')
  if (proto.sleeps) env.fail(EINVAL, 'helper call might sleep in a non-sleepable prog')
  const meta = newMeta(proto)
  for (let n = 0; n < 5; n++) checkArg(env, n, meta)
  recordMap(env, meta)
  if (id === FUNC.tail_call) recordKey(env, meta)
  for (let at = 0; at < meta.raw.size; at++) touchRaw(env, meta, at)
  if (meta.releaseReg > 0) release(env, meta, name)
  const changes = changesPktData(id) && id !== FUNC.tail_call
  const branch = special(env, i, id, meta)
  if (branch !== undefined) return branch()
  clearCallerSaved(env)
  setResult(env, id, meta)
  checkMap(env, id, meta)
  if (changes) clearPacketPointers(env)
}

/** check_map_func_compatibility() */
function checkMap(env: Env, id: number, meta: Meta): void {
  if (meta.map !== undefined && !mapFits(meta.map.type, id)) {
    env.fail(EINVAL, `cannot pass map_type ${meta.map.type} into func ${helperText(id)}#${id}`)
  }
}

const CHANGES_MAP: ReadonlySet<number> = new Set([FUNC.map_update_elem, FUNC.map_delete_elem, FUNC.map_push_elem, FUNC.map_pop_elem])

/** record_func_map(): the one map that reaches this call. */
function recordMap(env: Env, meta: Meta): void {
  if (meta.map === undefined) return
  const readOnly = (meta.map.flags & MAP_F.RDONLY_PROG) !== 0 || meta.map.type === MAP_TYPE.DEVMAP || meta.map.type === MAP_TYPE.DEVMAP_HASH
  if (readOnly && CHANGES_MAP.has(meta.proto.id)) env.fail(EACCES, 'write into map forbidden')
  const aux = env.aux[env.insn]!
  if (aux.map === undefined) aux.map = meta.mapUid === 0 ? meta.map : null
  else if (aux.map !== meta.map) aux.map = null
}

/** record_func_key() of a tail call. */
function recordKey(env: Env, meta: Meta): void {
  if (meta.map?.type !== MAP_TYPE.PROG_ARRAY) {
    env.verbose('expected prog array map for tail call')
    throw env.refusal(EINVAL)
  }
  const r = env.regs[3]!
  const aux = env.aux[env.insn]!
  const value = r.isConst && r.num.value < BigInt(meta.map!.maxEntries) ? Number(r.num.value) : -1
  if (value >= 0) markChainPrecision(env, 3)
  aux.key = aux.key === undefined || aux.key === value ? value : -1
}

/** Bytes on the stack that the helper fills. */
function touchRaw(env: Env, meta: Meta, at: number): void {
  const r = env.regs[meta.raw.regno]!
  withinStack(env, meta.raw.regno, r.off + at, 1, true)
  stackWrite(env, undefined, meta.raw.regno, r.off + at, 1, -1)
}

function release(env: Env, meta: Meta, name: string): void {
  const r = env.regs[meta.releaseReg]!
  const arg = meta.proto.args[meta.releaseReg - 1]!
  if (T.baseType(arg) === A.ARG_PTR_TO_DYNPTR) return releaseDynptr(env, r)
  if (meta.refObjId !== 0) {
    if (releaseReference(env, meta.refObjId)) return
  } else if (r.isNull) return
  env.fail(EINVAL, `func ${name} reference has not been acquired before`)
}

function releaseDynptr(env: Env, r: Reg): void {
  const f = frameOf(env, r)
  const spi = (-(r.off + Number(s64(r.num.value))) - 1) >> 3
  const ref = f.stack[spi]!.reg!.refObjId
  for (const frame of env.state.frames) {
    frame.stack.forEach((slot, n) => {
      if (!isDynptrSlot(frame, n) || !slot.reg!.firstSlot || slot.reg!.refObjId !== ref) return
      invalidateSlices(env, slot.reg!.id)
      unmarkDynptr(env, frame, n)
    })
  }
  releaseReference(env, ref)
}

/** What single helpers ask for. An answer takes the place of the ordinary end of a call. */
function special(env: Env, i: Insn, id: number, meta: Meta): (() => void) | undefined {
  if (id === FUNC.tail_call) {
    checkTailCall(env)
    checkResourceLeak(env, true, 'tail_call')
    return env.state.curframe === 0 ? undefined : () => tailCall(env, meta)
  }
  if (id === FUNC.get_local_storage && !env.regs[2]!.isNull) {
    env.fail(EINVAL, 'get_local_storage() doesn\'t support non-zero flags')
  }
  if (id === FUNC.dynptr_from_mem && env.regs[1]!.type !== T.PTR_TO_MAP_VALUE) {
    env.fail(EACCES, `Unsupported reg type ${T.typeName(env.regs[1]!.type)} for bpf_dynptr_from_mem data`)
  }
  if (id === FUNC.dynptr_write && meta.dynptrType >= T.DYNPTR.SKB) invalidateSlices(env, meta.dynptrId)
  callbackOf(id)?.(env, i, meta)
  return undefined
}

/** From a function a tail call either fails, or ends the function with an unknown result and packet data anywhere. */
function tailCall(env: Env, meta: Meta): void {
  checkMap(env, FUNC.tail_call, meta)
  clearCallerSaved(env)
  env.pushState(env.insn + 1, env.insn)
  clearPacketPointers(env)
  env.setReg(0, unknownScalar)
  leaveFunction(env)
  env.insn--
}

const POSITIVE_OR_ERROR: ReadonlySet<number> = new Set([
  FUNC.get_stack, FUNC.get_task_stack, FUNC.probe_read_str, FUNC.probe_read_kernel_str, FUNC.probe_read_user_str,
])

function setResult(env: Env, id: number, meta: Meta): void {
  const r = result(env, id, meta)
  if (T.mayBeNull(r.type)) r.id = env.newId()
  if (id === FUNC.dynptr_data) r.dynptrId = meta.dynptrId
  if (casts(id) || id === FUNC.dynptr_data) r.refObjId = meta.refObjId
  else if (acquires(id, meta.map?.type)) r.id = r.refObjId = env.acquire(env.insn)
  env.setReg(0, r)
  if (POSITIVE_OR_ERROR.has(id)) env.setReg(0, refined(r, meta.maxSize))
  if (id === FUNC.get_smp_processor_id && env.input.cpus !== undefined) env.setReg(0, scalar(upTo(env.input.cpus - 1)))
}

function upTo(max: number): Scalar {
  const num = UNKNOWN.copy()
  num.umax = num.smax = BigInt(max)
  num.smin = 0n
  num.u32max = num.s32max = max
  num.s32min = 0
  return sync(num)
}

/** do_refine_retval_range(): at most the size that was asked for, or an error. */
function refined(r: Reg, max: bigint): Reg {
  const num = UNKNOWN.copy()
  num.smax = max
  num.s32max = Number(BigInt.asIntN(32, max))
  num.smin = -4095n
  num.s32min = -4095
  return withNum(r, sync(num))
}

/** The kind of result, by RET_*. */
function result(env: Env, id: number, meta: Meta): Reg {
  const { ret } = meta.proto
  const flag = T.typeFlag(ret)
  switch (T.baseType(ret)) {
    case A.RET_INTEGER: return unknownScalar.copy()
    case A.RET_VOID: return notInit.copy()
    case A.RET_PTR_TO_MAP_VALUE: return mapValue(env, id, meta, flag)
    case A.RET_PTR_TO_SOCKET: return new Reg(T.PTR_TO_SOCKET | flag, ZERO)
    case A.RET_PTR_TO_SOCK_COMMON: return new Reg(T.PTR_TO_SOCK_COMMON | flag, ZERO)
    case A.RET_PTR_TO_TCP_SOCK: return new Reg(T.PTR_TO_TCP_SOCK | flag, ZERO)
    case A.RET_PTR_TO_MEM: {
      const r = new Reg(T.PTR_TO_MEM | flag, ZERO)
      r.memSize = meta.memSize
      return r
    }
    case A.RET_PTR_TO_SKB: return new Reg(T.PTR_TO_SKB | flag, ZERO)
    case A.RET_PTR_TO_BTF_ID: return btfResult(env, meta, flag)
    default: return env.missing(`the result of ${helperText(id)}`)
  }
}

const LOCKS: readonly string[] = ['bpf_spin_lock', 'bpf_res_spin_lock']

function mapValue(env: Env, id: number, meta: Meta, flag: number): Reg {
  const map = meta.map!
  const inRange = id === FUNC.map_lookup_elem && meta.constKey >= 0 && meta.constKey < map.maxEntries
  const r = new Reg(T.PTR_TO_MAP_VALUE | (inRange ? flag & ~T.PTR_MAYBE_NULL : flag), ZERO)
  r.map = map
  r.mapUid = meta.mapUid
  if (!T.mayBeNull(r.type) && specialFields(env, map).some(f => LOCKS.includes(f.name))) r.id = env.newId()
  return r
}

function btfResult(env: Env, meta: Meta, flag: number): Reg {
  const kptr = kptrOf(meta)
  if (kptr !== undefined) {
    const out = new Reg(T.PTR_TO_BTF_ID | flag | (kptr.kernel ? 0 : T.MEM_ALLOC), ZERO)
    out.btf = kptr.btf
    out.btfId = kptr.id
    return out
  }
  const r = new Reg(T.PTR_TO_BTF_ID | flag, ZERO)
  r.btf = env.vmlinux
  r.btfId = r.btf?.find(meta.proto.retBtf ?? '', 4)?.id ?? env.missing(`struct ${meta.proto.retBtf} in the kernel's BTF`)
  return r
}
