// Arithmetic: one emitter a kind of operation. wasm traps on x / 0 and MIN / -1 where BPF has a result.
import { Bug } from '../bytes/errors.js'
import type { Insn } from '../insn/insn.js'
import type { Op } from '../insn/table.js'
import { I32, I64, OP, type Op as WasmOp } from '../wasm/index.js'
import type { Fn } from './fn.js'

/** By the text of the table's row: 64-bit, 32-bit. */
const SIMPLE: Readonly<Record<string, readonly [WasmOp, WasmOp]>> = {
  '+=': [OP.i64_add, OP.i32_add], '-=': [OP.i64_sub, OP.i32_sub], '*=': [OP.i64_mul, OP.i32_mul],
  '|=': [OP.i64_or, OP.i32_or], '&=': [OP.i64_and, OP.i32_and], '^=': [OP.i64_xor, OP.i32_xor],
  '<<=': [OP.i64_shl, OP.i32_shl], '>>=': [OP.i64_shr_u, OP.i32_shr_u], 's>>=': [OP.i64_shr_s, OP.i32_shr_s],
}
const DIVIDE: Readonly<Record<string, readonly [WasmOp, WasmOp]>> = {
  '/=': [OP.i64_div_u, OP.i32_div_u], '%=': [OP.i64_rem_u, OP.i32_rem_u],
  's/=': [OP.i64_div_s, OP.i32_div_s], 's%=': [OP.i64_rem_s, OP.i32_rem_s],
}
const EXTEND: Readonly<Record<string, readonly [WasmOp, WasmOp]>> = {
  '= (s8)': [OP.i64_extend8_s, OP.i32_extend8_s], '= (s16)': [OP.i64_extend16_s, OP.i32_extend16_s],
  '= (s32)': [OP.i64_extend32_s, OP.i32_extend8_s],
}

/** alu_k, alu_x */
export function emitAlu(fn: Fn, i: Insn, op: Op): void {
  const wide = op.bits === 64
  if (op.text === '=') return emitMove(fn, i, op, wide)
  const pick = wide ? 0 : 1
  const extend = EXTEND[op.text]
  if (extend !== undefined) {
    operand(fn, i, op, wide)
    fn.f.op(extend[pick])
    return store(fn, i.dst, wide)
  }
  const divide = DIVIDE[op.text]
  if (divide !== undefined) return emitDivide(fn, i, op, wide, divide[pick])
  const simple = SIMPLE[op.text]
  if (simple === undefined) throw new Bug(`the JIT has no operation ${op.name}`)
  load(fn, i.dst, wide)
  operand(fn, i, op, wide)
  fn.f.op(simple[pick])
  store(fn, i.dst, wide)
}

function emitMove(fn: Fn, i: Insn, op: Op, wide: boolean): void {
  if (op.form === 'alu_k') {
    fn.f.i64(i.imm, wide ? i.imm >> 31 : 0)
    return fn.set(i.dst)
  }
  load(fn, i.src, wide)
  store(fn, i.dst, wide)
}

/** x / 0 = 0, x % 0 = x, MIN s/ -1 = MIN. */
function emitDivide(fn: Fn, i: Insn, op: Op, wide: boolean, code: WasmOp): void {
  const { f } = fn
  const signedDivision = op.text === 's/='
  if (op.form === 'alu_k') {
    if (signedDivision && i.imm === -1) return emitNeg(fn, i, wide)
    load(fn, i.dst, wide)
    operand(fn, i, op, wide)
    f.op(code)
    return store(fn, i.dst, wide)
  }
  const type = wide ? I64 : I32
  load(fn, i.src, wide)
  f.op(wide ? OP.i64_eqz : OP.i32_eqz)
  const zero = f.if(type)
  if (op.text.endsWith('%=')) load(fn, i.dst, wide)
  else constant(fn, 0, wide)
  f.else()
  if (signedDivision) {
    load(fn, i.src, wide)
    constant(fn, -1, wide)
    f.op(wide ? OP.i64_eq : OP.i32_eq)
    const minus = f.if(type)
    constant(fn, 0, wide)
    load(fn, i.dst, wide)
    f.op(wide ? OP.i64_sub : OP.i32_sub)
    f.else()
    quotient(fn, i, wide, code)
    f.end(minus)
  } else {
    quotient(fn, i, wide, code)
  }
  f.end(zero)
  store(fn, i.dst, wide)
}

function quotient(fn: Fn, i: Insn, wide: boolean, code: WasmOp): void {
  load(fn, i.dst, wide)
  load(fn, i.src, wide)
  fn.f.op(code)
}

/** dst = -dst */
export function emitNeg(fn: Fn, i: Insn, wide: boolean): void {
  constant(fn, 0, wide)
  load(fn, i.dst, wide)
  fn.f.op(wide ? OP.i64_sub : OP.i32_sub)
  store(fn, i.dst, wide)
}

/** le: truncates; be, bswap: swaps. */
export function emitEnd(fn: Fn, i: Insn, op: Op): void {
  const swaps = !op.text.startsWith('le')
  if (op.bits === 64) {
    if (!swaps) return
    fn.get(i.dst)
    swap64(fn)
    return fn.set(i.dst)
  }
  fn.get32(i.dst)
  if (op.bits === 16) {
    if (swaps) swap16(fn)
    else mask(fn, 0xffff)
  } else if (swaps) {
    swap32(fn)
  }
  fn.set32(i.dst)
}

function mask(fn: Fn, bits: number): void {
  fn.f.i32(bits)
  fn.f.op(OP.i32_and)
}

/** i32 -> ((x & 0xff) << 8) | ((x >> 8) & 0xff) */
function swap16(fn: Fn): void {
  const { f } = fn
  const x = f.borrow(I32)
  f.tee(x)
  mask(fn, 0xff)
  f.i32(8)
  f.op(OP.i32_shl)
  f.get(x)
  f.i32(8)
  f.op(OP.i32_shr_u)
  mask(fn, 0xff)
  f.op(OP.i32_or)
  f.free(I32, x)
}

/** i32 -> (rotl(x, 8) & 0x00ff00ff) | (rotr(x, 8) & 0xff00ff00) */
export function swap32(fn: Fn): void {
  const { f } = fn
  const x = f.borrow(I32)
  f.tee(x)
  f.i32(8)
  f.op(OP.i32_rotl)
  mask(fn, 0x00ff00ff)
  f.get(x)
  f.i32(8)
  f.op(OP.i32_rotr)
  mask(fn, 0xff00ff00 | 0)
  f.op(OP.i32_or)
  f.free(I32, x)
}

/** i64 -> its bytes reversed, through a vector shuffle: one pshufb instead of a dozen operations. */
export function swap64(fn: Fn): void {
  const { f } = fn
  const x = f.borrow(I64)
  f.tee(x)
  f.splat64()
  f.get(x)
  f.splat64()
  f.shuffle([7, 6, 5, 4, 3, 2, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0])
  f.extract64(0)
  f.free(I64, x)
}

function load(fn: Fn, reg: number, wide: boolean): void {
  if (wide) fn.get(reg)
  else fn.get32(reg)
}

function store(fn: Fn, reg: number, wide: boolean): void {
  if (wide) fn.set(reg)
  else fn.set32(reg)
}

function constant(fn: Fn, value: number, wide: boolean): void {
  if (wide) fn.f.i64(value, value >> 31)
  else fn.f.i32(value)
}

function operand(fn: Fn, i: Insn, op: Op, wide: boolean): void {
  if (op.form === 'alu_k') constant(fn, i.imm, wide)
  else load(fn, i.src, wide)
}
