// Calls of kernel functions: arguments and result by the row of helper/kfuncs.ts (check_kfunc_call(), check_kfunc_args(), kernel/bpf/verifier.c).
import * as A from '../helper/arg-types.js'
import { kfuncNamed, type Kfunc } from '../helper/kfuncs.js'
import { KIND } from '../btf/types.js'
import type { Insn } from '../insn/insn.js'
import { PROG_TYPE } from '../uapi/bpf.js'
import { EACCES, EINVAL } from '../uapi/errno.js'
import { dynptrArg, memAccess, newMeta, type Meta } from './call-args.js'
import { allowedMember, releaseGiven, structArg } from './call-kfunc-obj.js'
import { Refusal, type Env } from './env.js'
import { graphArg, graphEffects, graphResult } from './graph.js'
import { irqArg } from './irq.js'
import { iterArg, iterNext, iterRef } from './iter.js'
import { kfuncName } from './kfunc.js'
import { forkUnlocked, resLockArg } from './lock.js'
import { checkPtrOff, clearCallerSaved, clearPacketPointers, readReg } from './marks.js'
import { markChainPrecision } from './precision.js'
import { notInit, Reg, unknownScalar, zeroScalar } from './reg.js'
import { MAX_VAR_SIZ } from './limits.js'
import { ZERO } from './scalar.js'
import * as T from './types.js'

export function checkKfuncCall(env: Env, i: Insn): void {
  if (i.imm === 0) return env.missing('a call of no kernel function')
  const name = kfuncName(env, i.imm)!
  const k = kfuncNamed(name)
  if (k === undefined && name.startsWith('bpf_')) return env.missing(`kernel function ${name}`)
  if (k === undefined || (k.types !== undefined && !k.types.includes(env.type)) || !allowedMember(env, k)) env.fail(EACCES, `calling kernel function ${name} is not allowed`)
  env.kfuncs.add(name)
  if (k.mayFail) forkUnlocked(env)
  const meta = newMeta(NO_PROTO)
  for (let n = 0; n < k.args.length; n += k.args[n] === 'mem_opt' ? 2 : 1) checkArg(env, k, n, meta)
  releaseGiven(env, k, meta)
  graphEffects(env, k, meta)
  locks(env, k)
  const iter = k.iterNext ? iterRef(env) : undefined
  const constant = k.ret === 'cast' ? Number(env.regs[2]!.num.value) : 0
  clearCallerSaved(env)
  env.setReg(0, result(env, k, meta, constant, iter?.ref ?? 0))
  if (k.changesPktData) clearPacketPointers(env)
  if (iter !== undefined) iterNext(env, iter)
}

const NO_PROTO: Meta['proto'] = {
  id: 0, name: '', ret: 0, args: [], sizes: [], pkt: false, gpl: false, fastcall: false, sleeps: false, retBtf: undefined, argBtf: [],
}

function checkArg(env: Env, k: Kfunc, n: number, meta: Meta): void {
  const regno = n + 1
  const [what, detail] = k.args[n]!.split(':')
  env.scratchReg(regno)
  const r = env.regs[regno]!
  if (r.type === T.NOT_INIT && what === 'any') return
  if (r.type === T.NOT_INIT && what !== 'int' && what !== 'k') checkPtrOff(env, r, regno)
  switch (what) {
    case 'int': return scalarArg(env, r, regno)
    case 'type':
      scalarArg(env, r, regno)
      constantArg(env, r, regno)
      graphArg(env, k, n, r, what, meta)
      return
    case 'k':
      scalarArg(env, r, regno)
      return constantArg(env, r, regno)
    case 'ctx':
      // What has no packet as its context is given one.
      if (env.type === PROG_TYPE.STRUCT_OPS) return structArg(env, n, r, false, 'sk_buff', meta)
      if (r.type !== T.PTR_TO_CTX) env.fail(EINVAL, `arg#${n} expected pointer to ctx, but got ${T.typeName(r.type)}`)
      return
    case 'dynptr': case 'dynptr_new': return dynptr(env, r, n, detail, meta)
    case 'irq_save': case 'irq_restore': return irqArg(env, regno, what === 'irq_save')
    case 'irq_lock': case 'irq_unlock': return irqArg(env, regno, what === 'irq_lock', 'lock')
    case 'res_lock': case 'res_unlock': case 'res_lock_irq': case 'res_unlock_irq': return resLockArg(env, r, regno, what)
    case 'mem_opt': return optionalMemory(env, n, meta)
    case 'out': return memory(env, regno, Number(detail))
    case 'iter_new': case 'iter_next': case 'iter_destroy': return iterArg(env, regno, what)
    case 'btf': case 'release': return structArg(env, n, r, what === 'release', detail!, meta)
    default: if (graphArg(env, k, n, r, what!, meta)) return
  }
}

function scalarArg(env: Env, r: Reg, regno: number): void {
  if (r.type !== T.SCALAR_VALUE) env.fail(EINVAL, `R${regno} is not a scalar`)
}

function constantArg(env: Env, r: Reg, regno: number): void {
  if (!r.num.isConst) env.fail(EINVAL, `R${regno} must be a known constant`)
  markChainPrecision(env, regno)
}

const DYNPTR_FLAG: Readonly<Record<string, number>> = { skb: T.DYNPTR_TYPE_SKB, xdp: T.DYNPTR_TYPE_XDP }

