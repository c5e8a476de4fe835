// Loads, stores, atomics, and the packet loads of old. One thread runs programs: atomics are plain loads and stores.
import { Bug } from '../bytes/errors.js'
import type { Insn } from '../insn/insn.js'
import type { Op } from '../insn/table.js'
import { LOAD_FAULT } from '../mem/layout.js'
import { SKB } from '../skb/layout.js'
import { I32, I64, MEM, OP, type MemOp, type Op as WasmOp } from '../wasm/index.js'
import { swap32, swap64 } from './emit-alu.js'
import type { Fn } from './fn.js'

const LOAD: Readonly<Record<string, MemOp>> = {
  u8: MEM.i64_load8_u, u16: MEM.i64_load16_u, u32: MEM.i64_load32_u, u64: MEM.i64_load,
  s8: MEM.i64_load8_s, s16: MEM.i64_load16_s, s32: MEM.i64_load32_s,
}
const STORE: Readonly<Record<number, MemOp>> = {
  8: MEM.i64_store8, 16: MEM.i64_store16, 32: MEM.i64_store32, 64: MEM.i64_store,
}
/** Stores of a constant go as i32 where that is wide enough. */
const STORE_IMM: Readonly<Record<number, MemOp>> = { 8: MEM.i32_store8, 16: MEM.i32_store16, 32: MEM.i32_store, 64: MEM.i64_store }

/** dst = *(size *)(src + off); probe: 0 when the address is no address. */
export function emitLoad(fn: Fn, i: Insn, op: Op, probe: boolean): void {
  if (probe) return emitProbe(fn, i, op)
  fn.f.mem(LOAD[op.text]!, fn.addr(i.src, i.off))
  fn.set(i.dst)
}

/** BPF_PROBE_MEM: addr <u size of memory - 8 ? load : 0 */
function emitProbe(fn: Fn, i: Insn, op: Op): void {
  const { f } = fn
  const at = f.borrow(I32)
  const offset = fn.addr(i.src, i.off)
  f.i32(offset)
  f.op(OP.i32_add)
  f.tee(at)
  f.memorySize()
  f.i32(16)
  f.op(OP.i32_shl)
  f.i32(8)
  f.op(OP.i32_sub)
  f.op(OP.i32_lt_u)
  const inside = f.if(I64)
  f.get(at)
  f.mem(LOAD[op.text]!)
  f.else()
  f.i64(0, 0)
  f.end(inside)
  fn.set(i.dst)
  f.free(I32, at)
}

/** Load and byte swap of the same width in one: bytes are picked up in the other order. */
export function emitSwappedLoad(fn: Fn, i: Insn, op: Op): void {
  const { f } = fn
  if (op.bits === 16) {
    const at = f.borrow(I32)
    const offset = fn.addr(i.src, i.off)
    f.tee(at)
    f.mem(MEM.i32_load8_u, offset)
    f.i32(8)
    f.op(OP.i32_shl)
    f.get(at)
    f.mem(MEM.i32_load8_u, offset + 1)
    f.op(OP.i32_or)
    fn.set32(i.dst)
    f.free(I32, at)
  } else if (op.bits === 32) {
    f.mem(MEM.i32_load, fn.addr(i.src, i.off))
    swap32(fn)
    fn.set32(i.dst)
  } else {
    f.mem(MEM.i64_load, fn.addr(i.src, i.off))
    swap64(fn)
    fn.set(i.dst)
  }
}

/** *(size *)(dst + off) = imm */
export function emitStoreImm(fn: Fn, i: Insn, op: Op): void {
  const offset = fn.addr(i.dst, i.off)
  if (op.bits === 64) fn.f.i64(i.imm, i.imm >> 31)
  else fn.f.i32(i.imm)
  fn.f.mem(STORE_IMM[op.bits]!, offset)
}

/** *(size *)(dst + off) = src */
export function emitStore(fn: Fn, i: Insn, op: Op): void {
  const offset = fn.addr(i.dst, i.off)
  fn.get(i.src)
  fn.f.mem(STORE[op.bits]!, offset)
}

const ATOMIC: Readonly<Record<string, WasmOp>> = {
  '+=': OP.i64_add, '|=': OP.i64_or, '&=': OP.i64_and, '^=': OP.i64_xor,
  add: OP.i64_add, or: OP.i64_or, and: OP.i64_and, xor: OP.i64_xor,
}

