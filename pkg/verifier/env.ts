// One verification: the program, what was learned per instruction, counters and the log (struct bpf_verifier_env). Every part gets it.
import type { Btf } from '../btf/btf.js'
import type { Insn } from '../insn/insn.js'
import type { MapAttr } from '../map/types.js'
import type { ProgLoad } from '../request/bpf.js'
import { PROG_F } from '../uapi/bpf.js'
import { EFAULT, EINVAL } from '../uapi/errno.js'
import type { Context, CtxAccess } from '../skb/ctx-types.js'
import { contextOf } from '../skb/ctx.js'
import type { VerifyInput } from './input.js'
import { Log } from './log.js'
import type { LineInfo } from './btf-info.js'
import type { Frame, History, Link, State } from './state.js'
import type { Reg } from './reg.js'
import { markSlotPrecision } from './precision.js'

/** How a refusal travels: the words are in the log already. */
export class Refusal extends Error {
  readonly errno: number
  constructor(errno: number) {
    super('refused')
    this.errno = errno
  }
}

/** struct bpf_insn_aux_data */
export interface Aux {
  seen: boolean
  jmpPoint: boolean
  prunePoint: boolean
  forceCheckpoint: boolean
  callsCallback: boolean
  iterNext: boolean
  live: number
  scc: number
  /** Type of pointer that a load or store goes through; 0: not seen yet. */
  ptrType: number
  access: CtxAccess | undefined
  /** Helper calls: the one map; null: several. */
  map: MapAttr | null | undefined
  mapUnpriv: boolean
  /** Tail calls: constant index; -1: not constant. */
  key: number | undefined
  /** A load that needs no fault handling of its own: it reads 0 where there is nothing. */
  probe: boolean
  /** A load whose value is known from the map that it reads. */
  constLoad: bigint | undefined
}

/** struct bpf_subprog_info */
export interface Subprog {
  readonly start: number
  end: number
  stackDepth: number
  hasTailCall: boolean
  tailCallReachable: boolean
  hasLdAbs: boolean
  isCb: boolean
  isAsyncCb: boolean
  changesPktData: boolean
  mightSleep: boolean
  name: string
  /** Global function: verified on its own. */
  global: boolean
  called: boolean
  verified: boolean
  args: readonly SubArg[] | undefined
  retVoid: boolean
  postorderStart: number
}

/** What a global function may assume of an argument, and its callers must bring. */
export interface SubArg {
  readonly type: number
  readonly memSize: number
  readonly btfId: number
}

export interface Pending {
  readonly state: State
  readonly insn: number
  readonly prev: number
  readonly logPos: number
}

export const LOG_LEVEL1 = 1
export const LOG_LEVEL2 = 2
export const LOG_STATS = 4
export const MAX_INSNS = 1_000_000
const MAX_JMP_SEQ = 8192

export class Env {
  readonly input: VerifyInput
  readonly prog: ProgLoad
  readonly insns: readonly Insn[]
  readonly aux: Aux[]
  readonly log: Log
  readonly ctx: Context
  readonly strictAlignment: boolean
  readonly testStateFreq: boolean
  readonly gpl: boolean
  readonly subprogs: Subprog[] = []
  readonly subprogOf = new Map<number, number>()
  readonly maps: MapAttr[] = []
  lineInfo: readonly LineInfo[] = []
  prevLine: LineInfo | undefined
  state!: State
  insn = 0
  prevInsn = 0
  pending: Pending[] = []
  explored = new Map<number, State[]>()
  idGen = 0
  insnProcessed = 0
  prevInsnProcessed = 0
  jmpsProcessed = 0
  prevJmpsProcessed = 0
  totalStates = 0
  peakStates = 0
  exploredSize = 0
  freeListSize = 0
  numBackedges = 0
  maxStatesPerInsn = 0
  curHist: History | undefined
  scratchedRegs = 0
  scratchedLow = 0
  scratchedHigh = 0
  prevLogPos = 0
  prevInsnPrintPos = 0
  seenDirectWrite = false
  seenPacketLoad = false
  cbAccess = false
  notes: string[] = []
  /** Kernel functions that are called. */
  readonly kfuncs = new Set<string>()

