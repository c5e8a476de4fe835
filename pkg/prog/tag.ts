// bpf_prog_calc_tag (kernel/bpf/core.c, v6.18): the first eight bytes of SHA-256 over the instructions as they were loaded, with
// everything that differs between two loads of one object (map fds) zeroed.
import { encodeInsns, type Insn } from '../insn/insn.js'
import { BPF_TAG_SIZE, PSEUDO } from '../uapi/bpf.js'
import { sha256 } from './sha256.js'

const LD_IMM64 = 0x18

/** 16 hexadecimal digits. */
export function progTag(insns: readonly Insn[]): string {
  const plain = insns.map((i) => ({ ...i }))
  plain.forEach((i, at) => {
    const next = plain[at + 1]
    if (i.code !== LD_IMM64 || next === undefined || !namesMap(i.src)) return
    i.imm = 0
    next.imm = 0
  })
  const digest = sha256(encodeInsns(plain)).subarray(0, BPF_TAG_SIZE)
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function namesMap(src: number): boolean {
  return src === PSEUDO.MAP_FD || src === PSEUDO.MAP_VALUE
}
