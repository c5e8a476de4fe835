// Functions of a program: add_subprog_and_kfunc(), check_subprogs(), and what .BTF.ext says of them (kernel/bpf/verifier.c).
import { KIND, LINKAGE } from '../btf/types.js'
import { targetOf } from '../insn/decode.js'
import type { Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'
import { CALL, FUNC, PSEUDO } from '../uapi/bpf.js'
import { E2BIG, EINVAL } from '../uapi/errno.js'
import { readFuncs, readLines } from './btf-info.js'
import { addKfunc } from './kfunc.js'
import type { Env, Subprog } from './env.js'

const MAX_SUBPROGS = 256

export const isPseudoFunc = (i: Insn): boolean => B.isLdImm64(i.code) && i.src === PSEUDO.FUNC
export const isCall = (i: Insn): boolean => i.code === (B.BPF_JMP | B.BPF_CALL)
export const isPseudoCall = (i: Insn): boolean => isCall(i) && i.src === CALL.PSEUDO_CALL
export const isHelperCall = (i: Insn): boolean => isCall(i) && i.src === CALL.HELPER
export const isKfuncCall = (i: Insn): boolean => isCall(i) && i.src === CALL.PSEUDO_KFUNC
export const isMayGoto = (i: Insn): boolean => i.code === (B.BPF_JMP | B.BPF_JCOND)
export const isLdAbs = (i: Insn): boolean =>
  B.BPF_CLASS(i.code) === B.BPF_LD && (B.BPF_MODE(i.code) === B.BPF_ABS || B.BPF_MODE(i.code) === B.BPF_IND)
const isJump = (i: Insn): boolean => B.BPF_CLASS(i.code) === B.BPF_JMP || B.BPF_CLASS(i.code) === B.BPF_JMP32

/** Finds every function that is called or whose address is taken. */
export function findSubprogs(env: Env): void {
  const starts = new Set([0])
  env.insns.forEach((i, n) => {
    if (isKfuncCall(i)) addKfunc(env, i)
    if (!isPseudoFunc(i) && !isPseudoCall(i)) return
    const start = n + i.imm + 1
    if (start < 0 || start >= env.insns.length) env.fail(EINVAL, 'call to invalid destination')
    starts.add(start)
    if (starts.size > MAX_SUBPROGS) env.fail(E2BIG, 'too many subprograms')
  })
  const sorted = [...starts].sort((a, b) => a - b)
  sorted.forEach((start, n) => {
    env.subprogs.push(newSubprog(start, sorted[n + 1] ?? env.insns.length))
    env.subprogOf.set(start, n)
  })
  if (env.level & 2) sorted.forEach((start, n) => env.verbose(`func#${n} @${start}\n`))
}

function newSubprog(start: number, end: number): Subprog {
  return {
    start, end, stackDepth: 0, hasTailCall: false, tailCallReachable: false, hasLdAbs: false, isCb: false, isAsyncCb: false,
    changesPktData: false, mightSleep: false, name: '', global: false, called: false, verified: false, args: undefined, retVoid: false,
    postorderStart: 0,
  }
}

/** Jumps stay inside of their function, and nothing runs off its end. */
export function checkSubprogs(env: Env): void {
  let cur = 0
  env.insns.forEach((i, n) => {
    const sub = env.subprogs[cur]!
    if (isHelperCall(i) && i.imm === FUNC.tail_call) sub.hasTailCall = sub.tailCallReachable = true
    if (isLdAbs(i)) sub.hasLdAbs = true
    if (isJump(i) && B.BPF_OP(i.code) !== B.BPF_CALL && B.BPF_OP(i.code) !== B.BPF_EXIT) checkTarget(env, i, n, sub)
    if (n !== sub.end - 1) return
    const ends = [B.BPF_JMP | B.BPF_EXIT, B.BPF_JMP | B.BPF_JA, B.BPF_JMP32 | B.BPF_JA]
    if (!ends.includes(i.code)) env.fail(EINVAL, 'last insn is not an exit or jmp')
    cur++
  })
}

/** bpf_jmp_offset(): a slot that no row of the opcode table knows still has its offset. */
function checkTarget(env: Env, i: Insn, n: number, sub: Subprog): void {
  const to = targetOf(i, n) ?? n + 1 + (i.code === (B.BPF_JMP32 | B.BPF_JA) ? i.imm : i.off)
  if (to < sub.start || to >= sub.end) env.fail(EINVAL, `jump out of range from insn ${n} to ${to}`)
}

/** check_btf_info(): func_info names the functions and says which are global; line_info is for the log. */
export function readBtfInfo(env: Env): void {
  const { funcInfo, lineInfo } = env.prog
  const btf = env.input.btf
  if (btf === undefined || funcInfo === undefined || funcInfo.bytes.length === 0) return checkAbnormalReturn(env)
  const funcs = readFuncs(funcInfo)
  if (funcs.length !== env.subprogs.length) env.fail(EINVAL, 'number of funcs in func_info doesn\'t match number of subprogs')
  funcs.forEach((f, n) => {
    const sub = env.subprogs[n]!
    if (f.insn !== sub.start) env.fail(EINVAL, 'func_info BTF section doesn\'t match subprog layout in BPF program')
    const type = btf.type(f.typeId)
    if (type.kind !== KIND.FUNC) env.fail(EINVAL, `invalid type id ${f.typeId} in func info`)
    sub.name = type.name
    sub.global = n > 0 && type.linkage === LINKAGE.GLOBAL
  })
  if (lineInfo !== undefined) env.lineInfo = readLines(lineInfo)
}

/** check_abnormal_return(): instructions that may end a function need one that is known to return a number. */
function checkAbnormalReturn(env: Env): void {
  for (const sub of env.subprogs.slice(1)) {
    if (sub.hasLdAbs) env.fail(EINVAL, 'LD_ABS is not allowed in subprogs without BTF')
    if (sub.hasTailCall) env.fail(EINVAL, 'tail_call is not allowed in subprogs without BTF')
  }
}

/** The function an instruction belongs to. */
export function subprogAt(env: Env, insn: number): number {
  let n = env.subprogs.length - 1
  while (env.subprogs[n]!.start > insn) n--
  return n
}
