// The control-flow graph of one subprogram: basic blocks that are reachable from its first slot.
import { Bug } from '../bytes/errors.js'
import { slotsOf, targetOf } from '../insn/decode.js'
import type { Insn } from '../insn/insn.js'

export interface Block {
  /** First slot, and the slot behind the last. */
  readonly start: number
  readonly end: number
  /** Slot of the instruction that ends it by jumping or exiting; undefined: it falls into the next. */
  readonly last: number | undefined
  /** Block numbers: [taken, not taken] of a condition, one of a jump, none of an exit. */
  succs: readonly number[]
}

/** Blocks of slots [from, to), the first being the entry. */
export function buildCfg(insns: readonly Insn[], from: number, to: number): Block[] {
  const starts = leaders(insns, from, to)
  const blocks: Block[] = []
  const numbers = new Map<number, number>()
  for (const start of starts) {
    numbers.set(start, blocks.length)
    blocks.push(scan(insns, start, starts, to))
  }
  for (const block of blocks) {
    block.succs = targets(insns, block).map(slot => {
      const number = numbers.get(slot)
      if (number === undefined) throw new Bug(`a jump to slot ${slot} leaves its subprogram`)
      return number
    })
  }
  return blocks
}

const EXIT = 0x95
const isUnconditional = (i: Insn): boolean => i.code === 0x05 || i.code === 0x06

/** First slots of blocks, ascending, found by walking from the entry: dead code is never seen. */
function leaders(insns: readonly Insn[], from: number, to: number): Set<number> {
  const found = new Set([from])
  const seen = new Uint8Array(to - from)
  const work = [from]
  for (let pc = work.pop(); pc !== undefined; pc = work.pop()) {
    while (pc < to && seen[pc - from] === 0) {
      seen[pc - from] = 1
      const i: Insn = insns[pc]!
      if (i.code === EXIT) break
      const target = targetOf(i, pc)
      if (target !== undefined) {
        found.add(target)
        work.push(target)
        if (isUnconditional(i)) break
        found.add(pc + 1)
      }
      pc += slotsOf(i)
    }
  }
  return new Set([...found].sort((a, b) => a - b))
}

function scan(insns: readonly Insn[], start: number, starts: ReadonlySet<number>, to: number): Block {
  for (let pc = start; pc < to;) {
    const i = insns[pc]!
    const next = pc + slotsOf(i)
    if (i.code === EXIT || targetOf(i, pc) !== undefined) return { start, end: next, last: pc, succs: [] }
    if (starts.has(next)) return { start, end: next, last: undefined, succs: [] }
    pc = next
  }
  throw new Bug('a subprogram runs past its end')
}

function targets(insns: readonly Insn[], block: Block): number[] {
  if (block.last === undefined) return [block.end]
  const i = insns[block.last]!
  if (i.code === EXIT) return []
  const target = targetOf(i, block.last)!
  return isUnconditional(i) ? [target] : [target, block.end]
}
