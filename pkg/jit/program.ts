// A whole program -> the bytes of its module: main program, subprograms, and the entrances `run`, `batch` and `callback`.
// Same image and same map facts, same bytes.
import type { EngineHost } from '../prog/engine.js'
import type { Image } from '../prog/image.js'
import { PROG_TYPE } from '../uapi/bpf.js'
import { emitBatch } from './batch.js'
import { graphOf } from './body.js'
import { contextFacts } from './context-flow.js'
import { emitMain, emitRun } from './main.js'
import { emitPacketPointer } from './packet.js'
import { emitCallback, emitSub } from './sub.js'
import { Unit, type JitOptions } from './unit.js'

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
