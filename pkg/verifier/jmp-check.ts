// Which way a comparison goes, where that is known: is_branch_taken(), is_pkt_ptr_branch_taken() (kernel/bpf/verifier.c).
import { BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JLE, BPF_JLT, BPF_JNE } from '../insn/opcode.js'
import { AT_PKT_END, BEYOND_PKT_END, isPacket, isPointer, notNull, type Reg } from './reg.js'
import { flipOpcode, scalarTaken, type Taken } from './scalar-jmp.js'
import { U32 } from './tnum.js'
import * as T from './types.js'

export const isPacketAny = (r: Reg): boolean => isPacket(r.type) || r.type === T.PTR_TO_PACKET_END

export function branchTaken(a: Reg, b: Reg, op: number, is32: boolean): Taken {
  if (isPacketAny(a) && isPacketAny(b) && !is32) return packetTaken(a, b, op)
  const constB = b.type === T.SCALAR_VALUE && (is32 ? b.num.isConst32 : b.num.isConst)
  const [x, y, o] = constB ? [a, b, op] : [b, a, flipOpcode(op)]
  if (!isPointer(x) && !isPointer(y)) return scalarTaken(x.num, y.num, o, is32)
  if (!isPointer(x) || !notNull(x)) return -1
  if (y.type !== T.SCALAR_VALUE || !(is32 ? y.num.isConst32 : y.num.isConst)) return -1
  if ((is32 ? y.num.value & U32 : y.num.value) !== 0n) return -1
  return o === BPF_JEQ ? 0 : o === BPF_JNE ? 1 : -1
}

/** A packet pointer known to lie at or behind the end. */
function packetTaken(a: Reg, b: Reg, op: number): Taken {
  const swap = b.type !== T.PTR_TO_PACKET_END
  if (swap && a.type !== T.PTR_TO_PACKET_END) return -1
  const [pkt, o] = swap ? [b, flipOpcode(op)] : [a, op]
  if (pkt.range >= 0) return -1
  if (o === BPF_JLE || o === BPF_JGT) return pkt.range === BEYOND_PKT_END ? (o === BPF_JGT ? 1 : 0) : -1
  if (o !== BPF_JLT && o !== BPF_JGE) return -1
  return pkt.range === BEYOND_PKT_END || pkt.range === AT_PKT_END ? (o === BPF_JGE ? 1 : 0) : -1
}
