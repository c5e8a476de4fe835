// Conditional jumps: both sides learn from the comparison (check_cond_jmp_op(), reg_set_min_max(), try_match_pkt_pointers(),
// mark_ptr_or_null_regs(), sync_linked_regs(), kernel/bpf/verifier.c).
import type { Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'
import { MAP_TYPE } from '../uapi/bpf.js'
import { EINVAL } from '../uapi/errno.js'
import { samePacket } from './dequeue.js'
import type { Env } from './env.js'
import { branchTaken } from './jmp-check.js'
import { MAX_PACKET_OFF } from './limits.js'
import { printInsnState } from './log-state.js'
import { specialFields } from './map-record.js'
import { readReg } from './marks.js'
import { markChainPrecision } from './precision.js'
import { ADD_CONST32, ADD_CONST64, AT_PKT_END, baseId, BEYOND_PKT_END, constant, isPointer, linkOf, withNum, zeroScalar, type Reg } from './reg.js'
import { known, sync, UNKNOWN, zext32 } from './scalar.js'
import { addRaw } from './scalar-alu.js'
import { refine, revOpcode } from './scalar-jmp.js'
import { isSpilled, type Link, type State } from './state.js'
import * as T from './types.js'
import { widenImprecise } from './widen.js'

const MAX_LINKED = 6

/** Continues at env.insn (set to the slot in front of the next instruction, as the kernel's insn_idx). */
export function checkJump(env: Env, i: Insn): void {
  const op = B.BPF_OP(i.code)
  if (op === B.BPF_JA || op > B.BPF_JCOND) env.fail(EINVAL, `invalid BPF_JMP/JMP32 opcode ${op.toString(16)}`)
  if (op === B.BPF_JCOND) return mayGoto(env, i)
  const [dst, src] = operands(env, i)
  if (isX(i)) samePacket(env, dst, src, i.dst, i.src)
  const is32 = B.BPF_CLASS(i.code) === B.BPF_JMP32
  const taken = branchTaken(dst, src, op, is32)
  if (taken >= 0) return oneWay(env, i, dst, src, taken === 1)
  const linked = [...linksOf(env, isX(i) ? src : undefined), ...linksOf(env, dst)]
  const all = linked.filter((l, n) => linked.findIndex(o => o.frame === l.frame && o.reg === l.reg && o.spi === l.spi) === n)
  const unique = all.slice(0, MAX_LINKED)
  for (const l of all.slice(MAX_LINKED)) unlink(env.state, l)
  if (unique.length > 1) env.pushHistory(env.state, -1, unique)
  const here = env.state
  const there = env.pushState(env.insn + i.off + 1, env.insn)
  learn(env, i, dst, src, op, is32, here, there, unique)
  if (env.level & 3) printInsnState(env, here, here.curframe)
}

const isX = (i: Insn): boolean => B.BPF_SRC(i.code) === B.BPF_X

function mayGoto(env: Env, i: Insn): void {
  if (i.code !== (B.BPF_JMP | B.BPF_JCOND) || i.src !== 0 || i.dst !== 0 || i.imm !== 0) env.fail(EINVAL, `invalid may_goto imm ${i.imm}`)
  const before = previousEntry(env.state, env.state.parent?.parent, env.insn)
  const queued = env.pushState(env.insn + 1, env.insn)
  queued.mayGotoDepth++
  if (before !== undefined) widenImprecise(env, before, queued)
  env.insn += i.off
}

/** find_prev_entry(): a state saved earlier at this instruction on this path, with the same callers. */
export function previousEntry(cur: State, from: State | undefined, insn: number): State | undefined {
  for (let st = from; st !== undefined; st = st.parent) {
    if (st.insn !== insn || st.frames.length !== cur.frames.length) continue
    if (st.frames.every((f, n) => f.callsite === cur.frames[n]!.callsite)) return st
  }
  return undefined
}

function operands(env: Env, i: Insn): [Reg, Reg] {
  const dst = readReg(env, i.dst)
  if (isX(i) ? i.imm !== 0 : i.src !== 0) env.fail(EINVAL, 'BPF_JMP/JMP32 uses reserved fields')
  const src = isX(i) ? readReg(env, i.src) : constant(BigInt(i.imm))
  const flags = (dst.type === T.PTR_TO_STACK ? 1 : 0) | (src.type === T.PTR_TO_STACK ? 2 : 0)
  if (flags !== 0) env.pushHistory(env.state, -1, undefined, flags)
  return [dst, src]
}

/** The outcome is known: the numbers that decided it matter. */
function oneWay(env: Env, i: Insn, dst: Reg, src: Reg, taken: boolean): void {
  if (!isPointer(dst)) markChainPrecision(env, i.dst)
  if (isX(i) && !isPointer(src)) markChainPrecision(env, i.src)
  if (env.level & 3) printInsnState(env, env.state, env.state.curframe)
  if (taken) env.insn += i.off
}

function learn(
  env: Env, i: Insn, dst: Reg, src: Reg, op: number, is32: boolean, here: State, there: State, linked: readonly Link[],
): void {
  if (dst.type === T.SCALAR_VALUE && src.type === T.SCALAR_VALUE) {
    narrow(here, i, dst, src, revOpcode(op), is32)
    narrow(there, i, dst, src, op, is32)
    for (const st of [here, there]) {
      if (isX(i) && src.id !== 0) syncLinked(st, i.src, linked)
      if (dst.id !== 0) syncLinked(st, i.dst, linked)
    }
    return
  }
  if (is32) return
  if (isX(i)) {
    liftNull(env, i, dst, src, op, here, there)
    matchPacket(i, dst, src, op, here, there)
  } else if (i.imm === 0 && (op === B.BPF_JEQ || op === B.BPF_JNE) && T.mayBeNull(dst.type)) {
    nullMarks(env, here, i.dst, op === B.BPF_JNE)
    nullMarks(env, there, i.dst, op === B.BPF_JEQ)
  }
}

/** reg_set_min_max() for one side. */
function narrow(st: State, i: Insn, dst: Reg, src: Reg, op: number, is32: boolean): void {
  const a = dst.num.copy()
  const b = isX(i) && i.src === i.dst ? a : src.num.copy()
  refine(a, b, op, is32)
  const { regs } = st.cur
  regs[i.dst] = withNum(dst, a)
  if (isX(i) && i.src !== i.dst) regs[i.src] = withNum(src, b)
}

/** collect_linked_regs(): registers that are still read, and spills. */
function linksOf(env: Env, r: Reg | undefined): Link[] {
  if (r === undefined || r.type !== T.SCALAR_VALUE || r.id === 0) return []
  const id = baseId(r.id)
  const out: Link[] = []
  for (let frame = env.state.curframe; frame >= 0; frame--) {
    const f = env.state.frames[frame]!
    const { live } = env.aux[frame === env.state.curframe ? env.insn : env.state.frames[frame + 1]!.callsite]!
    for (let n = 0; n < 10; n++) if (live & (1 << n) && f.regs[n]!.type === T.SCALAR_VALUE && baseId(f.regs[n]!.id) === id) out.push({ frame, reg: n, spi: -1 })
    f.stack.forEach((s, spi) => {
      if (isSpilled(s) && s.reg!.type === T.SCALAR_VALUE && baseId(s.reg!.id) === id) out.push({ frame, reg: -1, spi })
    })
  }
  return out
}

/** More than can be followed: this one is not linked any more. */
function unlink(st: State, l: Link): void {
  const f = st.frames[l.frame]!
  const out = (l.reg >= 0 ? f.regs[l.reg]! : f.stack[l.spi]!.reg!).copy()
  out.id = 0
  if (l.reg >= 0) f.regs[l.reg] = out
  else f.stack[l.spi] = { types: f.stack[l.spi]!.types, reg: out }
}

/** sync_linked_regs(): what is now known of one register holds for those it was copied from or to. */
function syncLinked(st: State, n: number, linked: readonly Link[]): void {
  const from = st.cur.regs[n]!
  for (const l of linked) {
    const f = st.frames[l.frame]!
    const old = l.reg >= 0 ? f.regs[l.reg]! : f.stack[l.spi]!.reg!
    if (old === from || old.type !== T.SCALAR_VALUE || baseId(old.id) !== baseId(from.id)) continue
    const [a, b] = [linkOf(old.id), linkOf(from.id)]
    if (a + b === ADD_CONST32 + ADD_CONST64) continue
    const reg = a === 0 && b === 0 ? from : withDelta(old, from)
    if (l.reg >= 0) f.regs[l.reg] = reg
    else f.stack[l.spi] = { types: f.stack[l.spi]!.types, reg }
  }
}

/** Both are one number plus a constant of their own. */
function withDelta(old: Reg, from: Reg): Reg {
  const delta = (linkOf(old.id) === 0 ? 0 : old.off) - (linkOf(from.id) === 0 ? 0 : from.off)
  if (delta === 0 && old.off === from.off) return linkOf(old.id) === linkOf(from.id) ? from : withNum(from, from.num)
  const num = addRaw(from.num, known(BigInt(delta)))
  if (linkOf(old.id) === ADD_CONST32 || linkOf(from.id) === ADD_CONST32) zext32(num)
  return withNum(old, sync(num))
}

/** One pointer compared equal with one that is not NULL is not NULL either. */
function liftNull(env: Env, i: Insn, dst: Reg, src: Reg, op: number, here: State, there: State): void {
  if (!isPointer(dst) || !isPointer(src) || T.mayBeNull(dst.type) === T.mayBeNull(src.type)) return
  if (T.baseType(dst.type) === T.PTR_TO_BTF_ID || T.baseType(src.type) === T.PTR_TO_BTF_ID) return
  const st = op === B.BPF_JEQ ? there : op === B.BPF_JNE ? here : undefined
  if (st === undefined) return
  const n = T.mayBeNull(src.type) ? i.src : i.dst
  st.cur.regs[n] = notNullReg(env, st.cur.regs[n]!)
}

/** mark_ptr_not_null_reg() */
function notNullReg(env: Env, r: Reg): Reg {
  const out = r.copy()
  out.type = r.type & ~T.PTR_MAYBE_NULL
  if (T.baseType(r.type) !== T.PTR_TO_MAP_VALUE) return out
  const map = r.map!
  const inner = map.type === MAP_TYPE.ARRAY_OF_MAPS || map.type === MAP_TYPE.HASH_OF_MAPS ? env.map(map.innerMapId) : undefined
  if (inner !== undefined) {
    out.type = T.CONST_PTR_TO_MAP
    out.map = inner
    out.mapUid = r.id
  } else if (map.type === MAP_TYPE.XSKMAP) out.type = T.PTR_TO_XDP_SOCK
  else if (map.type === MAP_TYPE.SOCKMAP || map.type === MAP_TYPE.SOCKHASH) out.type = T.PTR_TO_SOCKET
  else out.type = T.PTR_TO_MAP_VALUE
  return out
}

/** mark_ptr_or_null_regs() */
function nullMarks(env: Env, st: State, n: number, isNull: boolean): void {
  const { id, refObjId } = st.cur.regs[n]!
  if (refObjId !== 0 && refObjId === id && isNull) st.refs = st.refs.filter(r => r.kind !== 'ptr' || r.id !== id)
  st.mapRegs(r => {
    if (!T.mayBeNull(r.type) || r.id !== id || id === 0) return r
    if (isNull) return zeroScalar
    const out = notNullReg(env, r)
    if (!maySpinLock(env, out)) out.id = 0
    return out
  })
}

/** reg_may_point_to_spin_lock(): its id tells which lock. */
const maySpinLock = (env: Env, r: Reg): boolean =>
  (r.type === T.PTR_TO_MAP_VALUE && specialFields(env, r.map!).some(f => f.name === 'bpf_spin_lock' || f.name === 'bpf_res_spin_lock')) ||
  (T.baseType(r.type) === T.PTR_TO_BTF_ID && (r.type & T.MEM_ALLOC) !== 0)

/** try_match_pkt_pointers(): a packet pointer against the end (or metadata against data) proves bytes. */
function matchPacket(i: Insn, dst: Reg, src: Reg, op: number, here: State, there: State): void {
  const forward = isPair(dst, src)
  if (!forward && !isPair(src, dst)) return
  const [ptr, n] = forward ? [dst, i.dst] : [src, i.src]
  const o = forward ? op : flips[op]
  switch (o) {
    case B.BPF_JGT: return sides(here, there, ptr, n, false, true)
    case B.BPF_JLT: return sides(there, here, ptr, n, true, false)
    case B.BPF_JGE: return sides(here, there, ptr, n, true, false)
    case B.BPF_JLE: return sides(there, here, ptr, n, false, true)
    default:
  }
}

const flips: Readonly<Record<number, number>> = { [B.BPF_JGT]: B.BPF_JLT, [B.BPF_JLT]: B.BPF_JGT, [B.BPF_JGE]: B.BPF_JLE, [B.BPF_JLE]: B.BPF_JGE }

function isPair(a: Reg, b: Reg): boolean {
  if (a.type === T.PTR_TO_PACKET) return b.type === T.PTR_TO_PACKET_END
  const initial = b.type === T.PTR_TO_PACKET && b.id === 0 && b.off === 0 && b.num.isConst && b.num.value === 0n
  return a.type === T.PTR_TO_PACKET_META && initial
}

/** In `inside` the bytes in front of the pointer are there; in `outside` the pointer is at the end or beyond. */
function sides(inside: State, outside: State, ptr: Reg, n: number, open: boolean, beyond: boolean): void {
  goodPacketPointers(inside, ptr, open)
  const r = outside.cur.regs[n]!
  if (r.type !== T.PTR_TO_PACKET) return
  const out = r.copy()
  out.range = beyond ? BEYOND_PKT_END : AT_PKT_END
  outside.cur.regs[n] = out
}

/** find_good_pkt_pointers() */
function goodPacketPointers(st: State, ptr: Reg, open: boolean): void {
  if (ptr.off < 0 || (ptr.off === 0 && open)) return
  if (ptr.num.umax > BigInt(MAX_PACKET_OFF) || ptr.num.umax + BigInt(ptr.off) > BigInt(MAX_PACKET_OFF)) return
  const range = ptr.off + (open ? 1 : 0)
  st.mapRegs(r => {
    if (r.type !== ptr.type || r.id !== ptr.id || r.refObjId !== ptr.refObjId || r.range >= range) return r
    const out = r.copy()
    out.range = range
    return out
  })
}

export const anything = UNKNOWN
