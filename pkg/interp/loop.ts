// The reference interpreter's loop (kernel/bpf/core.c ___bpf_prog_run): one switch over the code byte, registers in 32-bit
// halves, nothing allocated per instruction. Long on purpose: a case a line, shared parts in alu64.ts, atomic.ts, skb-load.ts.
import { Bug } from '../bytes/errors.js'
import { BPF_LOAD_ACQ } from '../insn/opcode.js'
import { ARG_HI, RET_HI } from '../mem/layout.js'
import type { EngineHost, HelperImpl } from '../prog/engine.js'
import { CALL, MAX_TAIL_CALL_CNT } from '../uapi/bpf.js'
import * as a from './alu64.js'
import { atomic, isAcquireRelease } from './atomic.js'
import { PROBE, SLOT_SHIFT, type Decoded } from './decode.js'
import type { Regs } from './regs.js'
import { skbPointer } from './skb-load.js'

/** BPF_MAX_LOOPS: how often may_goto falls through within one frame. */
export const MAY_GOTO_LIMIT = 8 * 1024 * 1024

/** Asked before every access in checking mode; throws to end the run. */
export type AccessCheck = (pc: number, addr: number, size: number, write: boolean) => void

/** What the loop needs of the runnable around it. */
export interface LoopHost {
  readonly host: EngineHost
  readonly check: AccessCheck | undefined
  /** The frame below which callbacks of the helper being called may build theirs. */
  callbackFp: number
  /** Whose callbacks they are: a tail call may have changed the program. */
  running: Decoded
  /** Before every instruction, in checking mode: registers are live. */
  readonly step?: ((prog: Decoded, pc: number, regs: Regs) => void) | undefined
  tailTarget(map: number, index: number): Decoded | undefined
}