  constructor(input: VerifyInput, log: Log, ctx: Context) {
    this.input = input
    this.prog = input.prog
    this.insns = input.prog.insns.map(i => ({ ...i }))
    this.log = log
    this.ctx = ctx
    const flags = input.prog.flags ?? 0
    this.strictAlignment = (flags & PROG_F.STRICT_ALIGNMENT) !== 0 && (flags & PROG_F.ANY_ALIGNMENT) === 0
    this.testStateFreq = (flags & PROG_F.TEST_STATE_FREQ) !== 0
    this.gpl = isGpl(input.prog.license)
    this.aux = this.insns.map(newAux)
  }

  get type(): number {
    return this.prog.type
  }

  get regs(): Reg[] {
    return this.state.cur.regs
  }

  get frame(): Frame {
    return this.state.cur
  }

  get level(): number {
    return this.log.level
  }

  get vmlinux(): Btf | undefined {
    return this.#once('vmlinux', () => this.input.vmlinux())
  }

  readonly #known = new Map<string, unknown>()
  /** Objects are compared by identity, so each is asked for once. */
  #once<V>(key: string, ask: () => V): V {
    if (!this.#known.has(key)) this.#known.set(key, ask())
    return this.#known.get(key) as V
  }

  map(id: number): MapAttr | undefined {
    return this.#once(`map ${id}`, () => this.input.maps(id))
  }

  btfOf(id: number): Btf | undefined {
    return this.#once(`btf ${id}`, () => this.input.btfOf?.(id))
  }

  newId(): number {
    return ++this.idGen
  }

  verbose(text: string): void {
    this.log.write(text)
  }

  /** The last words of a refusal, without their line end. */
  fail(errno: number, text: string): never {
    this.log.write(`${text}\n`)
    throw new Refusal(errno)
  }

  refusal(errno: number): Refusal {
    return new Refusal(errno)
  }

  /** What this verifier can't do although the kernel could. */
  missing(what: string): never {
    this.fail(EINVAL, `not supported yet: ${what}`)
  }

  setReg(n: number, r: Reg): void {
    this.state.cur.regs[n] = r
    this.scratchedRegs |= 1 << n
  }

  scratchReg(n: number): void {
    this.scratchedRegs |= 1 << n
  }

  scratchSlot(spi: number): void {
    if (spi < 32) this.scratchedLow |= 1 << spi
    else this.scratchedHigh |= 1 << (spi - 32)
  }

  scratchAll(): void {
    this.scratchedRegs = -1
    this.scratchedLow = -1
    this.scratchedHigh = -1
  }

  cleanScratched(): void {
    this.scratchedRegs = 0
    this.scratchedLow = 0
    this.scratchedHigh = 0
  }

  get isScratched(): boolean {
    return this.scratchedRegs !== 0 || this.scratchedLow !== 0 || this.scratchedHigh !== 0
  }

  /** acquire_reference() */
  acquire(insn: number): number {
    const id = this.newId()
    this.state.refs = [...this.state.refs, { kind: 'ptr', id, insn }]
    return id
  }

  /** A spilled number on which a decision rests. */
  markSlotPrecise(frame: number, spi: number): void {
    markSlotPrecision(this, frame, spi)
  }

  /** push_jmp_history() */
  pushHistory(state: State, stack: number, linked: readonly Link[] | undefined, flags = 0): void {
    if (this.curHist !== undefined) {
      if (stack >= 0) this.curHist.stack = stack
      if (linked !== undefined) this.curHist.linked = linked
      this.curHist.flags |= flags
      return
    }
    this.curHist = { idx: this.insn, prev: this.prevInsn, stack, linked, flags }
    state.history.push(this.curHist)
  }

  /** push_stack(): the other side of a branch, to be walked later. */
  pushState(insn: number, prev: number, state: State = this.state.copy()): State {
    this.pending.push({ state, insn, prev, logPos: this.log.pos })
    if (this.pending.length > MAX_JMP_SEQ) this.fail(EFAULT, `The sequence of ${this.pending.length} jumps is too complex.`)
    if (state.parent !== undefined) state.parent.branches++
    return state
  }
}

function newAux(): Aux {
  return {
    seen: false, jmpPoint: false, prunePoint: false, forceCheckpoint: false, callsCallback: false, iterNext: false, live: 0, scc: 0,
    ptrType: 0, access: undefined, map: undefined, mapUnpriv: false, key: undefined, probe: false, constLoad: undefined,
  }
}

/** license_is_gpl_compatible() (include/linux/license.h) */
export function isGpl(license: string): boolean {
  return ['GPL', 'GPL v2', 'GPL and additional rights', 'Dual BSD/GPL', 'Dual MIT/GPL', 'Dual MPL/GPL'].includes(license)
}

export { contextOf }
