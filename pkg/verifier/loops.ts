// Loops that are left by convergence (iterators, may_goto, callbacks): a state found equal while its loop is still being walked may
// gain precision marks later, so the jump back is kept and replayed when the loop is done (compute_scc_callchain(), add_scc_backedge(),
// propagate_backedges(), kernel/bpf/verifier.c).
import type { Env } from './env.js'
import { propagatePrecision } from './precision.js'
import type { State } from './state.js'

interface Visit { entry: State | undefined, backedges: { state: State, equal: State }[] }

const visits = new WeakMap<Env, Map<string, Visit>>()

function visitsOf(env: Env): Map<string, Visit> {
  let map = visits.get(env)
  if (map === undefined) visits.set(env, (map = new Map()))
  return map
}

/** Of loops of the first frame, made once. */
const names: string[] = []

/** The loop a state is in, by the calls that lead to it; undefined: none. */
function chainOf(env: Env, st: State): string | undefined {
  const { scc } = env.aux[st.frames.length === 1 ? st.insn : st.frames[1]!.callsite]!
  if (scc > 0) return (names[scc] ??= `${scc}`)
  if (st.frames.length === 1) return undefined
  const calls: number[] = []
  for (let n = 0; n < st.frames.length; n++) {
    const insn = n === st.frames.length - 1 ? st.insn : st.frames[n + 1]!.callsite
    const scc = env.aux[insn]!.scc
    if (scc > 0) return [...calls, scc].join(',')
    calls.push(insn)
  }
  return undefined
}

/** maybe_enter_scc(): the first state inside of a loop opens a visit. */
export function enterScc(env: Env, st: State): void {
  const chain = chainOf(env, st)
  if (chain === undefined) return
  const map = visitsOf(env)
  const visit = map.get(chain)
  if (visit?.entry !== undefined) return
  map.set(chain, { entry: st, backedges: visit?.backedges ?? [] })
  say(env, 'enter', chain)
}

function say(env: Env, what: string, chain: string): void {
  if (env.level & 2) env.verbose(`SCC ${what} (${chain})\n`)
}

/** maybe_exit_scc(): all paths of the entry state are done: marks travel along the jumps back until none is new. */
export function exitScc(env: Env, st: State): void {
  const map = visits.get(env)
  if (map === undefined) return
  const chain = chainOf(env, st)
  const visit = chain === undefined ? undefined : map.get(chain)
  if (visit === undefined || visit.entry !== st) return
  for (let changed = visit.backedges.length > 0; changed;) {
    changed = false
    for (const edge of visit.backedges) if (propagatePrecision(env, edge.equal, edge.state)) changed = true
  }
  say(env, 'exit', chain!)
  env.numBackedges -= visit.backedges.length
  visit.entry = undefined
  visit.backedges = []
}

/** incomplete_read_marks(): marks of this state may still grow. */
export function incompleteMarks(env: Env, st: State): boolean {
  const map = visits.get(env)
  if (map === undefined) return false
  const chain = chainOf(env, st)
  return chain !== undefined && (map.get(chain)?.backedges.length ?? 0) > 0
}

export function addBackedge(env: Env, old: State, cur: State): void {
  const chain = chainOf(env, old)
  const visit = chain === undefined ? undefined : visitsOf(env).get(chain)
  if (visit === undefined) return
  const state = cur.copy()
  state.insn = env.insn
  say(env, 'backedge', chain!)
  visit.backedges.push({ state, equal: old })
  env.numBackedges++
}
