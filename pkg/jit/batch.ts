// The entrance `batch`: the main program inside a loop over the descriptor ring (pkg/prog/engine.ts).
import { RING } from '../mem/layout.js'
import { XDP_BUFF } from '../skb/layout.js'
import { I32, I64, MEM, OP, type FuncBuilder, type Label } from '../wasm/index.js'
import { emitBody, type Graph } from './body.js'
import type { ContextFacts } from './context-flow.js'
import { Fn } from './fn.js'
import { CTX, loadPointer, resetTailCount, takeContext } from './main.js'
import type { Unit } from './unit.js'

/** Exits go to the end of an iteration, data and data_end are locals. */
class BatchFn extends Fn {
  done: Label | undefined
  readonly data: number
  readonly dataEnd: number
  readonly #facts: ContextFacts

  constructor(unit: Unit, f: FuncBuilder, facts: ContextFacts) {
    super(unit, f, { sub: 0, fp: undefined, params: [] })
    this.#facts = facts
    this.data = f.local(I64)
    this.dataEnd = f.local(I64)
  }

  override exit(): void {
    this.f.br(this.done!)
  }

  override tailCall(): void {
    this.f.callIndirect(this.unit.mainType, 0)
    this.set32(0)
    this.exit()
  }

  override contextLoad(pc: number): boolean {
    const offset = this.#facts.loads.get(pc)
    if (offset === undefined) return false
    if (offset === XDP_BUFF.data || (offset === XDP_BUFF.data_meta && !this.#facts.escapes)) this.f.get(this.data)
    else if (offset === XDP_BUFF.data_end) this.f.get(this.dataEnd)
    else loadPointer(this, offset)
    return true
  }

  override afterCall(): void {
    if (!this.#facts.escapes) return
    for (const [local, offset] of [[this.data, XDP_BUFF.data], [this.dataEnd, XDP_BUFF.data_end]] as const) {
      loadPointer(this, offset)
      this.f.set(local)
    }
  }
}

const COUNT = 1
const DESC = { data: 0, data_end: 4, verdict: 8, size: 16, shift: 4 } as const

/** batch(ctx, count): for each descriptor of the ring { ctx->data … = it; verdict = the program; } */
export function emitBatch(unit: Unit, graph: Graph, facts: ContextFacts): void {
  const { f, index } = unit.m.func([I32, I32], [])
  const desc = f.local(I32)
  const fn = new BatchFn(unit, f, facts)
  f.i32(RING)
  f.set(desc)
  f.get(COUNT)
  f.i32(DESC.shift)
  f.op(OP.i32_shl)
  f.i32(RING)
  f.op(OP.i32_add)
  f.set(COUNT)
  const finished = f.block()
  f.get(COUNT)
  f.get(desc)
  f.op(OP.i32_eq)
  f.brIf(finished)
  const again = f.loop()
  enterPacket(fn, desc, facts.escapes)
  fn.done = f.block()
  takeContext(fn)
  emitBody(fn, graph, { inLoop: true })
  f.end(fn.done)
  leavePacket(fn, desc, facts.escapes)
  f.get(desc)
  f.i32(DESC.size)
  f.op(OP.i32_add)
  f.tee(desc)
  f.get(COUNT)
  f.op(OP.i32_ne)
  f.brIf(again)
  f.end(again)
  if (unit.hasTailCalls) resetTailCount(f)
  f.end(finished)
  unit.m.exportFunc('batch', index)
}

function enterPacket(fn: BatchFn, desc: number, escapes: boolean): void {
  const { f } = fn
  if (fn.unit.hasTailCalls) resetTailCount(f)
  for (const [local, from] of [[fn.data, DESC.data], [fn.dataEnd, DESC.data_end]] as const) {
    f.get(desc)
    f.mem(MEM.i64_load32_u, from)
    f.set(local)
  }
  if (!escapes) return
  for (const [to, local] of [[XDP_BUFF.data, fn.data], [XDP_BUFF.data_end, fn.dataEnd], [XDP_BUFF.data_meta, fn.data]] as const) {
    f.get(CTX)
    f.get(local)
    f.mem(MEM.i64_store, to)
  }
}

/** Verdict, and where the packet lies if the program may have moved it. */
function leavePacket(fn: BatchFn, desc: number, escapes: boolean): void {
  const { f } = fn
  f.get(desc)
  fn.get32(0)
  f.mem(MEM.i32_store, DESC.verdict)
  if (!escapes) return
  for (const [to, from] of [[DESC.data, XDP_BUFF.data], [DESC.data_end, XDP_BUFF.data_end]] as const) {
    f.get(desc)
    f.get(CTX)
    f.mem(MEM.i32_load, from)
    f.mem(MEM.i32_store, to)
  }
}
