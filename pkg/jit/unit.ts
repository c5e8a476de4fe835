// One module in the making: what it imports, and the numbers of its functions. Imports are counted first, as wasm wants them.
import { Bug, must } from '../bytes/errors.js'
import { slotsOf } from '../insn/decode.js'
import type { MapJit } from '../map/types.js'
import { SCRATCH, STACK_TOP } from '../mem/layout.js'
import type { EngineHost, HelperImpl } from '../prog/engine.js'
import type { Image } from '../prog/image.js'
import { CALL, FUNC } from '../uapi/bpf.js'
import { I32, I64, ModuleBuilder, type FuncBuilder } from '../wasm/index.js'
import { canInline } from './emit-map.js'

/** Tail calls since the run began, 0 outside of runs: a word of the scratch page between RET_HI and HELPER_BYTES. */
export const TAIL_COUNT = SCRATCH + 0x20

/** Grows with every change of what emitted code expects of the process around it: older bytes are then made anew. */
export const CODE_VERSION = 1

/** Name of a helper's import, with what the emitted call assumes of it: `ID RET WIDE`. */
export const importName = (id: number, impl: HelperImpl): string => `${id} ${impl.ret} ${impl.wide ?? 0}`

/** How programs are translated; tests run them without the fast paths, too. */
export interface JitOptions {
  /** Map lookups and CPU numbers as wasm, fused loads and swaps. */
  readonly inline: boolean
  /** Nested blocks and loops; else one loop around a br_table. */
  readonly structured: boolean
}

export interface Imported { readonly index: number, readonly impl: HelperImpl }

const FIVE = [I32, I32, I32, I32, I32] as const

export class Unit {
  readonly image: Image
  readonly host: EngineHost
  readonly options: JitOptions
  readonly m = new ModuleBuilder()
  readonly #helpers = new Map<number, Imported>()
  readonly #kfuncs = new Map<number, Imported>()
  readonly subs: readonly { readonly index: number, readonly f: FuncBuilder }[]
  /** (map, index) -> slot of the table, or -1. */
  readonly tailTarget: number | undefined
  readonly saveStack: number | undefined
  readonly restoreStack: number | undefined
  /** (skb, offset, more offset, size) -> address or 0 */
  readonly packet: { readonly index: number, readonly f: FuncBuilder } | undefined
  /** Global: end of the frame that a callback may use. */
  readonly callbackFp: number | undefined
  /** (ctx) -> low half of r0 */
  readonly mainType: number

  constructor(image: Image, host: EngineHost, options: JitOptions) {
    this.image = image
    this.host = host
    this.options = options
    const uses = survey(image)
    this.m.importMemory('env', 'mem')
    this.mainType = this.m.type([I32], [I32])
    if (uses.tailCalls) {
      this.m.importTable('env', 'table')
      this.tailTarget = this.m.importFunc('env', 'tail', [I32, I32], [I32])
      this.saveStack = this.m.importFunc('env', 'save', [I32], [])
      this.restoreStack = this.m.importFunc('env', 'restore', [], [])
    }
    for (const [id, pcs] of uses.helpers) {
      if (pcs.every(pc => this.#isInline(id, pc))) continue
      this.#helpers.set(id, this.#import('helper', id, host.helper(id)))
    }
    for (const id of uses.kfuncs) {
      this.#kfuncs.set(id, this.#import('kfunc', id, host.kfunc(id)))
    }
    if (image.callbacks.length > 0) this.callbackFp = this.m.global(STACK_TOP)
    this.subs = image.subprogs.map((_, n) =>
      n === 0 ? this.m.func([I32], [I32]) : this.m.func([I64, I64, I64, I64, I64, I32], [I64]))
    if (uses.packetLoads) this.packet = this.m.func([I32, I32, I32], [I32])
  }

  get inlines(): boolean { return this.options.inline }
  get hasTailCalls(): boolean { return this.tailTarget !== undefined }
  get packetPointer(): number | undefined { return this.packet?.index }

  helper(id: number): Imported {
    return must(this.#helpers.get(id), `helper ${id} was not imported`)
  }

  kfunc(id: number): Imported {
    return must(this.#kfuncs.get(id), `kfunc ${id} was not imported`)
  }

  /** Function of the subprogram that begins at a slot. */
  subprogram(slot: number): number {
    const n = this.image.subprogs.indexOf(slot)
    if (n < 1) throw new Bug(`no subprogram begins at slot ${slot}`)
    return this.subs[n]!.index
  }

  /** Facts of the map that the lookup at this slot is on, when it can be emitted. */
  inlineLookup(id: number, pc: number): MapJit | undefined {
    if (!this.inlines || id !== FUNC.map_lookup_elem) return undefined
    const mapId = this.image.aux.get(pc)?.mapId
    const jit = mapId === undefined ? undefined : this.host.mapJit(mapId)
    return canInline(jit) ? jit : undefined
  }

  #import(kind: 'helper' | 'kfunc', id: number, impl: HelperImpl): Imported {
    return { index: this.m.importFunc(kind, importName(id, impl), FIVE, [I32]), impl }
  }

  #isInline(id: number, pc: number): boolean {
    return (this.inlines && id === FUNC.get_smp_processor_id) || this.inlineLookup(id, pc) !== undefined
  }
}

interface Uses {
  /** Slots of the calls of each helper. */
  readonly helpers: Map<number, number[]>
  readonly kfuncs: Set<number>
  tailCalls: boolean
  packetLoads: boolean
}

function survey(image: Image): Uses {
  const uses: Uses = { helpers: new Map(), kfuncs: new Set(), tailCalls: false, packetLoads: false }
  for (let pc = 0; pc < image.insns.length;) {
    const i = image.insns[pc]!
    if (i.code === 0xf5 || (i.code === 0x85 && i.src === CALL.HELPER && i.imm === FUNC.tail_call)) uses.tailCalls = true
    else if (i.code === 0x85 && i.src === CALL.HELPER) {
      const pcs = uses.helpers.get(i.imm)
      if (pcs === undefined) uses.helpers.set(i.imm, [pc])
      else pcs.push(pc)
    } else if (i.code === 0x85 && i.src === CALL.PSEUDO_KFUNC) uses.kfuncs.add(i.imm)
    else if ((i.code & 7) === 0 && i.code !== 0x18 && i.code !== 0) uses.packetLoads = true
    pc += slotsOf(i)
  }
  return uses
}