/** Runs from a slot until the outermost frame exits; r0 is left in regs. */
export function execute(env: LoopHost, start: Decoded, slot: number, regs: Regs): void {
  const { lo, hi } = regs
  const { view } = env.host.mem
  const { check, step } = env
  const floor = regs.depth
  let prog = start
  let words = prog.words
  let pc = slot
  let tails = 0
  let budget = MAY_GOTO_LIMIT
  for (;;) {
    const at = pc << SLOT_SHIFT
    const packed = words[at]!
    const code = packed & 0xff
    const dst = (packed >> 8) & 15
    const src = (packed >> 12) & 15
    const off = packed >> 16
    const imm = words[at + 1]!
    if (step !== undefined) step(prog, pc, regs)
    pc++
    // The second operand of arithmetic and jumps: src or imm, sign-extended.
    const bl = (code & 8) !== 0 ? lo[src]! : imm
    const bh = (code & 8) !== 0 ? hi[src]! : imm >> 31
    switch (code) {
      // BPF_ALU64
      case 0x07: case 0x0f: { // +=
        const sum = (lo[dst]! >>> 0) + (bl >>> 0)
        hi[dst] = hi[dst]! + bh + (sum > 0xffffffff ? 1 : 0)
        lo[dst] = sum
        break
      }
      case 0x17: case 0x1f: { // -=
        const borrow = lo[dst]! >>> 0 < bl >>> 0 ? 1 : 0
        hi[dst] = hi[dst]! - bh - borrow
        lo[dst] = lo[dst]! - bl
        break
      }
      case 0x27: case 0x2f: a.mul64(lo, hi, dst, lo[dst]!, hi[dst]!, bl, bh); break
      case 0x37: case 0x3f: // /= s/=
        if (off === 0) a.divmod64(lo, hi, dst, bl, bh, false)
        else a.sdivmod64(lo, hi, dst, bl, bh, false)
        break
      case 0x47: case 0x4f: hi[dst] = hi[dst]! | bh; lo[dst] = lo[dst]! | bl; break
      case 0x57: case 0x5f: hi[dst] = hi[dst]! & bh; lo[dst] = lo[dst]! & bl; break
      case 0x67: case 0x6f: a.lsh64(lo, hi, dst, bl); break
      case 0x77: case 0x7f: a.rsh64(lo, hi, dst, bl); break
      case 0x87: a.neg64(lo, hi, dst); break
      case 0x97: case 0x9f: // %= s%=
        if (off === 0) a.divmod64(lo, hi, dst, bl, bh, true)
        else a.sdivmod64(lo, hi, dst, bl, bh, true)
        break
      case 0xa7: case 0xaf: hi[dst] = hi[dst]! ^ bh; lo[dst] = lo[dst]! ^ bl; break
      case 0xb7: hi[dst] = bh; lo[dst] = bl; break
      case 0xbf: // = and = (s8)(s16)(s32)
        if (off === 0) { hi[dst] = bh; lo[dst] = bl; break }
        lo[dst] = (bl << (32 - off)) >> (32 - off)
        hi[dst] = lo[dst]! >> 31
        break
      case 0xc7: case 0xcf: a.arsh64(lo, hi, dst, bl); break
      case 0xd7: case 0xdc: // bswap, and be on this little-endian memory
        if (imm === 64) {
          const top = a.bswap32(lo[dst]!)
          lo[dst] = a.bswap32(hi[dst]!)
          hi[dst] = top
        } else {
          lo[dst] = imm === 32 ? a.bswap32(lo[dst]!) : a.bswap16(lo[dst]!)
          hi[dst] = 0
        }
        break

      // BPF_ALU: the upper half becomes zero
      case 0x04: case 0x0c: lo[dst] = lo[dst]! + bl; hi[dst] = 0; break
      case 0x14: case 0x1c: lo[dst] = lo[dst]! - bl; hi[dst] = 0; break
      case 0x24: case 0x2c: lo[dst] = Math.imul(lo[dst]!, bl); hi[dst] = 0; break
      case 0x34: case 0x3c: lo[dst] = off === 0 ? a.div32(lo[dst]!, bl) : a.sdiv32(lo[dst]!, bl); hi[dst] = 0; break
      case 0x44: case 0x4c: lo[dst] = lo[dst]! | bl; hi[dst] = 0; break
      case 0x54: case 0x5c: lo[dst] = lo[dst]! & bl; hi[dst] = 0; break
      case 0x64: case 0x6c: lo[dst] = lo[dst]! << bl; hi[dst] = 0; break
      case 0x74: case 0x7c: lo[dst] = lo[dst]! >>> bl; hi[dst] = 0; break
      case 0x84: lo[dst] = -lo[dst]!; hi[dst] = 0; break
      case 0x94: case 0x9c: lo[dst] = off === 0 ? a.mod32(lo[dst]!, bl) : a.smod32(lo[dst]!, bl); hi[dst] = 0; break
      case 0xa4: case 0xac: lo[dst] = lo[dst]! ^ bl; hi[dst] = 0; break
      case 0xb4: lo[dst] = bl; hi[dst] = 0; break
      case 0xbc: lo[dst] = off === 0 ? bl : (bl << (32 - off)) >> (32 - off); hi[dst] = 0; break
      case 0xc4: case 0xcc: lo[dst] = lo[dst]! >> bl; hi[dst] = 0; break
      case 0xd4: // le
        if (imm < 64) hi[dst] = 0
        if (imm === 16) lo[dst] = lo[dst]! & 0xffff
        break

      // BPF_JMP
      case 0x05: pc += off; break
      case 0x15: case 0x1d: if (lo[dst] === bl && hi[dst] === bh) pc += off; break
      case 0x25: case 0x2d: if (a.below(bl, bh, lo[dst]!, hi[dst]!)) pc += off; break
      case 0x35: case 0x3d: if (!a.below(lo[dst]!, hi[dst]!, bl, bh)) pc += off; break
      case 0x45: case 0x4d: if ((lo[dst]! & bl) !== 0 || (hi[dst]! & bh) !== 0) pc += off; break
      case 0x55: case 0x5d: if (lo[dst] !== bl || hi[dst] !== bh) pc += off; break
      case 0x65: case 0x6d: if (a.less(bl, bh, lo[dst]!, hi[dst]!)) pc += off; break
      case 0x75: case 0x7d: if (!a.less(lo[dst]!, hi[dst]!, bl, bh)) pc += off; break
      case 0xa5: case 0xad: if (a.below(lo[dst]!, hi[dst]!, bl, bh)) pc += off; break
      case 0xb5: case 0xbd: if (!a.below(bl, bh, lo[dst]!, hi[dst]!)) pc += off; break
      case 0xc5: case 0xcd: if (a.less(lo[dst]!, hi[dst]!, bl, bh)) pc += off; break
      case 0xd5: case 0xdd: if (!a.less(bl, bh, lo[dst]!, hi[dst]!)) pc += off; break
      case 0xe5: // may_goto
        if (budget === 0) pc += off
        else budget--
        break

      // BPF_JMP32
      case 0x06: pc += imm; break
      case 0x16: case 0x1e: if (lo[dst] === bl) pc += off; break
      case 0x26: case 0x2e: if (lo[dst]! >>> 0 > bl >>> 0) pc += off; break
      case 0x36: case 0x3e: if (lo[dst]! >>> 0 >= bl >>> 0) pc += off; break
      case 0x46: case 0x4e: if ((lo[dst]! & bl) !== 0) pc += off; break
      case 0x56: case 0x5e: if (lo[dst] !== bl) pc += off; break
      case 0x66: case 0x6e: if (lo[dst]! > bl) pc += off; break
      case 0x76: case 0x7e: if (lo[dst]! >= bl) pc += off; break
      case 0xa6: case 0xae: if (lo[dst]! >>> 0 < bl >>> 0) pc += off; break
      case 0xb6: case 0xbe: if (lo[dst]! >>> 0 <= bl >>> 0) pc += off; break
      case 0xc6: case 0xce: if (lo[dst]! < bl) pc += off; break
      case 0xd6: case 0xde: if (lo[dst]! <= bl) pc += off; break

      // calls and the end
      case 0x85:
        if (src === CALL.PSEUDO_CALL) {
          regs.push(prog, pc, budget)
          lo[10] = lo[10]! - words[at + 3]!
          pc += imm
          budget = MAY_GOTO_LIMIT
        } else {
          env.callbackFp = lo[10]! - words[at + 3]!
          env.running = prog
          callHelper(prog.calls[words[at + 2]!]!, lo, hi, view)
        }
        break
      case 0xf5: { // bpf_tail_call(ctx, map, index)
        const target = tails < MAX_TAIL_CALL_CNT ? env.tailTarget(lo[2]!, lo[3]!) : undefined
        if (target === undefined) {
          lo[0] = hi[0] = -1
          break
        }
        tails++
        prog = target
        words = prog.words
        pc = 0
        budget = MAY_GOTO_LIMIT
        break
      }
      case 0x95:
        if (regs.depth === floor) return
        prog = regs.pop()
        words = prog.words
        pc = regs.pc
        budget = regs.budget
        break

      // BPF_LDX, sign-extending BPF_LDX
      case 0x71: case 0x69: case 0x61: case 0x79: case 0x91: case 0x89: case 0x81: {
        const addr = (lo[src]! + off) | 0
        const size = code & 0x18
        const bytes = size === 0x10 ? 1 : size === 0x08 ? 2 : size === 0x00 ? 4 : 8
        if (words[at + 2] === PROBE && (addr < 0 || addr + bytes > env.host.mem.size)) {
          lo[dst] = hi[dst] = 0
          break
        }
        if (check !== undefined) check(pc - 1, addr, bytes, false)
        switch (code) {
          case 0x71: lo[dst] = view.getUint8(addr); hi[dst] = 0; break
          case 0x69: lo[dst] = view.getUint16(addr, true); hi[dst] = 0; break
          case 0x61: lo[dst] = view.getInt32(addr, true); hi[dst] = 0; break
          case 0x79: lo[dst] = view.getInt32(addr, true); hi[dst] = view.getInt32(addr + 4, true); break
          case 0x91: lo[dst] = view.getInt8(addr); hi[dst] = lo[dst]! >> 31; break
          case 0x89: lo[dst] = view.getInt16(addr, true); hi[dst] = lo[dst]! >> 31; break
          default: lo[dst] = view.getInt32(addr, true); hi[dst] = lo[dst]! >> 31
        }
        break
      }

      // BPF_ST, BPF_STX
      case 0x72: case 0x73: {
        const addr = (lo[dst]! + off) | 0
        if (check !== undefined) check(pc - 1, addr, 1, true)
        view.setUint8(addr, code === 0x72 ? imm : lo[src]!)
        break
      }
      case 0x6a: case 0x6b: {
        const addr = (lo[dst]! + off) | 0
        if (check !== undefined) check(pc - 1, addr, 2, true)
        view.setUint16(addr, code === 0x6a ? imm : lo[src]!, true)
        break
      }
      case 0x62: case 0x63: {
        const addr = (lo[dst]! + off) | 0
        if (check !== undefined) check(pc - 1, addr, 4, true)
        view.setInt32(addr, code === 0x62 ? imm : lo[src]!, true)
        break
      }
      case 0x7a: case 0x7b: {
        const addr = (lo[dst]! + off) | 0
        if (check !== undefined) check(pc - 1, addr, 8, true)
        view.setInt32(addr, code === 0x7a ? imm : lo[src]!, true)
        view.setInt32(addr + 4, code === 0x7a ? imm >> 31 : hi[src]!, true)
        break
      }
      case 0xc3: case 0xdb: case 0xcb: case 0xd3: {
        const size = code === 0xc3 ? 4 : code === 0xdb ? 8 : code === 0xcb ? 2 : 1
        const addr = ((imm === BPF_LOAD_ACQ ? lo[src]! : lo[dst]!) + off) | 0
        if (check !== undefined) check(pc - 1, addr, size, imm !== BPF_LOAD_ACQ)
        if (isAcquireRelease(imm)) acquireRelease(view, lo, hi, size, imm === BPF_LOAD_ACQ ? dst : src, addr, imm === BPF_LOAD_ACQ)
        else atomic(view, lo, hi, size === 8, imm, src, addr)
        break
      }

      // BPF_LD
      case 0x18: lo[dst] = imm; hi[dst] = words[at + 2]!; pc++; break
      case 0x30: case 0x28: case 0x20: case 0x50: case 0x48: case 0x40: {
        const size = (code & 0x18) === 0x10 ? 1 : (code & 0x18) === 0x08 ? 2 : 4
        const addr = skbPointer(view, lo[6]!, (code & 0xe0) === 0x20 ? imm : (lo[src]! + imm) | 0, size)
        lo[0] = hi[0] = 0
        if (addr !== 0) {
          lo[0] = size === 1 ? view.getUint8(addr) : size === 2 ? view.getUint16(addr) : view.getInt32(addr)
          break
        }
        if (regs.depth === floor) return
        prog = regs.pop()
        words = prog.words
        pc = regs.pc
        budget = regs.budget
        break
      }
      default: throw new Bug(`the interpreter has no instruction ${code.toString(16)}`)
    }
  }
}

