// struct bpf_insn (include/uapi/linux/bpf.h): one object a slot of eight bytes. A 16-byte BPF_LD_IMM64 takes two
// slots, as in the kernel: the second has code 0 and carries the high word in imm. Jump offsets and line records count slots.

/** One slot. Plain mutable data, always with these five fields in this order, so that engines stay monomorphic. */
export interface Insn {
  code: number
  dst: number
  src: number
  /** s16 */
  off: number
  /** s32 */
  imm: number
}

export const INSN_SIZE = 8

export function insn(code: number, dst: number, src: number, off: number, imm: number): Insn {
  return { code, dst, src, off: (off << 16) >> 16, imm: imm | 0 }
}

/** The slots of little-endian bytes; a trailing part of a slot is ignored (callers refuse odd lengths first). */
export function decodeInsns(bytes: Uint8Array): Insn[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const out: Insn[] = []
  for (let at = 0; at + INSN_SIZE <= bytes.length; at += INSN_SIZE) {
    const regs = view.getUint8(at + 1)
    out.push({
      code: view.getUint8(at),
      dst: regs & 15,
      src: regs >> 4,
      off: view.getInt16(at + 2, true),
      imm: view.getInt32(at + 4, true),
    })
  }
  return out
}

export function encodeInsns(insns: readonly Insn[]): Uint8Array {
  const bytes = new Uint8Array(insns.length * INSN_SIZE)
  const view = new DataView(bytes.buffer)
  insns.forEach((i, n) => {
    const at = n * INSN_SIZE
    view.setUint8(at, i.code)
    view.setUint8(at + 1, (i.src << 4) | i.dst)
    view.setInt16(at + 2, i.off, true)
    view.setInt32(at + 4, i.imm, true)
  })
  return bytes
}
