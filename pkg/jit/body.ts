// The instructions of one subprogram as nested blocks, ending in fn.exit() wherever it exits.
import { MAY_GOTO_LIMIT } from '../interp/loop.js'
import type { Image } from '../prog/image.js'
import { buildCfg, type Block } from './cfg.js'
import { emitDispatch } from './dispatch.js'
import { analyse, type Flow } from './dominators.js'
import { emitBlock } from './emit-insn.js'
import { emitCondition } from './emit-jmp.js'
import type { Fn } from './fn.js'
import { emitShape, type Leaves } from './shape.js'

export interface Graph { readonly blocks: readonly Block[], readonly succs: readonly (readonly number[])[], readonly flow: Flow }

export function graphOf(image: Image, sub: number): Graph {
  const blocks = buildCfg(image.insns, image.subprogs[sub]!, image.subprogs[sub + 1] ?? image.insns.length)
  const succs = blocks.map(block => block.succs)
  return { blocks, succs, flow: analyse(succs) }
}

/** inLoop: the body already stands in a wasm loop. */
export function emitBody(fn: Fn, { blocks, succs, flow }: Graph, place: { inLoop: boolean }): void {
  const { insns } = fn.unit.image
  if (blocks.some(block => block.last !== undefined && insns[block.last]!.code === MAY_GOTO)) {
    fn.f.i32(MAY_GOTO_LIMIT)
    fn.f.set(fn.budget)
  }
  const leaves: Leaves = {
    body: node => { emitBlock(fn, blocks[node]!.start, blocks[node]!.end, blocks[node]!.last) },
    condition: (node, negate) => { emitCondition(fn, insns[blocks[node]!.last!]!, negate) },
    leave: () => { fn.exit() },
  }
  if (!fn.unit.options.structured || !flow.reducible) return emitDispatch(fn.f, succs, flow.rpo, leaves)
  // V8 unrolls a loop twice as far when it stands in another one, and looks no closer than at the nesting.
  const around = flow.header.includes(1) && !place.inLoop ? fn.f.loop() : undefined
  emitShape(fn.f, succs, flow, leaves, !place.inLoop)
  if (around !== undefined) fn.f.end(around)
}

const MAY_GOTO = 0xe5