/** By the ABI of pkg/prog/engine.ts: low halves as arguments, wide ones' high halves at ARG_HI. */
function callHelper(impl: HelperImpl, lo: Int32Array, hi: Int32Array, view: DataView): void {
  const wide = impl.wide ?? 0
  if (wide !== 0) {
    for (let n = 0; n < 5; n++) if ((wide >> n) & 1) view.setInt32(ARG_HI + 4 * n, hi[1 + n]!, true)
  }
  const result = impl.call(lo[1]!, lo[2]!, lo[3]!, lo[4]!, lo[5]!) | 0
  lo[0] = result
  hi[0] = impl.ret === 'int' ? result >> 31 : impl.ret === 'uint' ? 0 : view.getInt32(RET_HI, true)
}

function acquireRelease(view: DataView, lo: Int32Array, hi: Int32Array, size: number, r: number, addr: number, load: boolean): void {
  if (load) {
    hi[r] = size === 8 ? view.getInt32(addr + 4, true) : 0
    lo[r] = size === 1 ? view.getUint8(addr) : size === 2 ? view.getUint16(addr, true) : view.getInt32(addr, true)
    return
  }
  if (size === 1) view.setUint8(addr, lo[r]!)
  else if (size === 2) view.setUint16(addr, lo[r]!, true)
  else view.setInt32(addr, lo[r]!, true)
  if (size === 8) view.setInt32(addr + 4, hi[r]!, true)
}
