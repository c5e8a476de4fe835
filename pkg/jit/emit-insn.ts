// One straight-line instruction by the form of its row; jumps and exits are the shape's business.
import { Bug } from '../bytes/errors.js'
import { opOf, slotsOf } from '../insn/decode.js'
import type { Insn } from '../insn/insn.js'
import { wideValue } from '../interp/decode.js'
import type { Op } from '../insn/table.js'
import { emitAlu, emitEnd, emitNeg } from './emit-alu.js'
import { emitCall, emitTailCall } from './emit-call.js'
import { emitAcquire, emitAtomic, emitLoad, emitPacketLoad, emitRelease, emitStore, emitStoreImm, emitSwappedLoad } from './emit-mem.js'
import type { Fn } from './fn.js'

/** Emits slots [from, to), the last of them being `last` when it is a jump or exit. */
export function emitBlock(fn: Fn, from: number, to: number, last: number | undefined): void {
  const { insns } = fn.unit.image
  for (let pc = from; pc < to;) {
    if (pc === last) return
    const i = insns[pc]!
    const op = opOf(i)
    if (op === undefined) throw new Bug(`the JIT has no instruction ${i.code.toString(16)} at ${pc}`)
    if (op.form === 'ldx' && fn.contextLoad(pc)) {
      fn.set(i.dst)
      pc++
      continue
    }
    if (fn.unit.inlines && fusesWithNext(fn, i, op, pc, to)) {
      emitSwappedLoad(fn, i, op)
      pc += 2
      continue
    }
    emitOne(fn, i, op, pc)
    pc += slotsOf(i)
  }
}

/** r1 = *(u16 *)(r2 +0); r1 = be16 r1 */
function fusesWithNext(fn: Fn, i: Insn, op: Op, pc: number, to: number): boolean {
  if (op.form !== 'ldx' || op.text !== `u${op.bits}` || pc + 1 >= to) return false
  const next = fn.unit.image.insns[pc + 1]!
  const swap = next.code === 0xdc || next.code === 0xd7
  return swap && next.imm === op.bits && next.dst === i.dst && fn.unit.image.aux.get(pc)?.probe !== true
}

function emitOne(fn: Fn, i: Insn, op: Op, pc: number): void {
  switch (op.form) {
    case 'alu_k': case 'alu_x': return emitAlu(fn, i, op)
    case 'neg': return emitNeg(fn, i, op.bits === 64)
    case 'end': return emitEnd(fn, i, op)
    case 'ldx': return emitLoad(fn, i, op, fn.unit.image.aux.get(pc)?.probe === true)
    case 'st': emitStoreImm(fn, i, op); return
    case 'stx': emitStore(fn, i, op); return
    case 'atomic': case 'fetch': case 'cmpxchg': return emitAtomic(fn, i, op)
    case 'load_acq': return emitAcquire(fn, i, op)
    case 'store_rel': return emitRelease(fn, i, op)
    case 'ld_abs': case 'ld_ind': return emitPacketLoad(fn, i, op)
    case 'ld_imm64': return emitWide(fn, i, pc)
    case 'call': case 'kfunc': return emitCall(fn, i, pc)
    case 'tail': return emitTailCall(fn)
    case 'ja': case 'gotol': case 'jmp_k': case 'jmp_x': case 'exit': throw new Bug(`${op.name} inside a block`)
  }
}

function emitWide(fn: Fn, i: Insn, pc: number): void {
  const [low, high] = wideValue(i, fn.unit.image.insns[pc + 1]!, pc, fn.unit.host)
  fn.f.i64(low, high)
  fn.set(i.dst)
}
