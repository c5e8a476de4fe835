// Conditions of jumps: each leaves an i32, 1 when the jump is taken (or, negated, when it is not).
import { Bug } from '../bytes/errors.js'
import { opOf } from '../insn/decode.js'
import type { Insn } from '../insn/insn.js'
import type { Op } from '../insn/table.js'
import { I32, OP, type Op as WasmOp } from '../wasm/index.js'
import type { Fn } from './fn.js'

type Four = readonly [wide: WasmOp, narrow: WasmOp, wideNot: WasmOp, narrowNot: WasmOp]

const COMPARE: Readonly<Record<string, Four>> = {
  '==': [OP.i64_eq, OP.i32_eq, OP.i64_ne, OP.i32_ne],
  '!=': [OP.i64_ne, OP.i32_ne, OP.i64_eq, OP.i32_eq],
  '>': [OP.i64_gt_u, OP.i32_gt_u, OP.i64_le_u, OP.i32_le_u],
  '>=': [OP.i64_ge_u, OP.i32_ge_u, OP.i64_lt_u, OP.i32_lt_u],
  '<': [OP.i64_lt_u, OP.i32_lt_u, OP.i64_ge_u, OP.i32_ge_u],
  '<=': [OP.i64_le_u, OP.i32_le_u, OP.i64_gt_u, OP.i32_gt_u],
  's>': [OP.i64_gt_s, OP.i32_gt_s, OP.i64_le_s, OP.i32_le_s],
  's>=': [OP.i64_ge_s, OP.i32_ge_s, OP.i64_lt_s, OP.i32_lt_s],
  's<': [OP.i64_lt_s, OP.i32_lt_s, OP.i64_ge_s, OP.i32_ge_s],
  's<=': [OP.i64_le_s, OP.i32_le_s, OP.i64_gt_s, OP.i32_gt_s],
}

export function emitCondition(fn: Fn, i: Insn, negate: boolean): void {
  const op = opOf(i)
  if (op === undefined) throw new Bug('a jump without a row')
  if (op.name === 'may_goto') return emitMayGoto(fn, negate)
  const wide = op.bits === 64
  if (op.text === '&') return emitTest(fn, i, op, wide, negate)
  const codes = COMPARE[op.text]
  if (codes === undefined) throw new Bug(`the JIT has no condition ${op.name}`)
  const isZero = op.form === 'jmp_k' && i.imm === 0 && (op.text === '==') !== (op.text === '!=')
  push(fn, i.dst, wide)
  if (isZero && (op.text === '==') !== negate) return fn.f.op(wide ? OP.i64_eqz : OP.i32_eqz)
  other(fn, i, op, wide)
  fn.f.op(codes[(wide ? 0 : 1) + (negate ? 2 : 0)]!)
}

/** dst & src != 0 */
function emitTest(fn: Fn, i: Insn, op: Op, wide: boolean, negate: boolean): void {
  push(fn, i.dst, wide)
  other(fn, i, op, wide)
  fn.f.op(wide ? OP.i64_and : OP.i32_and)
  if (negate) return fn.f.op(wide ? OP.i64_eqz : OP.i32_eqz)
  if (!wide) return
  fn.f.i64(0, 0)
  fn.f.op(OP.i64_ne)
}

/** Taken when the frame's budget is used up; else counts down. */
function emitMayGoto(fn: Fn, negate: boolean): void {
  const { f } = fn
  f.get(fn.budget)
  f.op(OP.i32_eqz)
  const empty = f.if(I32)
  f.i32(negate ? 0 : 1)
  f.else()
  f.get(fn.budget)
  f.i32(1)
  f.op(OP.i32_sub)
  f.set(fn.budget)
  f.i32(negate ? 1 : 0)
  f.end(empty)
}

function push(fn: Fn, reg: number, wide: boolean): void {
  if (wide) fn.get(reg)
  else fn.get32(reg)
}

function other(fn: Fn, i: Insn, op: Op, wide: boolean): void {
  if (op.form === 'jmp_x') return push(fn, i.src, wide)
  if (wide) fn.f.i64(i.imm, i.imm >> 31)
  else fn.f.i32(i.imm)
}
