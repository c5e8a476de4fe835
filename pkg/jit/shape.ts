// From a reducible graph to nested blocks and loops (Ramsey, "Beyond Relooper", ICFP 2022), without recursion: pieces of work on a
// stack. With `loopOut`, code behind a loop is laid behind the wasm loop, not inside it: V8 then unrolls small loops.
import type { FuncBuilder, Label } from '../wasm/index.js'
import type { Flow } from './dominators.js'

/** What the graph's owner emits. */
export interface Leaves {
  /** The straight-line part of a node. */
  body(node: number): void
  /** The condition of a node with two successors, negated or not: leaves an i32. */
  condition(node: number, negate: boolean): void
  /** The end of a node without successors. */
  leave(node: number): void
}

export function emitShape(f: FuncBuilder, succs: readonly (readonly number[])[], flow: Flow, leaves: Leaves, loopOut: boolean): void {
  const plan = place(succs.length, flow, loopOut)
  new Shaper(f, succs, flow, leaves, plan).run()
}

interface Plan {
  /** Nodes whose code follows a node's own (merges it dominates), by descending order. */
  readonly after: readonly number[][]
  /** Nodes whose code follows the loop of a header. */
  readonly behind: readonly number[][]
  /** 1: reached by a branch to a block's end; 0: emitted where its one predecessor jumps. */
  readonly labelled: Uint8Array
}

function place(nodes: number, flow: Flow, loopOut: boolean): Plan {
  const after: number[][] = Array.from({ length: nodes }, () => [])
  const behind: number[][] = Array.from({ length: nodes }, () => [])
  const labelled = new Uint8Array(nodes)
  for (const node of flow.rpo.toReversed()) {
    if (node === 0) continue
    const parent = flow.idom[node]!
    const loop = loopOut ? leftLoop(flow, parent, node) : -1
    if (loop >= 0) behind[loop]!.push(node)
    else if (flow.forward[node]! > 1) after[parent]!.push(node)
    else continue
    labelled[node] = 1
  }
  return { after, behind, labelled }
}

/** The outermost loop around `from` that `to` lies outside of; -1: none. */
function leftLoop(flow: Flow, from: number, to: number): number {
  let left = -1
  for (let loop = flow.header[from] === 1 ? from : flow.around[from]!; loop >= 0; loop = flow.around[loop]!) {
    if (inLoop(flow, to, loop)) break
    left = loop
  }
  return left
}

function inLoop(flow: Flow, node: number, loop: number): boolean {
  for (let at = flow.header[node] === 1 ? node : flow.around[node]!; at >= 0; at = flow.around[at]!) {
    if (at === loop) return true
  }
  return false
}

type Work = () => void

class Shaper {
  readonly #f: FuncBuilder
  readonly #succs: readonly (readonly number[])[]
  readonly #flow: Flow
  readonly #leaves: Leaves
  readonly #plan: Plan
  readonly #work: Work[] = []
  readonly #ends: (Label | undefined)[] = []
  readonly #heads: (Label | undefined)[] = []

  constructor(f: FuncBuilder, succs: readonly (readonly number[])[], flow: Flow, leaves: Leaves, plan: Plan) {
    this.#f = f
    this.#succs = succs
    this.#flow = flow
    this.#leaves = leaves
    this.#plan = plan
  }

  run(): void {
    this.#tree(0)
    for (let next = this.#work.pop(); next !== undefined; next = this.#work.pop()) next()
  }

  /** Does these in this order, before anything that was planned earlier. */
  #plans(steps: readonly Work[]): void {
    for (let n = steps.length - 1; n >= 0; n--) this.#work.push(steps[n]!)
  }

  /** A node and everything it dominates. */
  #tree(node: number): void {
    const steps: Work[] = []
    const behind = this.#plan.behind[node]!
    const after = this.#plan.after[node]!
    const isHeader = this.#flow.header[node] === 1
    for (const next of behind) steps.push(() => { this.#ends[next] = this.#f.block() })
    if (isHeader) steps.push(() => { this.#heads[node] = this.#f.loop() })
    for (const next of after) steps.push(() => { this.#ends[next] = this.#f.block() })
    steps.push(() => { this.#node(node) })
    for (const next of after.toReversed()) steps.push(() => { this.#f.end(this.#ends[next]!) }, () => { this.#tree(next) })
    if (isHeader) steps.push(() => { this.#f.end(this.#heads[node]!) })
    for (const next of behind.toReversed()) steps.push(() => { this.#f.end(this.#ends[next]!) }, () => { this.#tree(next) })
    this.#plans(steps)
  }

  #node(node: number): void {
    this.#leaves.body(node)
    const [taken, other] = this.#succs[node]!
    if (taken === undefined) this.#leaves.leave(node)
    else if (other === undefined || other === taken) this.#go(node, taken)
    else this.#choose(node, taken, other)
  }

  #choose(node: number, taken: number, other: number): void {
    const label = this.#label(node, taken)
    if (label !== undefined) {
      this.#leaves.condition(node, false)
      this.#f.brIf(label)
      return this.#go(node, other)
    }
    const otherLabel = this.#label(node, other)
    this.#leaves.condition(node, otherLabel !== undefined)
    if (otherLabel !== undefined) {
      this.#f.brIf(otherLabel)
      return this.#tree(taken)
    }
    const then = this.#f.if()
    this.#plans([() => { this.#tree(taken) }, () => { this.#f.end(then) }, () => { this.#tree(other) }])
  }

  #go(from: number, to: number): void {
    const label = this.#label(from, to)
    if (label === undefined) this.#tree(to)
    else this.#f.br(label)
  }

  /** Where a branch along this edge goes; undefined: the target's code comes right here. */
  #label(from: number, to: number): Label | undefined {
    if (this.#flow.order[to]! <= this.#flow.order[from]!) return this.#heads[to]
    return this.#plan.labelled[to] === 1 ? this.#ends[to] : undefined
  }
}
