// Calls inside of the program: static functions are walked in a frame of their own, global ones by what their prototype promises
// (check_func_call(), btf_check_subprog_call(), btf_prepare_func_args(), kernel/bpf/verifier.c, btf.c).
import { isComposite, isEnum, KIND, type BtfFuncProto } from '../btf/types.js'
import type { Btf } from '../btf/btf.js'
import type { Insn } from '../insn/insn.js'
import * as A from '../helper/arg-types.js'
import { PROG_TYPE } from '../uapi/bpf.js'
import { E2BIG, EINVAL } from '../uapi/errno.js'
import { readFuncs } from './btf-info.js'
import { checkOffset, memAccess } from './call-args.js'
import { framePointer } from './callback.js'
import { Refusal, type Env, type SubArg, type Subprog } from './env.js'
import { MAX_CALL_FRAMES } from './limits.js'
import { printState } from './log-state.js'
import { clearCallerSaved, clearPacketPointers, readReg } from './marks.js'
import { unknownScalar } from './reg.js'
import { Frame } from './state.js'
import * as T from './types.js'

export function checkSubprogCall(env: Env, i: Insn): void {
  const n = env.subprogOf.get(env.insn + i.imm + 1)!
  const sub = env.subprogs[n]!
  if (sub.global) return callGlobal(env, n, sub)
  const frames = env.state.frames
  if (frames.length >= MAX_CALL_FRAMES) env.fail(E2BIG, `the call stack of ${frames.length + 1} frames is too deep`)
  const caller = env.frame
  const callee = new Frame(env.insn, frames.length, n)
  for (let r = 1; r <= 5; r++) callee.regs[r] = caller.regs[r]!
  callee.regs[10] = framePointer(frames.length)
  clearCallerSaved(env)
  frames.push(callee)
  env.insn = sub.start - 1
  if (env.level & 3) {
    env.verbose('caller:\n')
    printState(env, env.state, caller.frameno, true)
    env.verbose('callee:\n')
    printState(env, env.state, env.state.curframe, true)
  }
  env.scratchAll()
}

function callGlobal(env: Env, n: number, sub: Subprog): void {
  if (env.state.activeLocks > 0) {
    env.fail(EINVAL, 'global function calls are not allowed while holding a lock,\nuse static function instead')
  }
  try {
    subprogArgs(env, n).forEach((arg, k) => checkCallArg(env, arg, k))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    env.fail(EINVAL, `Caller passes invalid args into func#${n} ('${sub.name}')`)
  }
  if (env.level & 3) env.verbose(`Func#${n} ('${sub.name}') is global and assumed valid.\n`)
  if (sub.changesPktData) clearPacketPointers(env)
  sub.called = true
  clearCallerSaved(env)
  env.setReg(0, unknownScalar)
}

/** btf_check_func_arg_match() for one argument. */
function checkCallArg(env: Env, arg: SubArg, k: number): void {
  const regno = k + 1
  const r = env.regs[regno]!
  if (arg.type === A.ARG_ANYTHING) {
    if (r.type !== T.SCALAR_VALUE) env.fail(EINVAL, `R${regno} is not a scalar`)
  } else if (arg.type === A.ARG_PTR_TO_CTX) {
    checkOffset(env, r, regno, 0)
    if (r.type !== T.PTR_TO_CTX) env.fail(EINVAL, `arg#${k} expects pointer to ctx`)
  } else {
    readReg(env, regno)
    checkOffset(env, r, regno, 0)
    checkMemReg(env, regno, arg.memSize)
    if (!(arg.type & T.PTR_MAYBE_NULL) && T.mayBeNull(r.type)) env.fail(EINVAL, `arg#${k} is expected to be non-NULL`)
  }
}

/** check_mem_reg(): readable and writable, NULL or not. */
function checkMemReg(env: Env, regno: number, size: number): void {
  const r = env.regs[regno]!
  if (r.isNull) return
  const saved = r
  if (T.mayBeNull(r.type)) {
    const plain = r.copy()
    plain.type &= ~T.PTR_MAYBE_NULL
    env.regs[regno] = plain
  }
  memAccess(env, regno, size, false, true, undefined)
  memAccess(env, regno, size, true, true, undefined)
  env.regs[regno] = saved
}

