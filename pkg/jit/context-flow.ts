// Which registers hold the context pointer where, in a main program: so that the ring loop can answer loads of data and data_end
// from locals, and loads of other pointers need only their lower halves (the upper are zero, and written by nobody: a load of
// eight bytes would wait for the store of four). A register holds it only if it does on every path; what the analysis can't
// follow counts as an escape.
import { opOf, slotsOf } from '../insn/decode.js'
import type { Insn } from '../insn/insn.js'
import { BPF_CB, SKB, XDP_BUFF } from '../skb/layout.js'
import { CALL, FUNC, PROG_TYPE } from '../uapi/bpf.js'
import type { Block } from './cfg.js'
import type { Unit } from './unit.js'

export interface ContextFacts {
  /** Loads that read a pointer of the context: slot -> offset. */
  readonly loads: ReadonlyMap<number, number>
  /** The context goes where it may be read from memory or changed: to a helper, a subprogram, the stack … */
  readonly escapes: boolean
}

/** Offsets of pointers in the struct behind a context. */
const XDP_POINTERS: ReadonlySet<number> = new Set([
  XDP_BUFF.data, XDP_BUFF.data_end, XDP_BUFF.data_meta, XDP_BUFF.data_hard_start, XDP_BUFF.rxq, XDP_BUFF.txq,
])
const SKB_POINTERS: ReadonlySet<number> = new Set([SKB.dev, SKB.head, SKB.data, SKB.cb + BPF_CB.data_meta, SKB.cb + BPF_CB.data_end])
const NONE: ReadonlySet<number> = new Set()

function pointersOf(type: number): ReadonlySet<number> {
  if (type === PROG_TYPE.XDP) return XDP_POINTERS
  const overSkb = type === PROG_TYPE.SCHED_CLS || type === PROG_TYPE.SCHED_ACT || type === PROG_TYPE.SOCKET_FILTER
  return overSkb ? SKB_POINTERS : NONE
}

const LDX_DW = 0x79
const MOV64X = 0xbf

export function contextFacts(unit: Unit, blocks: readonly Block[], rpo: readonly number[]): ContextFacts {
  const entry = new Int32Array(blocks.length).fill(-1)
  entry[0] = 1 << 1
  for (let changed = true; changed;) {
    changed = false
    for (const number of rpo) {
      const out = walk(unit, blocks[number]!, entry[number]!, undefined)
      for (const to of blocks[number]!.succs) {
        const met = entry[to]! & out
        if (met === entry[to]) continue
        entry[to] = met
        changed = true
      }
    }
  }
  const notes: Notes = { loads: new Map(), escapes: false, pointers: unit.inlines ? pointersOf(unit.image.type) : NONE }
  for (const number of rpo) walk(unit, blocks[number]!, entry[number]!, notes)
  return notes
}

interface Notes { loads: Map<number, number>, escapes: boolean, pointers: ReadonlySet<number> }

/** Registers that hold the context behind a block. */
function walk(unit: Unit, block: Block, start: number, notes: Notes | undefined): number {
  let held = start
  for (let pc = block.start; pc < block.end;) {
    const i = unit.image.insns[pc]!
    if (notes !== undefined) observe(unit, i, pc, held, notes)
    held = step(i, held)
    pc += slotsOf(i)
  }
  return held
}

function step(i: Insn, held: number): number {
  if (i.code === 0x85 || i.code === 0xf5) return held & ~0x3f
  const form = opOf(i)?.form
  switch (form) {
    case 'alu_k': case 'alu_x': case 'neg': case 'end': case 'ldx': case 'load_acq': case 'ld_imm64': {
      const without = held & ~(1 << i.dst)
      return i.code === MOV64X && i.off === 0 && (held >> i.src) & 1 ? without | (1 << i.dst) : without
    }
    case 'fetch': return held & ~(1 << i.src)
    case 'cmpxchg': return held & ~1
    case 'ld_abs': case 'ld_ind': return held & ~0x3f
    default: return held
  }
}

function observe(unit: Unit, i: Insn, pc: number, held: number, notes: Notes): void {
  const holds = (reg: number): boolean => ((held >> reg) & 1) === 1
  if (i.code === 0x85 || i.code === 0xf5) {
    if ((held & 0x3e) !== 0 && !isInline(unit, i, pc)) notes.escapes = true
    return
  }
  const form = opOf(i)?.form
  if (form === 'ldx' && holds(i.src)) return observeLoad(i, pc, notes)
  const reads = form === 'alu_x' && i.code === MOV64X && i.off === 0 ? false
    : form === 'ld_imm64' || form === 'ld_abs' ? false
      : form === 'alu_k' ? i.code !== 0xb7 && i.code !== 0xb4 && holds(i.dst)
        : form === 'exit' ? holds(0) : holds(i.dst) || holds(i.src)
  if (reads) notes.escapes = true
}

function observeLoad(i: Insn, pc: number, notes: Notes): void {
  if (i.code === LDX_DW && notes.pointers.has(i.off)) notes.loads.set(pc, i.off)
  else if (i.off < XDP_BUFF.data_meta + 8) notes.escapes = true
}

function isInline(unit: Unit, i: Insn, pc: number): boolean {
  if (i.code !== 0x85 || i.src !== CALL.HELPER) return false
  return (unit.inlines && i.imm === FUNC.get_smp_processor_id) || unit.inlineLookup(i.imm, pc) !== undefined
}
