// In which order C needs definitions: a type embedded by value comes before its user, one behind a pointer can wait for its
// forward declaration. Answers to the ordering half of tools/lib/bpf/btf_dump.c.
import type { Btf } from './btf.js'
import { referredIds } from './parse.js'
import { KIND, type BtfType } from './types.js'

/** A hostile graph of prototypes can be walked for ever; no real BTF comes near these. */
const MAX_STEPS = 50_000_000
const MAX_DEPTH = 1000

type State = 'ordering' | 'ordered'

/** Definitions still to be emitted for a type, each id once over the life of the object. */
export class Order {
  readonly #btf: Btf
  readonly #states = new Map<number, State>()
  readonly #referenced = new Set<number>()
  #queue: number[] = []
  #steps = 0

  constructor(btf: Btf) {
    this.#btf = btf
    for (const t of btf.types) {
      if (t.kind === KIND.FUNC_PROTO) for (const p of t.params) this.#referenced.add(p.type)
      else for (const id of referredIds(t)) this.#referenced.add(id)
    }
  }

  /** Ids to define now so that `id` itself can be defined. */
  queue(id: number): number[] {
    this.#queue = []
    this.#visit(id, false, 0)
    return this.#queue
  }

  /** True for a strong link: the definition is queued or known before whoever asked. */
  #visit(id: number, throughPtr: boolean, depth: number): boolean {
    if (++this.#steps > MAX_STEPS || depth > MAX_DEPTH) throw this.#btf.fail(`type [${id}]: types are nested too deep`)
    const state = this.#states.get(id)
    if (state === 'ordered') return true
    const t = this.#btf.type(id)
    if (state === 'ordering') {
      if ((t.kind === KIND.STRUCT || t.kind === KIND.UNION) && throughPtr && t.name !== '') return false
      throw this.#btf.fail(`unsatisfiable type cycle, id:[${id}]`)
    }
    return this.#visitNew(t, throughPtr, depth + 1)
  }

  #visitNew(t: BtfType, throughPtr: boolean, depth: number): boolean {
    switch (t.kind) {
      case KIND.PTR: {
        const strong = this.#visit(t.type, true, depth)
        this.#states.set(t.id, 'ordered')
        return strong
      }
      case KIND.ARRAY: return this.#visit(t.element, false, depth)
      case KIND.CONST: case KIND.VOLATILE: case KIND.RESTRICT: case KIND.TYPE_TAG: return this.#visit(t.type, throughPtr, depth)
      case KIND.STRUCT: case KIND.UNION: {
        if (throughPtr && t.name !== '') return false
        this.#states.set(t.id, 'ordering')
        for (const m of t.members) this.#visit(m.type, false, depth)
        return this.#define(t.id, t.name !== '')
      }
      case KIND.ENUM: case KIND.ENUM64: case KIND.FWD: return this.#define(t.id, t.name !== '' || !this.#referenced.has(t.id))
      case KIND.TYPEDEF:
        if (!this.#visit(t.type, throughPtr, depth) && throughPtr) return false
        return this.#define(t.id, true)
      case KIND.FUNC_PROTO: {
        let strong = this.#visit(t.ret, throughPtr, depth)
        for (const p of t.params) strong = this.#visit(p.type, throughPtr, depth) || strong
        return strong
      }
      default:
        this.#states.set(t.id, 'ordered')
        return false
    }
  }

  #define(id: number, queued: boolean): boolean {
    if (queued) this.#queue.push(id)
    this.#states.set(id, 'ordered')
    return true
  }
}
