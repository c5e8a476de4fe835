// Which registers are read later (compute_live_registers()), and the loops of a program (compute_scc()): static facts that
// pruning uses (kernel/bpf/verifier.c).
import { protoOf } from '../helper/protos.js'
import { disasm } from '../insn/disasm.js'
import type { Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'
import { successors } from './cfg.js'
import type { Env } from './env.js'
import { isHelperCall, isKfuncCall, isLdAbs } from './subprogs.js'
import { kfuncOf } from './kfunc.js'

const CALLER_SAVED = 0x3f
/** A load that may end the function is taken to read everything, as 6.18 prints it. */
const ALL = 0x3ff
const bit = (n: number): number => 1 << n

interface UseDef { use: number, def: number }

function useDef(env: Env, i: Insn): UseDef {
  const dst = bit(i.dst)
  const src = bit(i.src)
  const x = B.BPF_SRC(i.code) === B.BPF_X
  switch (B.BPF_CLASS(i.code)) {
    case B.BPF_LD:
      if (isLdAbs(i)) return { use: ALL, def: 0 }
      return { use: 0, def: B.isLdImm64(i.code) ? dst : 0 }
    case B.BPF_LDX: return { use: src, def: dst }
    case B.BPF_ST: return { use: dst, def: 0 }
    case B.BPF_STX: return B.BPF_MODE(i.code) === B.BPF_ATOMIC ? atomic(i, dst, src) : { use: dst | src, def: 0 }
    case B.BPF_ALU: case B.BPF_ALU64: return alu(i, dst, src, x)
    default: return jump(env, i, dst, src, x)
  }
}

function atomic(i: Insn, dst: number, src: number): UseDef {
  if (i.imm === B.BPF_CMPXCHG) return { use: dst | src | 1, def: 1 }
  if (i.imm === B.BPF_LOAD_ACQ) return { use: src, def: dst }
  if (i.imm === B.BPF_STORE_REL) return { use: dst | src, def: 0 }
  return { use: dst | src, def: i.imm & B.BPF_FETCH ? src : 0 }
}

function alu(i: Insn, dst: number, src: number, x: boolean): UseDef {
  const op = B.BPF_OP(i.code)
  if (op === B.BPF_END || op === B.BPF_NEG) return { use: dst, def: dst }
  if (op === B.BPF_MOV) return { use: x ? src : 0, def: dst }
  return { use: x ? dst | src : dst, def: dst }
}

function jump(env: Env, i: Insn, dst: number, src: number, x: boolean): UseDef {
  const op = B.BPF_OP(i.code)
  if (op === B.BPF_JA || op === B.BPF_JCOND) return { use: 0, def: 0 }
  if (op === B.BPF_EXIT) return { use: 1, def: 0 }
  if (op === B.BPF_CALL) return { use: params(env, i), def: CALLER_SAVED }
  return { use: x ? dst | src : dst, def: 0 }
}

/** Argument registers of a call: all five where no prototype says less. */
function params(env: Env, i: Insn): number {
  let count = 5
  if (isHelperCall(i)) {
    const first = protoOf(i.imm, env.type)?.args.indexOf(0) ?? -1
    if (first >= 0) count = first
  } else if (isKfuncCall(i)) {
    count = kfuncOf(env, i.imm)?.params ?? 5
  }
  return (bit(count + 1) - 1) & ~1
}

export function computeLive(env: Env): void {
  const facts = env.insns.map(i => useDef(env, i))
  const next = env.insns.map((_, n) => successors(env.insns, n))
  for (let changed = true; changed;) {
    changed = false
    for (let n = env.insns.length - 1; n >= 0; n--) {
      let out = 0
      for (const s of next[n]!) out |= env.aux[s]?.live ?? 0
      const { use, def } = facts[n]!
      const live = (out & ~def) | use
      if (live === env.aux[n]!.live) continue
      env.aux[n]!.live = live
      changed = true
    }
  }
  if (env.level & 2) printLive(env)
}

function printLive(env: Env): void {
  env.verbose('Live regs before insn:\n')
  for (let n = 0; n < env.insns.length; n++) {
    const aux = env.aux[n]!
    let regs = ''
    for (let r = 0; r < 10; r++) regs += aux.live & bit(r) ? r : '.'
    const scc = aux.scc > 0 ? `${aux.scc}`.padStart(3) : '   '
    env.verbose(`${scc} ${`${n}`.padStart(3)}: ${regs} ${disasm(env.insns, n)}\n`)
    if (B.isLdImm64(env.insns[n]!.code)) n++
  }
}

/** Tarjan's strongly connected components; 0 where an instruction is in no loop. */
export function computeScc(env: Env): void {
  const count = env.insns.length
  const index = new Int32Array(count)
  const low = new Int32Array(count)
  const onStack = new Uint8Array(count)
  const stack: number[] = []
  let nextIndex = 1
  let scc = 0
  const close = (n: number): void => {
    const members: number[] = []
    for (let w = -1; w !== n;) {
      w = stack.pop()!
      onStack[w] = 0
      members.push(w)
    }
    const loops = members.length > 1 || env.aux[n]!.callsCallback || successors(env.insns, n).includes(n)
    if (!loops) return
    scc++
    for (const m of members) env.aux[m]!.scc = scc
  }
  for (let root = 0; root < count; root++) {
    if (index[root] !== 0) continue
    const work: { n: number, next: number[], at: number }[] = []
    const enter = (n: number): void => {
      index[n] = low[n] = nextIndex++
      stack.push(n)
      onStack[n] = 1
      work.push({ n, next: successors(env.insns, n).filter(s => s < count), at: 0 })
    }
    enter(root)
    while (work.length > 0) {
      const top = work[work.length - 1]!
      if (top.at < top.next.length) {
        const s = top.next[top.at++]!
        if (index[s] === 0) enter(s)
        else if (onStack[s]) low[top.n] = Math.min(low[top.n]!, index[s]!)
        continue
      }
      work.pop()
      if (low[top.n] === index[top.n]) close(top.n)
      const below = work[work.length - 1]
      if (below !== undefined) low[below.n] = Math.min(low[below.n]!, low[top.n]!)
    }
  }
}
