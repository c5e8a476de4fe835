// A whole program -> the bytes of its module: main program, subprograms, and the entrances `run`, `batch` and `callback`.
// Same image and same map facts, same bytes.
import { RET_HI, RING } from '../mem/layout.js'
import { MAY_GOTO_LIMIT } from '../interp/loop.js'
import type { EngineHost } from '../prog/engine.js'
import type { Image } from '../prog/image.js'
import { XDP_BUFF } from '../skb/layout.js'
import { PROG_TYPE } from '../uapi/bpf.js'
import { I32, I64, MEM, OP, type FuncBuilder, type Label } from '../wasm/index.js'
import { buildCfg, type Block } from './cfg.js'
import { contextFacts, type ContextFacts } from './context-flow.js'
import { emitDispatch } from './dispatch.js'
import { analyse, type Flow } from './dominators.js'
import { tailCallAndReturn } from './emit-call.js'
import { emitBlock } from './emit-insn.js'
import { emitCondition } from './emit-jmp.js'
import { Fn } from './fn.js'
import { emitPacketPointer } from './packet.js'
import { emitShape, type Leaves } from './shape.js'
import { TAIL_COUNT, Unit, type JitOptions } from './unit.js'

/** undefined: a function would be longer than V8 takes, at some 800,000 instructions. */
export function emitProgram(image: Image, host: EngineHost, options: JitOptions): Uint8Array | undefined {
  const unit = new Unit(image, host, options)
  const graphs = image.subprogs.map((_, sub) => graphOf(image, sub))
  const facts = contextFacts(unit, graphs[0]!.blocks, graphs[0]!.flow.rpo)
  emitMain(unit, graphs[0]!, facts)
  for (let sub = 1; sub < graphs.length; sub++) emitSub(unit, sub, graphs[sub]!)
  if (unit.packet !== undefined) emitPacketPointer(unit.packet.f)
  emitRun(unit)
  if (image.type === PROG_TYPE.XDP && image.insns.length <= BATCH_LIMIT) emitBatch(unit, graphs[0]!, facts)
  if (unit.callbackFp !== undefined) emitCallback(unit, unit.callbackFp)
  return unit.subs.some(({ f }) => f.size > MAX_FUNCTION) ? undefined : unit.m.finish()
}

/** kV8MaxWasmFunctionSize, less what locals may take. */
const MAX_FUNCTION = 7_654_321 - 256

/** Longer programs gain nothing from being copied into the ring loop, and cost twice the time to translate. */
const BATCH_LIMIT = 8192

interface Graph { readonly blocks: readonly Block[], readonly succs: readonly (readonly number[])[], readonly flow: Flow }

function graphOf(image: Image, sub: number): Graph {
  const blocks = buildCfg(image.insns, image.subprogs[sub]!, image.subprogs[sub + 1] ?? image.insns.length)
  const succs = blocks.map(block => block.succs)
  return { blocks, succs, flow: analyse(succs) }
}

