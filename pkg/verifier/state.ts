// The state of a program at one instruction: call frames with registers and stack, held references and locks, and how it was
// reached (struct bpf_verifier_state, bpf_func_state). Cheap to copy: Regs and Slots are shared, only arrays of pointers are copied.
import { notInit, type Reg } from './reg.js'
import * as T from './types.js'

/** Eight bytes of stack. `types` holds slot_type[8], four bits each; slot_type[7] is the byte at the lowest address. Immutable. */
export interface Slot {
  readonly types: number
  readonly reg: Reg | undefined
}

export const ALL_SPILL = 0x11111111
export const ALL_MISC = 0x22222222
export const ALL_ZERO = 0x33333333
export const ALL_DYNPTR = 0x44444444
export const ALL_ITER = 0x55555555
export const ALL_IRQ_FLAG = 0x66666666

export const emptySlot: Slot = { types: 0, reg: undefined }
export const miscSlot: Slot = { types: ALL_MISC, reg: undefined }
export const zeroSlot: Slot = { types: ALL_ZERO, reg: undefined }

/** slot_type[byte] */
export const slotType = (s: Slot, byte: number): number => (s.types >>> (byte * 4)) & 15
export const setType = (types: number, byte: number, type: number): number => (types & ~(15 << (byte * 4))) | (type << (byte * 4))

/** is_spilled_reg(): the lowest byte belongs to a spill. */
export const isSpilled = (s: Slot): boolean => slotType(s, 7) === T.STACK_SPILL
export const isSpilledScalar = (s: Slot): boolean => isSpilled(s) && s.reg!.type === T.SCALAR_VALUE
/** is_spilled_scalar_reg64(): all eight bytes are one scalar. */
export const isSpilledScalar64 = (s: Slot): boolean => slotType(s, 0) === T.STACK_SPILL && s.reg!.type === T.SCALAR_VALUE

/** scrub_spilled_slot(): a byte of a spill that can not be read back as the register any more. */
export const scrubbed = (type: number): number => (type === T.STACK_INVALID ? type : T.STACK_MISC)

export interface RetRange { min: number, max: number }

export class Frame {
  regs: Reg[]
  /** Grows towards lower addresses: stack[0] is fp-8. */
  stack: Slot[]
  /** Registers, and spilled slots (two words), whose exact value matters. */
  preciseRegs = 0
  preciseLow = 0
  preciseHigh = 0
  readonly callsite: number
  readonly frameno: number
  readonly subprog: number
  asyncEntry = 0
  inCallback = false
  inAsyncCallback = false
  callbackDepth = 0
  retRange: RetRange | undefined = undefined

  constructor(callsite: number, frameno: number, subprog: number, regs?: Reg[], stack?: Slot[]) {
    this.callsite = callsite
    this.frameno = frameno
    this.subprog = subprog
    this.regs = regs ?? new Array<Reg>(11).fill(notInit)
    this.stack = stack ?? []
  }

  copy(): Frame {
    const f = new Frame(this.callsite, this.frameno, this.subprog, this.regs.slice(), this.stack.slice())
    f.asyncEntry = this.asyncEntry
    f.inCallback = this.inCallback
    f.inAsyncCallback = this.inAsyncCallback
    f.callbackDepth = this.callbackDepth
    f.retRange = this.retRange
    f.preciseRegs = this.preciseRegs
    f.preciseLow = this.preciseLow
    f.preciseHigh = this.preciseHigh
    return f
  }

  isPreciseSlot(spi: number): boolean {
    return spi < 32 ? (this.preciseLow & (1 << spi)) !== 0 : (this.preciseHigh & (1 << (spi - 32))) !== 0
  }

  setPreciseSlot(spi: number): void {
    if (spi < 32) this.preciseLow |= 1 << spi
    else this.preciseHigh |= 1 << (spi - 32)
  }

  clearPreciseSlot(spi: number): void {
    if (spi < 32) this.preciseLow &= ~(1 << spi)
    else this.preciseHigh &= ~(1 << (spi - 32))
  }
}

/** struct bpf_reference_state: pointer, or a lock and its object. */
export interface Ref {
  readonly kind: 'ptr' | 'lock' | 'res_lock' | 'res_lock_irq' | 'irq'
  readonly id: number
  readonly insn: number
  /** A lock's owner: its map or register; of saved interrupts, which functions saved them. */
  readonly ptr?: unknown
}

/** One step that backtracking needs to know: a jump taken, a stack slot touched, linked registers. */
export interface History {
  readonly idx: number
  readonly prev: number
  /** Stack access: frame << 8 | spi; -1: none. */
  stack: number
  linked: readonly Link[] | undefined
  /** 1, 2: a comparison's destination, source is a stack pointer. */
  flags: number
}

export interface Link { readonly frame: number, readonly reg: number, readonly spi: number }

export class State {
  frames: Frame[]
  refs: Ref[] = []
  activeLocks = 0
  activeLockId = 0
  activeLockPtr: unknown = undefined
  activePreempt = 0
  activeRcu = false
  inSleepable = false
  parent: State | undefined = undefined
  branches = 0
  insn = 0
  firstInsn = 0
  lastInsn = 0
  history: History[] = []
  dfsDepth = 0
  callbackUnroll = 0
  mayGotoDepth = 0
  /** On states of the list: hits and misses of pruning (struct bpf_verifier_state_list). */
  hits = 0
  misses = 0
  equal: State | undefined = undefined

  constructor(frames: Frame[]) {
    this.frames = frames
  }

  get cur(): Frame {
    return this.frames[this.frames.length - 1]!
  }

  get curframe(): number {
    return this.frames.length - 1
  }

  copy(): State {
    const s = new State(this.frames.map(f => f.copy()))
    s.refs = this.refs.slice()
    s.activeLocks = this.activeLocks
    s.activeLockId = this.activeLockId
    s.activeLockPtr = this.activeLockPtr
    s.activePreempt = this.activePreempt
    s.activeRcu = this.activeRcu
    s.inSleepable = this.inSleepable
    s.parent = this.parent
    s.branches = this.branches
    s.insn = this.insn
    s.firstInsn = this.firstInsn
    s.lastInsn = this.lastInsn
    s.history = this.history.slice()
    s.dfsDepth = this.dfsDepth
    s.callbackUnroll = this.callbackUnroll
    s.mayGotoDepth = this.mayGotoDepth
    s.equal = this.equal
    return s
  }

  /** Every register and every spilled register of every frame; `set` replaces it. */
  mapRegs(change: (r: Reg) => Reg): void {
    for (const f of this.frames) {
      for (let i = 0; i < 11; i++) f.regs[i] = change(f.regs[i]!)
      for (let i = 0; i < f.stack.length; i++) {
        const slot = f.stack[i]!
        if (!isSpilled(slot)) continue
        const reg = change(slot.reg!)
        if (reg !== slot.reg) f.stack[i] = { types: slot.types, reg }
      }
    }
  }
}
