// Writes CO-RE results into instructions. Answers to bpf_core_patch_insn of tools/lib/bpf/relo_core.c.
import type { InputError } from '../bytes/errors.js'
import type { CoreValue } from '../btf/index.js'
import { insn, type Insn } from '../insn/insn.js'
import {
  BPF_ALU, BPF_ALU64, BPF_B, BPF_CALL, BPF_DW, BPF_H, BPF_IMM, BPF_JMP, BPF_K, BPF_LD, BPF_LDX, BPF_ST, BPF_STX, BPF_W, BPF_X,
} from '../insn/opcode.js'

/** `0xbad2310`: the helper that an instruction without a target calls. */
export const CORE_POISON = 195896080

const LD_IMM64 = BPF_LD | BPF_IMM | BPF_DW
const SIZES: readonly (readonly [bits: number, bytes: number])[] = [[BPF_W, 4], [BPF_H, 2], [BPF_B, 1], [BPF_DW, 8]]

/** Patches the instruction at `slot`; `fail` adds whose relocation it is. */
export function patchCore(insns: Insn[], slot: number, value: CoreValue, fail: (reason: string) => InputError): void {
  const i = insns[slot]
  if (!i) throw fail(`insn #${slot} does not exist`)
  if (value.poison) return poison(insns, slot)
  switch (i.code & 7) {
    case BPF_ALU: case BPF_ALU64: return patchAlu(i, slot, value, fail)
    case BPF_LDX: case BPF_ST: case BPF_STX: return patchMem(insns, i, slot, value, fail)
    case BPF_LD: return patchImm64(insns, i, slot, value, fail)
    default: throw fail(`trying to relocate unrecognized insn #${slot}, code:0x${i.code.toString(16)}`)
  }
}

function poison(insns: Insn[], slot: number): void {
  if (insns[slot]!.code === LD_IMM64) insns[slot + 1] = insn(BPF_JMP | BPF_CALL, 0, 0, 0, CORE_POISON)
  insns[slot] = insn(BPF_JMP | BPF_CALL, 0, 0, 0, CORE_POISON)
}

function patchAlu(i: Insn, slot: number, value: CoreValue, fail: (reason: string) => InputError): void {
  if ((i.code & BPF_X) !== BPF_K) throw fail(`insn #${slot} (ALU/ALU64) has no immediate`)
  const imm = BigInt.asUintN(32, BigInt(i.imm))
  if (value.validate && imm !== BigInt.asUintN(32, value.origVal)) {
    throw fail(`unexpected insn #${slot} (ALU/ALU64) value: got ${imm}, exp ${value.origVal} -> ${value.newVal}`)
  }
  i.imm = Number(BigInt.asIntN(32, value.newVal))
}

function patchMem(insns: Insn[], i: Insn, slot: number, value: CoreValue, fail: (reason: string) => InputError): void {
  if (value.validate && BigInt(i.off) !== value.origVal) {
    throw fail(`unexpected insn #${slot} (LDX/ST/STX) value: got ${i.off}, exp ${value.origVal} -> ${value.newVal}`)
  }
  if (value.newVal > 32767n) throw fail(`insn #${slot} (LDX/ST/STX) value too big: ${value.newVal}`)
  if (value.badMemSize) return poison(insns, slot)
  i.off = Number(value.newVal)
  if (value.newSize === value.origSize) return
  const now = SIZES.find(([bits]) => bits === (i.code & 0x18))![1]
  if (now !== value.origSize) throw fail(`insn #${slot} (LDX/ST/STX) unexpected mem size: got ${now}, exp ${value.origSize}`)
  const size = SIZES.find(([, bytes]) => bytes === value.newSize)
  if (!size) throw fail(`insn #${slot} (LDX/ST/STX) invalid new mem size: ${value.newSize}`)
  i.code = (i.code & ~0x18) | size[0]
}

function patchImm64(insns: Insn[], i: Insn, slot: number, value: CoreValue, fail: (reason: string) => InputError): void {
  const high = insns[slot + 1]
  if (i.code !== LD_IMM64 || i.src !== 0 || i.off !== 0 || !high || high.code !== 0) throw fail(`insn #${slot} (LDIMM64) has unexpected form`)
  const imm = (BigInt.asUintN(32, BigInt(high.imm)) << 32n) | BigInt.asUintN(32, BigInt(i.imm))
  if (value.validate && imm !== value.origVal) {
    throw fail(`unexpected insn #${slot} (LDIMM64) value: got ${imm}, exp ${value.origVal} -> ${value.newVal}`)
  }
  i.imm = Number(BigInt.asIntN(32, value.newVal))
  high.imm = Number(BigInt.asIntN(32, value.newVal >> 32n))
}