/** The instructions of a subprogram, ending in fn.exit() wherever it exits. */
function emitBody(fn: Fn, { blocks, succs, flow }: Graph, place: { inLoop: boolean }): void {
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

const CTX = 0

/** (ctx) -> low half of r0, the high half at RET_HI. */
class MainFn extends Fn {
  readonly #facts: ContextFacts

  constructor(unit: Unit, f: FuncBuilder, facts: ContextFacts) {
    super(unit, f, { sub: 0, fp: undefined, params: [] })
    this.#facts = facts
  }

  override contextLoad(pc: number): boolean {
    const offset = this.#facts.loads.get(pc)
    if (offset === undefined) return false
    loadPointer(this, offset)
    return true
  }

  override exit(): void {
    const { f } = this
    f.i32(RET_HI)
    this.get(0)
    f.i64(32, 0)
    f.op(OP.i64_shr_u)
    f.mem(MEM.i64_store32)
    this.get32(0)
    f.op(OP.return)
  }

  override tailCall(): void {
    this.f.returnCallIndirect(this.unit.mainType, 0)
  }
}

/** The lower half of a pointer in the context. */
function loadPointer(fn: Fn, offset: number): void {
  fn.f.get(CTX)
  fn.f.mem(MEM.i64_load32_u, offset)
}

function emitMain(unit: Unit, graph: Graph, facts: ContextFacts): void {
  const { f } = unit.subs[0]!
  const fn = new MainFn(unit, f, facts)
  takeContext(fn)
  emitBody(fn, graph, { inLoop: false })
  f.op(OP.unreachable)
}

/** r1 = ctx, if the program ever names r1. */
function takeContext(fn: Fn): void {
  const { insns, subprogs } = fn.unit.image
  const names = insns.slice(0, subprogs[1]).some(i => i.dst === 1 || i.src === 1 || i.code === 0x85 || i.code === 0xf5)
  if (!names) return
  fn.f.get(CTX)
  fn.set32(1)
}

/** (r1 … r5, fp) -> r0 */
class SubFn extends Fn {
  constructor(unit: Unit, f: FuncBuilder, sub: number) {
    super(unit, f, { sub, fp: 5, params: [[1, 0], [2, 1], [3, 2], [4, 3], [5, 4]] })
  }

  override exit(): void {
    this.get(0)
    this.f.op(OP.return)
  }

  override tailCall(): void {
    const { f } = this
    tailCallAndReturn(this)
    f.op(OP.i64_extend_i32_u)
    pushHighHalf(f)
    f.op(OP.return)
  }
}

/** i64 | (u64)*RET_HI << 32 */
function pushHighHalf(f: FuncBuilder): void {
  f.i32(RET_HI)
  f.mem(MEM.i64_load32_u)
  f.i64(32, 0)
  f.op(OP.i64_shl)
  f.op(OP.i64_or)
}

function emitSub(unit: Unit, sub: number, graph: Graph): void {
  const { f } = unit.subs[sub]!
  emitBody(new SubFn(unit, f, sub), graph, { inLoop: false })
  f.op(OP.unreachable)
}

/** run(ctx): the main program itself; where it makes tail calls, their count is 0 before and after. */
function emitRun(unit: Unit): void {
  const main = unit.subs[0]!.index
  unit.m.exportFunc('prog', main)
  if (!unit.hasTailCalls) return unit.m.exportFunc('run', main)
  const { f, index } = unit.m.func([I32], [I32])
  resetTailCount(f)
  f.get(CTX)
  f.call(main)
  resetTailCount(f)
  unit.m.exportFunc('run', index)
}

function resetTailCount(f: FuncBuilder): void {
  f.i32(TAIL_COUNT)
  f.i32(0)
  f.mem(MEM.i32_store)
}

/** The main program inside the ring loop: exits go to the end of an iteration, data and data_end are locals. */
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
function emitBatch(unit: Unit, graph: Graph, facts: ContextFacts): void {
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

/** callback(slot, r1 … r5): low halves in and out; the frame pointer comes back as it was, for the next call of the same helper. */
function emitCallback(unit: Unit, fpGlobal: number): void {
  const { f, index } = unit.m.func([I32, I32, I32, I32, I32, I32], [I32])
  const fp = f.local(I32)
  const result = f.local(I64)
  f.globalGet(fpGlobal)
  f.set(fp)
  for (const slot of unit.image.callbacks) {
    f.get(0)
    f.i32(slot)
    f.op(OP.i32_eq)
    const chosen = f.if()
    for (let arg = 1; arg <= 5; arg++) {
      f.get(arg)
      f.op(OP.i64_extend_i32_u)
    }
    f.get(fp)
    f.call(unit.subprogram(slot))
    f.set(result)
    f.end(chosen)
  }
  f.get(fp)
  f.globalSet(fpGlobal)
  f.i32(RET_HI)
  f.get(result)
  f.i64(32, 0)
  f.op(OP.i64_shr_u)
  f.mem(MEM.i64_store32)
  f.get(result)
  f.op(OP.i32_wrap_i64)
  unit.m.exportFunc('callback', index)
}
