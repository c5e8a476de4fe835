// The fallback for graphs with a loop of several entrances: one wasm loop around a br_table over all nodes.
import { I32, type FuncBuilder, type Label } from '../wasm/index.js'
import type { Leaves } from './shape.js'

export function emitDispatch(f: FuncBuilder, succs: readonly (readonly number[])[], nodes: readonly number[], leaves: Leaves): void {
  const state = f.borrow(I32)
  const places = new Map(nodes.map((node, place) => [node, place]))
  f.i32(0)
  f.set(state)
  const again = f.loop()
  const ends: Label[] = nodes.map(() => f.block()).reverse()
  f.get(state)
  f.brTable(ends, ends[0]!)
  nodes.forEach((node, place) => {
    f.end(ends[place]!)
    leaves.body(node)
    emitNext(f, succs[node]!.map(to => places.get(to)!), node, state, leaves, again)
  })
  f.end(again)
  f.free(I32, state)
}

function emitNext(f: FuncBuilder, to: readonly number[], node: number, state: number, leaves: Leaves, again: Label): void {
  const [taken, other] = to
  if (taken === undefined) return leaves.leave(node)
  f.i32(taken)
  if (other !== undefined) {
    f.i32(other)
    leaves.condition(node, false)
    f.op(0x1b)
  }
  f.set(state)
  f.br(again)
}
