// The stack: spills and fills that keep what is known, data, and what helpers may touch (check_stack_read(), check_stack_write(),
// check_stack_range_initialized(), kernel/bpf/verifier.c).
import type { Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'
import { EACCES, EFAULT, EINVAL } from '../uapi/errno.js'
import { printLine } from './btf-info.js'
import { destroyDynptr } from './dynptr.js'
import type { Env } from './env.js'
import { MAX_STACK, MAX_VAR_OFF } from './limits.js'
import { tnumText } from './log-state.js'
import { widthOf, withScalarId } from './marks.js'
import { markChainPrecision } from './precision.js'
import { constant, unknownScalar, zeroScalar, type Reg } from './reg.js'
import {
  emptySlot, isSpilled, isSpilledScalar, scrubbed, setType, slotType, type Frame, type Slot,
} from './state.js'
import { s64 } from './tnum.js'
import * as T from './types.js'

/** The frame a stack pointer points into: func(). */
export const frameOf = (env: Env, r: Reg): Frame => env.state.frames[r.frameno]!
const spiOf = (off: number): number => (-off - 1) >> 3
const byteOf = (off: number): number => (-off - 1) & 7
export const slotAt = (f: Frame, spi: number): Slot => f.stack[spi] ?? emptySlot
export const setSlot = (f: Frame, spi: number, slot: Slot): void => {
  f.stack[spi] = slot
}

/** check_stack_access_within_bounds(); grows the frame. */
export function withinStack(env: Env, n: number, off: number, size: number, write: boolean): void {
  const r = env.regs[n]!
  const what = write ? ' write to' : ' read from'
  let min: bigint
  let max: bigint
  if (r.num.isConst) {
    min = s64(r.num.value) + BigInt(off)
    max = min + BigInt(size)
  } else {
    if (r.num.smax >= BigInt(MAX_VAR_OFF) || r.num.smin <= BigInt(-MAX_VAR_OFF)) {
      env.fail(EACCES, `invalid unbounded variable-offset${what} stack R${n}`)
    }
    min = r.num.smin + BigInt(off)
    max = r.num.smax + BigInt(off) + BigInt(size)
  }
  const errno = min < BigInt(-MAX_STACK) || min > -1n ? EACCES : max > 0n ? EINVAL : size < 0 ? EFAULT : 0
  if (errno !== 0) {
    env.fail(errno, r.num.isConst
      ? `invalid${what} stack R${n} off=${min} size=${size}`
      : `invalid variable-offset${what} stack R${n} var_off=${tnumText(r.num.t)} off=${off} size=${size}`)
  }
  grow(env, frameOf(env, r), Number(-min))
}

function grow(env: Env, f: Frame, bytes: number): void {
  const slots = (bytes + 7) >> 3
  while (f.stack.length < slots) f.stack.push(emptySlot)
  const sub = env.subprogs[f.subprog]!
  sub.stackDepth = Math.max(sub.stackDepth, slots * 8)
}

const history = (f: Frame, spi: number): number => (f.frameno << 8) | spi

/** check_stack_write(): `value` is the register stored, -1 for a constant of `i` or for unknown bytes. */
export function stackWrite(env: Env, i: Insn | undefined, n: number, off: number, size: number, value: number): void {
  const r = env.regs[n]!
  if (!r.num.isConst) return writeVariable(env, i, r, off, size, value)
  writeFixed(env, i, frameOf(env, r), off + Number(s64(r.num.value)), size, value)
}

const isStMem = (i: Insn | undefined): i is Insn => i !== undefined && B.BPF_CLASS(i.code) === B.BPF_ST && B.BPF_MODE(i.code) === B.BPF_MEM

function writeFixed(env: Env, i: Insn | undefined, f: Frame, off: number, size: number, value: number): void {
  const spi = spiOf(off)
  destroyDynptr(env, f, spi)
  env.scratchSlot(spi)
  const aligned = off % 8 === 0
  let reg = value >= 0 ? env.regs[value]! : undefined
  if (reg !== undefined && aligned && reg.type === T.SCALAR_VALUE) {
    const fits = widthOf(reg.num) <= 8 * size
    if (fits) {
      reg = withScalarId(env, reg)
      env.regs[value] = reg
    }
    saveRegister(f, spi, fits ? reg : withoutId(reg), size)
  } else if (reg === undefined && aligned && isStMem(i)) {
    saveRegister(f, spi, constant(BigInt(i.imm)), size)
  } else if (reg !== undefined && reg.type !== T.SCALAR_VALUE) {
    spillPointer(env, f, spi, reg, size)
  } else {
    return writeData(env, i, f, off, size, value)
  }
  env.pushHistory(env.state, history(f, spi), undefined)
}

function withoutId(r: Reg): Reg {
  if (r.id === 0) return r
  const out = r.copy()
  out.id = 0
  return out
}

function spillPointer(env: Env, f: Frame, spi: number, r: Reg, size: number): void {
  if (size !== 8) {
    printLine(env, env.insn, '; ')
    env.fail(EACCES, 'invalid size of register spill')
  }
  if (f !== env.frame && r.type === T.PTR_TO_STACK) env.fail(EINVAL, 'cannot spill pointers to stack into stack frame of the caller')
  saveRegister(f, spi, r, size)
}

/** save_register_state() */
function saveRegister(f: Frame, spi: number, reg: Reg, size: number): void {
  let types = slotAt(f, spi).types
  for (let b = 7; b >= 0; b--) {
    const old = (types >>> (b * 4)) & 15
    if (b >= 8 - size) types = setType(types, b, T.STACK_SPILL)
    else if (old !== T.STACK_ZERO && old !== T.STACK_INVALID) types = setType(types, b, T.STACK_MISC)
  }
  setSlot(f, spi, { types, reg })
  f.clearPreciseSlot(spi)
}

/** Data destroys what was spilled there; a stored zero is remembered as bytes of zero. */
function writeData(env: Env, i: Insn | undefined, f: Frame, off: number, size: number, value: number): void {
  const spi = spiOf(off)
  const slot = slotAt(f, spi)
  let types = slot.types
  if (slotType(slot, 7) !== T.STACK_MISC && slotType(slot, 7) !== T.STACK_ZERO && slotType(slot, 7) !== T.STACK_INVALID) types = scrub(types)
  let type: number = T.STACK_MISC
  if (value >= 0 ? env.regs[value]!.isNull : isStMem(i) && i.imm === 0) {
    if (value >= 0) markChainPrecision(env, value)
    type = T.STACK_ZERO
  }
  for (let k = 0; k < size; k++) types = setType(types, byteOf(off + k), type)
  setSlot(f, spi, { types, reg: undefined })
}

function scrub(types: number): number {
  let out = types
  for (let b = 0; b < 8; b++) out = setType(out, b, scrubbed((types >>> (b * 4)) & 15))
  return out
}

function writeVariable(env: Env, i: Insn | undefined, r: Reg, off: number, size: number, value: number): void {
  const f = frameOf(env, r)
  const min = Number(r.num.smin) + off
  const max = Number(r.num.smax) + off + size
  const zero = value >= 0 ? env.regs[value]!.isNull : isStMem(i) && i.imm === 0
  let zeroUsed = false
  for (let at = min; at < max; at++) destroyDynptr(env, f, spiOf(at))
  for (let at = min; at < max; at++) {
    const spi = spiOf(at)
    env.scratchSlot(spi)
    const slot = slotAt(f, spi)
    const type = slotType(slot, byteOf(at))
    if (zero && type === T.STACK_SPILL && isSpilledScalar(slot) && slot.reg!.isNull) {
      zeroUsed = true
      continue
    }
    const keep = zero && type === T.STACK_ZERO
    zeroUsed ||= keep
    let types = slot.types
    if (isSpilled(slot)) types = scrub(types)
    setSlot(f, spi, { types: setType(types, byteOf(at), keep ? T.STACK_ZERO : T.STACK_MISC), reg: undefined })
  }
  if (zeroUsed && value >= 0) markChainPrecision(env, value)
}

/** check_stack_read(): `dst` -1: the bytes are read, but into no register. */
export function stackRead(env: Env, n: number, off: number, size: number, dst: number): void {
  const r = env.regs[n]!
  const f = frameOf(env, r)
  if (!r.num.isConst) {
    rangeInitialized(env, n, off, size, false, false, undefined)
    return readBytes(env, f, Number(r.num.smin) + off, Number(r.num.smax) + off + size, dst)
  }
  readFixed(env, f, off + Number(s64(r.num.value)), size, dst)
}

function readFixed(env: Env, f: Frame, off: number, size: number, dst: number): void {
  const spi = spiOf(off)
  const slot = slotAt(f, spi)
  env.scratchSlot(spi)
  if (!isSpilled(slot)) {
    for (let k = 0; k < size; k++) checkByte(env, slotType(slot, byteOf(off + k)), off, k, size)
    if (dst >= 0) readBytes(env, f, off, off + size, dst)
    return
  }
  const spill = spillSize(slot)
  if (size === 8 && spill === 8) {
    if (dst >= 0) env.setReg(dst, linkSlot(env, f, spi, slot))
  } else if (!partialFill(env, f, spi, slot, off, size, spill, dst)) {
    return
  }
  env.pushHistory(env.state, history(f, spi), undefined)
}

function spillSize(slot: Slot): number {
  let size = 1
  for (let b = 7; b > 0 && slotType(slot, b - 1) === T.STACK_SPILL; b--) size++
  return size
}

/** Gives the spilled scalar an id that the filled register shares. */
function linkSlot(env: Env, f: Frame, spi: number, slot: Slot): Reg {
  const reg = withScalarId(env, slot.reg!)
  if (reg !== slot.reg) setSlot(f, spi, { types: slot.types, reg })
  return reg
}

/** A fill of fewer bytes than were spilled, or of a narrow spill; false: it is not a fill. */
function partialFill(env: Env, f: Frame, spi: number, slot: Slot, off: number, size: number, spill: number, dst: number): boolean {
  let reg = slot.reg!
  if (reg.type !== T.SCALAR_VALUE) {
    printLine(env, env.insn, '; ')
    env.fail(EACCES, 'invalid size of register fill')
  }
  if (dst < 0) return false
  if (size <= spill && off % 8 === 0) {
    if (size === 4 && spill === 4 && widthOf(reg.num) <= 32) reg = linkSlot(env, f, spi, slot)
    env.setReg(dst, widthOf(reg.num) > size * 8 ? withoutId(reg) : reg)
    return true
  }
  let spills = 0
  let zeros = 0
  for (let k = 0; k < size; k++) {
    const type = slotType(slot, byteOf(off + k))
    if (type === T.STACK_SPILL) spills++
    else if (type === T.STACK_ZERO) zeros++
    else checkByte(env, type, off, k, size)
  }
  const zeroSpill = spills === size && reg.isNull
  env.setReg(dst, zeroSpill || zeros === size ? zeroScalar : unknownScalar)
  return zeroSpill
}

function checkByte(env: Env, type: number, off: number, k: number, size: number): void {
  if (type === T.STACK_MISC || type === T.STACK_ZERO || type === T.STACK_INVALID) return
  env.fail(EACCES, `invalid read from stack off ${off}+${k} size ${size}`)
}

/** mark_reg_stack_read() */
function readBytes(env: Env, f: Frame, min: number, max: number, dst: number): void {
  let zero = true
  for (let at = min; at < max && zero; at++) {
    env.scratchSlot(spiOf(at))
    zero = slotType(slotAt(f, spiOf(at)), byteOf(at)) === T.STACK_ZERO
  }
  if (dst >= 0) env.setReg(dst, zero ? zeroScalar : unknownScalar)
}

/** Bytes that a helper will fill itself: recorded and not looked at (meta->raw_mode). */
export interface RawMode { regno: number, size: number }

/** check_stack_range_initialized() */
export function rangeInitialized(
  env: Env, n: number, off: number, size: number, zeroOk: boolean, write: boolean, raw: RawMode | undefined,
): void {
  const r = env.regs[n]!
  if (size === 0 && !zeroOk) env.fail(EACCES, 'invalid zero-sized read')
  withinStack(env, n, off, size, write)
  const f = frameOf(env, r)
  const min = Number(r.num.isConst ? s64(r.num.value) : r.num.smin) + off
  const max = Number(r.num.isConst ? s64(r.num.value) : r.num.smax) + off
  if (raw !== undefined && r.num.isConst) {
    for (let at = min; at < min + size; at++) {
      if (slotType(slotAt(f, spiOf(at)), byteOf(at)) === T.STACK_DYNPTR) {
        env.fail(EACCES, `potential write to dynptr at off=${at} disallowed`)
      }
    }
    raw.regno = n
    raw.size = size
    return
  }
  for (let at = min; at < max + size; at++) touchByte(env, f, at, write, () => r.num.isConst
    ? `invalid read from stack R${n} off ${min}+${at - min} size ${size}`
    : `invalid read from stack R${n} var_off ${tnumText(r.num.t)}+${at - min} size ${size}`)
}

function touchByte(env: Env, f: Frame, at: number, write: boolean, words: () => string): void {
  const spi = spiOf(at)
  const slot = slotAt(f, spi)
  const type = slotType(slot, byteOf(at))
  if (type === T.STACK_MISC) return
  if (type === T.STACK_ZERO || type === T.STACK_INVALID) {
    if (write) setSlot(f, spi, { types: setType(slot.types, byteOf(at), T.STACK_MISC), reg: slot.reg })
  } else if (isSpilled(slot)) {
    if (write) setSlot(f, spi, { types: scrub(slot.types), reg: undefined })
  } else {
    env.fail(EACCES, words())
  }
}