const CTX_NAMES: Readonly<Record<string, readonly string[]>> = {
  __sk_buff: ['__sk_buff'], xdp_md: ['xdp_md'], bpf_sk_lookup: ['bpf_sk_lookup'], bpf_nf_ctx: ['bpf_nf_ctx'], sch_bpf_ctx: ['sch_bpf_ctx'],
  bpf_qdisc_ctx: ['bpf_qdisc_ctx'], bpf_phys_dev_md: ['bpf_phys_dev_md', 'xdp_metadata'],
}

/** btf_prepare_func_args(): by BTF, what each argument of a global function is. */
export function subprogArgs(env: Env, n: number): readonly SubArg[] {
  const sub = env.subprogs[n]!
  if (sub.args !== undefined) return sub.args
  const btf = env.input.btf!
  const func = btf.type(readFuncs(env.prog.funcInfo!)[n]!.typeId)
  const proto = func.kind === KIND.FUNC ? btf.resolve(func.type) : undefined
  if (proto === undefined || proto.kind !== KIND.FUNC_PROTO) return env.fail(EINVAL, `Caller passes invalid args into func#${n}`)
  if (proto.params.length > 5) env.fail(EINVAL, `Global function ${sub.name}() with ${proto.params.length} > 5 args. Buggy compiler.`)
  checkReturn(env, btf, proto, sub)
  const tags = tagsOf(btf, func.id)
  sub.args = proto.params.map((p, k) => argOf(env, btf, p.type, k, sub.name, tags.get(k) ?? []))
  return sub.args
}

function checkReturn(env: Env, btf: Btf, proto: BtfFuncProto, sub: Subprog): void {
  const ret = btf.resolve(proto.ret)
  if (ret.kind === KIND.INT || isEnum(ret)) return
  env.fail(EINVAL, `Global function ${sub.name}() doesn't return scalar. Only those are supported.`)
}

/** `arg:nonnull`, `arg:ctx` … by argument. */
function tagsOf(btf: Btf, func: number): Map<number, string[]> {
  const out = new Map<number, string[]>()
  for (const t of btf.types) {
    if (t.kind !== KIND.DECL_TAG || t.type !== func || t.component < 0) continue
    out.set(t.component, [...(out.get(t.component) ?? []), t.name])
  }
  return out
}

function argOf(env: Env, btf: Btf, type: number, k: number, func: string, tags: readonly string[]): SubArg {
  const t = btf.resolve(type)
  if (t.kind === KIND.INT || isEnum(t)) return { type: A.ARG_ANYTHING, memSize: 0, btfId: 0 }
  if (t.kind !== KIND.PTR) return env.fail(EINVAL, `Arg#${k} type ${kindName(t.kind)} in ${func}() is not supported yet.`)
  const target = btf.resolve(t.type)
  const isCtx = isComposite(target) && (CTX_NAMES[env.ctx.name] ?? []).includes(target.name)
  // The arguments of callbacks come as an array of u64.
  const isArgs = env.type === PROG_TYPE.STRUCT_OPS && target.kind === KIND.INT && target.size === 8
  if (isCtx || isArgs || tags.includes('arg:ctx')) return { type: A.ARG_PTR_TO_CTX, memSize: 0, btfId: 0 }
  if (tags.some(x => x === 'arg:trusted' || x === 'arg:arena' || x === 'arg:untrusted')) return env.missing(`argument tags of ${func}()`)
  if (isComposite(target) && target.name === 'bpf_dynptr') return env.missing('dynptr arguments of global functions')
  const size = btf.sizeof(t.type)
  if (size === undefined) {
    return env.fail(EINVAL, `arg#${k} reference type('${kindName(target.kind)} ${target.name}') size cannot be determined: -22`)
  }
  const nullable = tags.includes('arg:nonnull') ? 0 : T.PTR_MAYBE_NULL
  return { type: A.ARG_PTR_TO_MEM | nullable, memSize: size, btfId: 0 }
}

function kindName(kind: number): string {
  return Object.entries(KIND).find(([, v]) => v === kind)?.[0] ?? 'UNKNOWN'
}