/** atomic, fetch, cmpxchg: old = *(dst + off); *(dst + off) = old op src; src = old. */
export function emitAtomic(fn: Fn, i: Insn, op: Op): void {
  const { f } = fn
  const load = op.bits === 64 ? MEM.i64_load : MEM.i64_load32_u
  const at = f.borrow(I32)
  const old = f.borrow(I64)
  const offset = fn.addr(i.dst, i.off)
  f.tee(at)
  f.mem(load, offset)
  f.set(old)
  if (op.form === 'cmpxchg') emitCompareExchange(fn, i, op, at, old, offset)
  else {
    f.get(at)
    if (op.text === 'xchg') fn.get(i.src)
    else {
      const code = ATOMIC[op.text]
      if (code === undefined) throw new Bug(`the JIT has no atomic ${op.name}`)
      f.get(old)
      fn.get(i.src)
      f.op(code)
    }
    f.mem(STORE[op.bits]!, offset)
    if (op.form === 'fetch') {
      f.get(old)
      fn.set(i.src)
    }
  }
  f.free(I64, old)
  f.free(I32, at)
}

/** if (old == r0) *(at) = src; r0 = old */
function emitCompareExchange(fn: Fn, i: Insn, op: Op, at: number, old: number, offset: number): void {
  const { f } = fn
  f.get(old)
  fn.get(0)
  if (op.bits === 32) {
    f.i64(-1, 0)
    f.op(OP.i64_and)
  }
  f.op(OP.i64_eq)
  const same = f.if()
  f.get(at)
  fn.get(i.src)
  f.mem(STORE[op.bits]!, offset)
  f.end(same)
  f.get(old)
  fn.set(0)
}

/** load_acquire, store_release */
export function emitAcquire(fn: Fn, i: Insn, op: Op): void {
  fn.f.mem(LOAD[`u${op.bits}`]!, fn.addr(i.src, i.off))
  fn.set(i.dst)
}

export const emitRelease = emitStore

const PACKET_LOAD: Readonly<Record<number, MemOp>> = { 8: MEM.i32_load8_u, 16: MEM.i32_load16_u, 32: MEM.i32_load }

/** ld_abs, ld_ind: r0 = big-endian bytes of the packet of skb r6; outside of it the subprogram returns 0. */
export function emitPacketLoad(fn: Fn, i: Insn, op: Op): void {
  const { f } = fn
  const bytes = op.bits / 8
  const at = f.borrow(I32)
  if (op.form === 'ld_abs' && i.imm >= 0) linearAddress(fn, i.imm, bytes)
  else {
    fn.get32(6)
    if (op.form === 'ld_ind') fn.get32(i.src)
    else f.i32(0)
    f.i32(i.imm)
    f.op(OP.i32_add)
    f.i32(bytes)
    f.call(fn.unit.packetPointer!)
  }
  f.tee(at)
  f.op(OP.i32_eqz)
  const outside = f.if()
  f.i32(0)
  f.i32(1)
  f.mem(MEM.i32_store, LOAD_FAULT)
  f.i64(0, 0)
  fn.set(0)
  fn.exit()
  f.end(outside)
  f.get(at)
  f.mem(PACKET_LOAD[op.bits]!)
  fn.set32(0)
  f.free(I32, at)
  if (bytes > 1) swapRegister(fn, bytes)
}

function swapRegister(fn: Fn, bytes: number): void {
  fn.get32(0)
  swap32(fn)
  if (bytes === 2) {
    fn.f.i32(16)
    fn.f.op(OP.i32_shr_u)
  }
  fn.set32(0)
}

/** offset + bytes <= len - data_len ? data + offset : 0 */
function linearAddress(fn: Fn, offset: number, bytes: number): void {
  const { f } = fn
  const skb = fn.addr(6, 0)
  f.mem(MEM.i32_load, skb + SKB.len)
  f.mem(MEM.i32_load, fn.addr(6, 0) + SKB.data_len)
  f.op(OP.i32_sub)
  f.i32(offset + bytes)
  f.op(OP.i32_ge_u)
  const inside = f.if(I32)
  f.mem(MEM.i32_load, fn.addr(6, 0) + SKB.data)
  f.i32(offset)
  f.op(OP.i32_add)
  f.else()
  f.i32(0)
  f.end(inside)
}
