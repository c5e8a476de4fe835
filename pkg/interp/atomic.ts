// BPF_STX | BPF_ATOMIC: one thread runs programs, so each is a plain load, operation and store.
import { Bug } from '../bytes/errors.js'
import { BPF_CMPXCHG, BPF_FETCH, BPF_LOAD_ACQ, BPF_STORE_REL, BPF_XCHG } from '../insn/opcode.js'

type Half = Int32Array

/** code, imm as in the instruction; addr: of the operand. Load-acquire and store-release are the loop's own loads and stores. */
export function atomic(view: DataView, lo: Half, hi: Half, wide: boolean, imm: number, src: number, addr: number): void {
  const oldLo = view.getInt32(addr, true)
  const oldHi = wide ? view.getInt32(addr + 4, true) : 0
  const put = (low: number, high: number): void => {
    view.setInt32(addr, low, true)
    if (wide) view.setInt32(addr + 4, high, true)
  }
  const sl = lo[src]!
  const sh = hi[src]!
  if (imm === BPF_CMPXCHG) {
    if (oldLo === lo[0] && (!wide || oldHi === hi[0])) put(sl, sh)
    lo[0] = oldLo
    hi[0] = oldHi
    return
  }
  switch (imm & ~BPF_FETCH) {
    case 0x00: put(oldLo + sl | 0, (oldHi + sh + carry(oldLo, sl)) | 0); break
    case 0x40: put(oldLo | sl, oldHi | sh); break
    case 0x50: put(oldLo & sl, oldHi & sh); break
    case 0xa0: put(oldLo ^ sl, oldHi ^ sh); break
    case BPF_XCHG & ~BPF_FETCH: put(sl, sh); break
    default: throw new Bug(`no such atomic: ${imm}`)
  }
  if ((imm & BPF_FETCH) === 0) return
  lo[src] = oldLo
  hi[src] = oldHi
}

const carry = (a: number, b: number): number => ((a >>> 0) + (b >>> 0) > 0xffffffff ? 1 : 0)

export const isAcquireRelease = (imm: number): boolean => imm === BPF_LOAD_ACQ || imm === BPF_STORE_REL
