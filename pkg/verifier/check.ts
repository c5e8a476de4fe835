// The walk over all paths: do_check() and what starts it (do_check_main(), do_check_subprogs(), kernel/bpf/verifier.c).
import * as A from '../helper/arg-types.js'
import { disasm } from '../insn/disasm.js'
import type { Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'
import { CALL, FUNC, PROG_TYPE, PSEUDO } from '../uapi/bpf.js'
import { E2BIG, EINVAL } from '../uapi/errno.js'
import { checkAlu } from './alu.js'
import { printLine } from './btf-info.js'
import { checkHelperCall } from './call.js'
import { framePointer } from './callback.js'
import { checkSubprogCall, subprogArgs } from './call-sub.js'
import { MAX_INSNS, type Env } from './env.js'
import { checkExit, checkResourceLeak, leaveFunction } from './exit.js'
import { checkJump } from './jmp.js'
import { checkKfuncCall } from './call-kfunc.js'
import { UNDER_LOCK } from './graph.js'
import { kfuncName } from './kfunc.js'
import { printInsnState, printState } from './log-state.js'
import { checkPtrOff, clearCallerSaved, readReg, writeUnknown } from './marks.js'
import { checkLoad, checkStore } from './mem.js'
import { endPath, isStateVisited } from './prune.js'
import { constant, Reg, unknownScalar, zeroScalar } from './reg.js'
import { mapOf } from './resolve.js'
import { ZERO } from './scalar.js'
import { Frame, State } from './state.js'
import { acquireArgs, checkMember } from './struct-ops.js'
import * as T from './types.js'

const MAIN_FUNC = -1

/** The program, then every global function that was called, each from what it may assume. */
export function checkAll(env: Env): void {
  if (env.type === PROG_TYPE.STRUCT_OPS) checkMember(env)
  checkFrom(env, 0)
  for (let again = true; again;) {
    again = false
    env.subprogs.forEach((sub, n) => {
      if (n === 0 || !sub.global || !sub.called || sub.verified) return
      sub.verified = true
      again = true
      env.verbose(`Validating ${sub.name}() func#${n}...\n`)
      checkFrom(env, n)
      if (env.level & 3) env.verbose(`Func#${n} ('${sub.name}') is safe for any args that match its prototype\n`)
    })
  }
}

/** do_check_common() */
function checkFrom(env: Env, subprog: number): void {
  const frame = new Frame(MAIN_FUNC, 0, subprog)
  frame.regs[10] = framePointer(0)
  env.state = new State([frame])
  env.state.branches = 1
  env.explored = new Map()
  env.pending = []
  env.prevLine = undefined
  initArgs(env, subprog)
  env.insn = env.subprogs[subprog]!.start
  walk(env)
  if (!(env.level & 2)) env.log.reset(0)
}

function initArgs(env: Env, subprog: number): void {
  const { regs } = env.state.cur
  if (subprog === 0) {
    regs[1] = new Reg(T.PTR_TO_CTX, ZERO)
    acquireArgs(env)
    return
  }
  subprogArgs(env, subprog).forEach((arg, k) => {
    regs[k + 1] = argument(env, arg.type, arg.memSize)
  })
}

function argument(env: Env, type: number, size: number): Reg {
  if (type === A.ARG_ANYTHING) return unknownScalar
  if (type === A.ARG_PTR_TO_CTX) return new Reg(T.PTR_TO_CTX, ZERO)
  const r = new Reg(T.PTR_TO_MEM | (type & T.PTR_MAYBE_NULL), ZERO)
  r.memSize = size
  if (type & T.PTR_MAYBE_NULL) r.id = env.newId()
  return r
}

/** do_check(): instruction by instruction, path by path. */
function walk(env: Env): void {
  let prev = -1
  let fresh = false
  env.scratchAll()
  for (;;) {
    env.curHist = undefined
    env.prevInsn = prev
    const i = env.insns[env.insn]!
    if (++env.insnProcessed > MAX_INSNS) env.fail(E2BIG, `BPF program is too large. Processed ${env.insnProcessed} insn`)
    env.state.lastInsn = prev
    env.state.insn = env.insn
    const aux = env.aux[env.insn]!
    let ended = false
    if (aux.prunePoint && isStateVisited(env)) {
      if (env.level & 3) env.verbose(fresh ? `\nfrom ${prev} to ${env.insn}: safe\n` : `${env.insn}: safe\n`)
      ended = true
    } else {
      if (aux.jmpPoint) env.pushHistory(env.state, -1, undefined)
      print(env, prev, fresh)
      aux.seen = true
      fresh = false
      prev = env.insn
      const outcome = step(env, i)
      ended = outcome === 'end'
      if (outcome === 'return') fresh = true
    }
    if (!ended) continue
    env.scratchAll()
    endPath(env, env.state)
    const next = env.pending.pop()
    if (next === undefined) return
    if (!(env.level & 2)) env.log.reset(next.logPos)
    env.state = next.state
    env.insn = next.insn
    prev = next.prev
    fresh = true
  }
}

function print(env: Env, prev: number, fresh: boolean): void {
  if (env.level & 2 && fresh) {
    env.verbose(`\nfrom ${prev} to ${env.insn}:`)
    printState(env, env.state, env.state.curframe, true)
  }
  if (!(env.level & 3)) return
  if (env.isScratched) printInsnState(env, env.state, env.state.curframe)
  printLine(env, env.insn, '; ')
  const before = env.log.pos
  env.verbose(`${env.insn}: ${disasm(env.insns, env.insn)}\n`)
  env.prevInsnPrintPos = env.log.pos - before
  env.prevLogPos = env.log.pos
}

type Outcome = 'next' | 'return' | 'end'

function step(env: Env, i: Insn): Outcome {
  switch (B.BPF_CLASS(i.code)) {
    case B.BPF_ALU: case B.BPF_ALU64: checkAlu(env, i); break
    case B.BPF_LDX: checkLoad(env, i); break
    case B.BPF_STX: case B.BPF_ST: checkStore(env, i); break
    case B.BPF_LD:
      if (load(env, i)) return 'return'
      break
    default: return jump(env, i)
  }
  env.insn++
  return 'next'
}

function jump(env: Env, i: Insn): Outcome {
  env.jmpsProcessed++
  const op = B.BPF_OP(i.code)
  if (op === B.BPF_CALL) call(env, i)
  else if (op === B.BPF_JA) return always(env, i)
  else if (op === B.BPF_EXIT) return checkExit(env, i) ? 'end' : 'return'
  else checkJump(env, i)
  env.insn++
  return 'next'
}

function always(env: Env, i: Insn): Outcome {
  const long = B.BPF_CLASS(i.code) === B.BPF_JMP32
  if (B.BPF_SRC(i.code) !== B.BPF_K || i.src !== 0 || i.dst !== 0 || (long ? i.off !== 0 : i.imm !== 0)) {
    env.fail(EINVAL, 'BPF_JA uses reserved fields')
  }
  env.insn += 1 + (long ? i.imm : i.off)
  return 'next'
}

function call(env: Env, i: Insn): void {
  const known = i.src === CALL.HELPER || i.src === CALL.PSEUDO_CALL || i.src === CALL.PSEUDO_KFUNC
  if (B.BPF_SRC(i.code) !== B.BPF_K || (i.src !== CALL.PSEUDO_KFUNC && i.off !== 0) || !known || i.dst !== 0 || B.BPF_CLASS(i.code) === B.BPF_JMP32) {
    env.fail(EINVAL, 'BPF_CALL uses reserved fields')
  }
  if (env.state.activeLocks > 0 && ((i.src === CALL.HELPER && i.imm !== FUNC.spin_unlock) || (i.src === CALL.PSEUDO_KFUNC && !UNDER_LOCK.has(kfuncName(env, i.imm) ?? '')))) {
    env.fail(EINVAL, 'function calls are not allowed while holding a lock')
  }
  if (i.src === CALL.PSEUDO_CALL) checkSubprogCall(env, i)
  else if (i.src === CALL.PSEUDO_KFUNC) checkKfuncCall(env, i)
  else checkHelperCall(env, i)
}

function load(env: Env, i: Insn): boolean {
  const mode = B.BPF_MODE(i.code)
  if (mode === B.BPF_ABS || mode === B.BPF_IND) return loadPacket(env, i, mode)
  if (mode !== B.BPF_IMM) env.fail(EINVAL, 'invalid BPF_LD mode')
  loadImm(env, i)
  env.insn++
  return false
}

/** check_ld_abs(): beyond the packet the function ends with 0; true: that is the path to walk first. */
function loadPacket(env: Env, i: Insn, mode: number): boolean {
  if (!env.ctx.ldAbs) env.fail(EINVAL, 'BPF_LD_[ABS|IND] instructions not allowed for this program type')
  if (i.dst !== 0 || i.off !== 0 || B.BPF_SIZE(i.code) === B.BPF_DW || (mode === B.BPF_ABS && i.src !== 0)) {
    env.fail(EINVAL, 'BPF_LD_[ABS|IND] uses reserved fields')
  }
  const ctx = readReg(env, 6)
  checkResourceLeak(env, true, 'BPF_LD_[ABS|IND]')
  if (ctx.type !== T.PTR_TO_CTX) env.fail(EINVAL, 'at the time of BPF_LD_ABS|IND R6 != pointer to skb')
  if (mode === B.BPF_IND) readReg(env, i.src)
  checkPtrOff(env, ctx, 6)
  clearCallerSaved(env)
  env.setReg(0, unknownScalar)
  if (env.state.curframe === 0) return false
  env.pushState(env.insn + 1, env.insn)
  env.setReg(0, zeroScalar)
  leaveFunction(env)
  return true
}

/** check_ld_imm() */
function loadImm(env: Env, i: Insn): void {
  if (B.BPF_SIZE(i.code) !== B.BPF_DW) env.fail(EINVAL, 'invalid BPF_LD_IMM insn')
  if (i.off !== 0) env.fail(EINVAL, 'BPF_LD_IMM64 uses reserved fields')
  writeUnknown(env, i.dst)
  const high = env.insns[env.insn + 1]!.imm
  if (i.src === 0) return env.setReg(i.dst, constant((BigInt(high) << 32n) | BigInt(i.imm >>> 0)))
  env.setReg(i.dst, i.src === PSEUDO.FUNC ? functionPointer(env, i) : mapPointer(env, i, high))
}

function functionPointer(env: Env, i: Insn): Reg {
  const n = env.subprogOf.get(env.insn + i.imm + 1)!
  if (env.prog.funcInfo === undefined || env.input.btf === undefined) env.fail(EINVAL, 'missing btf func_info')
  if (env.subprogs[n]!.global) env.fail(EINVAL, 'callback function not static')
  const r = new Reg(T.PTR_TO_FUNC, ZERO)
  r.subprog = n
  return r
}

function mapPointer(env: Env, i: Insn, off: number): Reg {
  const value = i.src === PSEUDO.MAP_VALUE || i.src === PSEUDO.MAP_IDX_VALUE
  const r = new Reg(value ? T.PTR_TO_MAP_VALUE : T.CONST_PTR_TO_MAP, ZERO)
  r.map = mapOf(env, i)
  if (value) r.off = off
  return r
}
