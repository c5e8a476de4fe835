// One instruction as text, word for word as print_bpf_insn() has it (kernel/bpf/disasm.c), so that both the verifier's log and
// `bpftool prog dump xlated` come from here; who knows maps, helpers and subprograms by name hands in callbacks.
import { CALL, FUNC } from '../uapi/bpf.js'
import { opOf } from './decode.js'
import type { Insn } from './insn.js'
import type { Form, Op } from './table.js'

/** struct bpf_insn_cbs: the words of a caller. */
export interface DisasmNames {
  /** What a 16-byte load loads; default the number, `0x…`. */
  imm64?: (i: Insn, next: Insn) => string | undefined
  /** What stands after `call `; default `pc+3`, `bpf_map_lookup_elem#1`, `kernel-function`. */
  call?: (i: Insn, pc: number) => string | undefined
}

/** `(b7) r0 = 2`: the instruction at a slot. */
export function disasm(insns: readonly Insn[], pc: number, names: DisasmNames = {}): string {
  const i = insns[pc]!
  return `(${i.code.toString(16).padStart(2, '0')}) ${disasmText(insns, pc, names)}`
}

/** `r0 = 2`: the same without the code in front; what no row of the table describes is `BUG_…`. */
export function disasmText(insns: readonly Insn[], pc: number, names: DisasmNames = {}): string {
  const i = insns[pc]!
  const op = opOf(i)
  if (op === undefined) return `BUG_${i.code.toString(16).padStart(2, '0')}`
  return words[op.form](i, op, { next: insns[pc + 1] ?? NONE, pc, names })
}

interface Around { next: Insn, pc: number, names: DisasmNames }
const NONE: Insn = { code: 0, dst: 0, src: 0, off: 0, imm: 0 }

/** %+d */
const signed = (n: number): string => (n < 0 ? `${n}` : `+${n}`)
const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`
const reg = (op: Op, n: number): string => `${op.bits === 64 ? 'r' : 'w'}${n}`
const wide = (op: Op): 'r' | 'w' => ((op.code & 7) === 7 ? 'r' : 'w')
const mem = (op: Op, base: number, off: number): string => `*(${op.text} *)(r${base} ${signed(off)})`
const sized = (op: Op, base: number, off: number): string => `(u${op.bits} *)(r${base} ${signed(off)})`
const atomic = (op: Op): string => (op.bits === 64 ? 'atomic64' : 'atomic')
const dstMem = (i: Insn, op: Op): string => sized(op, i.dst, i.off)

const words: Readonly<Record<Form, (i: Insn, op: Op, at: Around) => string>> = {
  alu_k: (i, op) => `${reg(op, i.dst)} ${op.text} ${i.imm}`,
  alu_x: (i, op) => `${reg(op, i.dst)} ${op.text}${op.text.endsWith(')') ? '' : ' '}${reg(op, i.src)}`,
  neg: (i, op) => `${wide(op)}${i.dst} = -${wide(op)}${i.dst}`,
  end: (i, op) => `r${i.dst} = ${op.text} r${i.dst}`,
  jmp_k: (i, op) => `if ${reg(op, i.dst)} ${op.text} ${hex(i.imm)} goto pc${signed(i.off)}`,
  jmp_x: (i, op) => `if ${reg(op, i.dst)} ${op.text} ${reg(op, i.src)} goto pc${signed(i.off)}`,
  ja: (i, op) => `${op.text} pc${signed(i.off)}`,
  gotol: i => `gotol pc${signed(i.imm)}`,
  call: (i, _, at) => `call ${at.names.call?.(i, at.pc) ?? callee(i)}`,
  kfunc: (i, _, at) => `call ${at.names.call?.(i, at.pc) ?? 'kernel-function'}`,
  tail: (i, _, at) => `call ${at.names.call?.(i, at.pc) ?? 'bpf_tail_call#12'}`,
  exit: () => 'exit',
  ldx: (i, op) => `r${i.dst} = ${mem(op, i.src, i.off)}`,
  st: (i, op) => `${mem(op, i.dst, i.off)} = ${i.imm}`,
  stx: (i, op) => `${mem(op, i.dst, i.off)} = r${i.src}`,
  atomic: (i, op) => `lock *${dstMem(i, op)} ${op.text} r${i.src}`,
  fetch: (i, op) =>
    `r${i.src} = ${atomic(op)}_${op.text === 'xchg' ? '' : 'fetch_'}${op.text}(${dstMem(i, op)}, r${i.src})`,
  cmpxchg: (i, op) => `r0 = ${atomic(op)}_cmpxchg(${dstMem(i, op)}, r0, r${i.src})`,
  load_acq: (i, op) => `r${i.dst} = load_acquire(${sized(op, i.src, i.off)})`,
  store_rel: (i, op) => `store_release(${dstMem(i, op)}, r${i.src})`,
  ld_abs: (i, op) => `r0 = *(${op.text} *)skb[${i.imm}]`,
  ld_ind: (i, op) => `r0 = *(${op.text} *)skb[r${i.src} + ${i.imm}]`,
  ld_imm64: (i, _, at) => `r${i.dst} = ${at.names.imm64?.(i, at.next) ?? imm64Text(i, at.next)}`,
}

/** `0x…` of the two slots of a 16-byte load. */
export function imm64Text(i: Insn, next: Insn): string {
  const high = next.imm >>> 0
  if (high === 0) return hex(i.imm)
  return `0x${high.toString(16)}${(i.imm >>> 0).toString(16).padStart(8, '0')}`
}

const helperNames = new Map<number, string>(Object.entries(FUNC).map(([name, id]) => [id, name]))

/** func_id_name(): `bpf_map_lookup_elem`, or `unknown`. */
export function helperName(id: number): string {
  const name = helperNames.get(id)
  return name === undefined ? 'unknown' : `bpf_${name}`
}

function callee(i: Insn): string {
  return i.src === CALL.PSEUDO_CALL ? `pc${signed(i.imm)}` : `${helperName(i.imm)}#${i.imm}`
}