function dynptr(env: Env, r: Reg, n: number, type: string | undefined, meta: Meta): void {
  if (r.type !== T.PTR_TO_STACK) env.fail(EINVAL, `arg#${n} expected pointer to stack or dynptr_ptr`)
  const made = type === undefined ? 0 : T.MEM_UNINIT | (type === 'clone' ? dynptrFlags[meta.dynptrType]! : DYNPTR_FLAG[type]!)
  dynptrArg(env, r, n + 1, A.ARG_PTR_TO_DYNPTR | made, meta)
}

/** KF_ARG_PTR_TO_MEM_SIZE with an optional buffer and a constant size. */
function optionalMemory(env: Env, n: number, meta: Meta): void {
  const [regno, sizeReg] = [n + 1, n + 2]
  const size = readReg(env, sizeReg)
  if (!env.regs[regno]!.isNull) {
    try {
      sized(env, regno, size, sizeReg)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      env.fail(error.errno, `arg#${n} arg#${n + 1} memory, len pair leads to invalid memory access`)
    }
  }
  constantArg(env, size, sizeReg)
  meta.memSize = Number(size.num.value)
}

function sized(env: Env, regno: number, size: Reg, sizeReg: number): void {
  if (size.type !== T.SCALAR_VALUE || size.num.smin < 0n) env.fail(EACCES, `R${sizeReg} min value is negative, either use unsigned or 'var &= const'`)
  if (size.num.umax >= BigInt(MAX_VAR_SIZ)) env.fail(EACCES, `R${sizeReg} unbounded memory access, use 'var &= const' or 'if (var < const)'`)
  memory(env, regno, Number(size.num.umax))
}

/** Read and written by the function. */
function memory(env: Env, regno: number, size: number): void {
  memAccess(env, regno, size, false, true, undefined)
  memAccess(env, regno, size, true, true, undefined)
}

function locks(env: Env, k: Kfunc): void {
  const st = env.state
  if (k.rcu === 'lock') {
    if (st.activeRcu) env.fail(EINVAL, `nested rcu read lock (kernel function ${k.name})`)
    st.activeRcu = true
  } else if (k.rcu === 'unlock') {
    if (!st.activeRcu) env.fail(EINVAL, `unmatched rcu read unlock (kernel function ${k.name})`)
    st.activeRcu = false
  } else if (k.preempt === 'disable') {
    st.activePreempt++
  } else if (k.preempt === 'enable') {
    if (st.activePreempt === 0) env.fail(EINVAL, `unmatched attempt to enable preemption (kernel function ${k.name})`)
    st.activePreempt--
  }
}

function result(env: Env, k: Kfunc, meta: Meta, constant: number, ref: number): Reg {
  const object = graphResult(env, k, meta)
  if (object !== undefined) return object
  switch (k.ret) {
    case 'int': return unknownScalar
    case 'zero': return zeroScalar
    case 'void': return notInit
    case 'slice': case 'slice_rdwr': return slice(env, k, meta)
    case 'kern_ctx': return kernCtx(env)
    case 'cast': return cast(env, constant)
    default: {
      const out = new Reg(T.PTR_TO_MEM | T.MEM_RDONLY | T.PTR_MAYBE_NULL, ZERO)
      out.memSize = Number(/\d+/.exec(k.ret)![0])
      out.id = env.newId()
      out.refObjId = ref
      return out
    }
  }
}

const WRITERS: readonly number[] = [PROG_TYPE.SCHED_CLS, PROG_TYPE.SCHED_ACT, PROG_TYPE.XDP, PROG_TYPE.LWT_XMIT, PROG_TYPE.SK_SKB]
const dynptrFlags = [0, T.DYNPTR_TYPE_LOCAL, T.DYNPTR_TYPE_RINGBUF, T.DYNPTR_TYPE_SKB, T.DYNPTR_TYPE_XDP, T.DYNPTR_TYPE_SKB_META] as const

function slice(env: Env, k: Kfunc, meta: Meta): Reg {
  const readOnly = k.ret === 'slice' ? T.MEM_RDONLY : 0
  if (readOnly === 0) {
    if (!WRITERS.includes(env.type)) env.fail(EINVAL, 'the prog does not allow writes to packet data')
    env.seenDirectWrite = true
  }
  const out = new Reg(T.PTR_TO_MEM | T.PTR_MAYBE_NULL | readOnly | dynptrFlags[meta.dynptrType]!, ZERO)
  out.memSize = meta.memSize
  out.dynptrId = meta.dynptrId
  out.id = env.newId()
  return out
}

function kernCtx(env: Env): Reg {
  const name = env.type === PROG_TYPE.XDP ? 'xdp_buff' : 'sk_buff'
  return struct(env, name, T.PTR_TO_BTF_ID | T.PTR_TRUSTED)
}

function struct(env: Env, name: string, type: number): Reg {
  const out = new Reg(type, ZERO)
  out.btf = env.vmlinux
  out.btfId = out.btf?.find(name, KIND.STRUCT)?.id ?? env.missing(`struct ${name} in the kernel's BTF`)
  return out
}

function cast(env: Env, id: number): Reg {
  const btf = env.vmlinux
  const t = btf === undefined || id >= btf.count ? undefined : btf.type(id)
  if (t?.kind !== KIND.STRUCT) env.fail(EINVAL, 'kfunc bpf_rdonly_cast type ID argument must be of a struct or void')
  return struct(env, t!.name, T.PTR_TO_BTF_ID | T.PTR_UNTRUSTED)
}
