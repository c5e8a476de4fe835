// Order, dominators and loops of a graph: Cooper, Harvey, Kennedy "A Simple, Fast Dominance Algorithm"; loops as in Havlak,
// inner before outer. Everything iterative: programs have tens of thousands of blocks.

export interface Flow {
  /** Nodes in reverse postorder; order[n]: place of a node in it. */
  readonly rpo: readonly number[]
  readonly order: Int32Array
  /** Immediate dominator; the entry's is itself. */
  readonly idom: Int32Array
  /** 1: the target of a back edge. */
  readonly header: Uint8Array
  /** Header of the innermost loop around a node; of a header: of the next loop outwards. -1: none. */
  readonly around: Int32Array
  /** Number of edges that enter a node forwards. */
  readonly forward: Int32Array
  /** false: some loop has a second entrance. */
  readonly reducible: boolean
}

export function analyse(succs: readonly (readonly number[])[]): Flow {
  const rpo = reversePostorder(succs)
  const order = new Int32Array(succs.length).fill(-1)
  rpo.forEach((node, place) => { order[node] = place })
  const preds = predecessors(succs, rpo)
  const idom = dominators(rpo, order, preds)
  const header = new Uint8Array(succs.length)
  const forward = new Int32Array(succs.length)
  let reducible = true
  for (const node of rpo) {
    for (const to of succs[node]!) {
      if (order[to]! > order[node]!) forward[to]!++
      else if (dominates(idom, order, to, node)) header[to] = 1
      else reducible = false
    }
  }
  return { rpo, order, idom, header, around: loops(rpo, order, preds, header), forward, reducible }
}

/** a dominates b. */
function dominates(idom: Int32Array, order: Int32Array, a: number, b: number): boolean {
  let at = b
  while (order[at]! > order[a]!) at = idom[at]!
  return at === a
}

function reversePostorder(succs: readonly (readonly number[])[]): number[] {
  const post: number[] = []
  const seen = new Uint8Array(succs.length)
  const stack: { node: number, next: number }[] = [{ node: 0, next: 0 }]
  seen[0] = 1
  while (stack.length > 0) {
    const top = stack.at(-1)!
    const to = succs[top.node]![top.next++]
    if (to === undefined) {
      post.push(top.node)
      stack.pop()
    } else if (seen[to] === 0) {
      seen[to] = 1
      stack.push({ node: to, next: 0 })
    }
  }
  return post.reverse()
}

function predecessors(succs: readonly (readonly number[])[], rpo: readonly number[]): number[][] {
  const preds: number[][] = succs.map(() => [])
  for (const node of rpo) for (const to of succs[node]!) preds[to]!.push(node)
  return preds
}

function dominators(rpo: readonly number[], order: Int32Array, preds: readonly number[][]): Int32Array {
  const idom = new Int32Array(preds.length).fill(-1)
  idom[0] = 0
  for (let changed = true; changed;) {
    changed = false
    for (const node of rpo) {
      if (node === 0) continue
      let best = -1
      // Latest first: the next one is then mostly a step away.
      const from = preds[node]!
      for (let n = from.length - 1; n >= 0; n--) {
        const pred = from[n]!
        if (idom[pred] === -1) continue
        best = best === -1 ? pred : meet(idom, order, best, pred)
      }
      if (idom[node] === best) continue
      idom[node] = best
      changed = true
    }
  }
  return idom
}

function meet(idom: Int32Array, order: Int32Array, a: number, b: number): number {
  let x = a
  let y = b
  while (x !== y) {
    if (order[x]! > order[y]!) x = idom[x]!
    else y = idom[y]!
  }
  return x
}

/** Collapses loops from the inside out: every node joins the first (innermost) header that reaches it backwards. */
function loops(rpo: readonly number[], order: Int32Array, preds: readonly number[][], header: Uint8Array): Int32Array {
  const around = new Int32Array(preds.length).fill(-1)
  const rep = Int32Array.from(preds, (_, node) => node)
  const find = (node: number): number => {
    let at = node
    while (rep[at] !== at) at = rep[at] = rep[rep[at]!]!
    return at
  }
  for (let place = rpo.length - 1; place >= 0; place--) {
    const head = rpo[place]!
    if (header[head] === 0) continue
    const work = preds[head]!.filter(pred => order[pred]! >= place).map(find)
    for (let node = work.pop(); node !== undefined; node = work.pop()) {
      if (node === head || around[node] !== -1) continue
      around[node] = head
      rep[node] = head
      for (const pred of preds[node]!) {
        const outer = find(pred)
        if (outer !== head) work.push(outer)
      }
    }
  }
  return around
}
