// `prog dump xlated … visual`: basic blocks and edges in DOT (cfg.c). Like upstream, a call that ends a block has two edges, and every block
// falls through to the one below, also after an exit.
import { disasm } from '../../pkg/insn/disasm.js'
import type { Insn } from '../../pkg/insn/insn.js'
import { CALL } from '../../pkg/uapi/bpf.js'
import { slotText, symbols } from './xlated.js'

const [BPF_JMP, BPF_JMP32] = [5, 6]
const [BPF_JA, BPF_CALL, BPF_EXIT] = [0x00, 0x80, 0x90]
const LD_IMM64 = 0x18

const isJump = ({ code }: Insn): boolean => (code & 7) === BPF_JMP || (code & 7) === BPF_JMP32
const operation = ({ code }: Insn): number => code & 0xf0

/** gotol keeps its distance in imm. */
const target = (i: Insn, at: number): number => at + 1 + ((i.code & 7) === BPF_JMP32 && operation(i) === BPF_JA ? i.imm : i.off)

export function graph(insns: readonly Insn[]): string {
  const callees = insns.flatMap((i, at) => (i.code === (BPF_JMP | BPF_CALL) && i.src === CALL.PSEUDO_CALL ? [at + 1 + i.imm] : []))
  const starts = [...new Set([0, ...callees])].toSorted((a, b) => a - b)
  const bodies = starts.map((start, n) => cluster(insns.slice(start, starts[n + 1] ?? insns.length), n))
  return `digraph "DOT graph for eBPF program" {\n${bodies.join('')}}\n`
}

function cluster(insns: readonly Insn[], n: number): string {
  const heads = blockHeads(insns)
  const node = (block: number): string => `fn_${n}_bb_${block}`
  const edge = (from: number, to: number, style: string): string => `\t${node(from)}:s -> ${node(to)}:n [style=${style}, constraint=true];\n`
  const blocks = heads.map((head, at) => {
    const text = label(insns, head, heads[at + 1] ?? insns.length)
    return `\t${node(at + 2)} [shape=record,style=filled,label="${text}"];\n\n`
  })
  const edges = heads.flatMap((_, at) => targets(insns, heads, at).map((to) => edge(at + 2, to, SOLID)))
  return `subgraph "cluster_${n}" {\n\tstyle="dashed";\n\tcolor="black";\n\tlabel="func_${n} ()";\n`
    + `\t${node(0)} [shape=Mdiamond,style=filled,label="ENTRY"];\n\n${blocks.join('')}`
    + `\t${node(1)} [shape=Mdiamond,style=filled,label="EXIT"];\n\n`
    + `${edge(0, 2, SOLID)}${edges.join('')}${edge(0, 1, '"invis"')}}\n`
}

const SOLID = '"solid,bold", color=black, weight=10'

function blockHeads(insns: readonly Insn[]): number[] {
  const heads = new Set([0])
  insns.forEach((i, at) => {
    if (!isJump(i) || operation(i) === BPF_EXIT || operation(i) === BPF_CALL) return
    heads.add(target(i, at))
    if (operation(i) !== BPF_JA) heads.add(at + 1)
  })
  return [...heads].filter((head) => head >= 0 && head < insns.length).toSorted((a, b) => a - b)
}

/** Numbers of the blocks behind block `at`: below it, then where it jumps. EXIT is 1. */
function targets(insns: readonly Insn[], heads: readonly number[], at: number): number[] {
  const last = (heads[at + 1] ?? insns.length) - 1
  const below = at + 1 < heads.length ? at + 3 : 1
  const i = insns[last]!
  if (!isJump(i) || operation(i) === BPF_EXIT) return [below]
  const jump = heads.indexOf(operation(i) === BPF_CALL ? last + 1 : target(i, last))
  const to = jump < 0 ? below : jump + 2
  return operation(i) === BPF_JA ? [to] : [below, to]
}

function label(insns: readonly Insn[], from: number, end: number): string {
  let text = '{'
  for (let at = from; at < end; at++) {
    text += `${at === from ? '' : ' | '}${slotText(at)}${disasm(insns, at, symbols({})).replace(/[<>&|]/g, '\\$&')}\\l\\\n`
    if (insns[at]!.code === LD_IMM64) at += 1
  }
  return `${text}}`
}
