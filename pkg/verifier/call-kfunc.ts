// Calls of kernel functions (check_kfunc_call(), kernel/bpf/verifier.c).
import type { Insn } from '../insn/insn.js'
import type { Env } from './env.js'
import { kfuncOf } from './kfunc.js'

export function checkKfuncCall(env: Env, i: Insn): void {
  const k = kfuncOf(env, i.imm)
  env.missing(k === undefined ? `kernel function #${i.imm}` : `kernel function ${k.name}`)
}
