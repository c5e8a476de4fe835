// A verified, fixed-up program, as the verifier hands it to the engines and the state keeps it.
import type { Insn } from '../insn/insn.js'

/**
 * `insns` is the xlated form. Context accesses are already loads and stores of the emulated kernel's structs. What stays symbolic:
 *  ld_imm64 MAP_FD: imm = map id; MAP_VALUE: imm = map id, next imm = offset; BTF_ID: imm = address of the object; FUNC: imm = relative
 *  slot of the subprogram, as in the ELF form; helper call: imm = helper id; pseudo call: imm = relative slot; kfunc call: imm = its BTF
 *  id in vmlinux. Division by zero, may_goto, 32-bit zero extension are the engines' business: nothing is patched in for them.
 */
export interface Image {
  readonly name: string
  readonly type: number
  readonly insns: readonly Insn[]
  /** First slots of subprograms, ascending; the first is 0. */
  readonly subprogs: readonly number[]
  /** Per subprogram: bytes of stack it uses (0..512, a multiple of 8). */
  readonly stack: readonly number[]
  /** Subprograms whose address is taken (callbacks). */
  readonly callbacks: readonly number[]
  /** Per slot, only where the verifier knows more. */
  readonly aux: ReadonlyMap<number, InsnAux>
  readonly mapIds: readonly number[]
}

export interface InsnAux {
  /** At a helper call: the one map that reaches it in r1 (or the map argument), so that engines may specialise. */
  readonly mapId?: number
  /** A load through an untrusted pointer: reads 0 instead of faulting (BPF_PROBE_MEM). */
  readonly probe?: boolean
  /** At a tail call: constant index. */
  readonly index?: number
}
