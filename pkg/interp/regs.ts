// What one activation of the interpreter owns: registers as halves, and the frames of its callers among subprograms.
import { assert } from '../bytes/errors.js'
import type { Decoded } from './decode.js'

/** Ints a frame saves: r6..r10 as halves, the slot to return to, the may_goto budget. */
const FRAME = 12
/** 8 frames a program (MAX_CALL_FRAMES), and every one of 33 tail calls may start from a subprogram. */
const FRAMES = 8 * 34

/** r0 … r10, and r11 (BPF_REG_AX), which only rewritten context accesses name. */
const REGS = 12

export class Regs {
  readonly lo = new Int32Array(REGS)
  readonly hi = new Int32Array(REGS)
  readonly #saved = new Int32Array(FRAME * FRAMES)
  readonly #progs: Decoded[] = []

  get depth(): number { return this.#progs.length }

  clear(): void { this.#progs.length = 0 }

  push(prog: Decoded, pc: number, budget: number): void {
    assert(this.#progs.length < FRAMES, 'call frames')
    const at = this.#progs.length * FRAME
    this.#progs.push(prog)
    for (let r = 0; r < 5; r++) {
      this.#saved[at + r] = this.lo[6 + r]!
      this.#saved[at + 5 + r] = this.hi[6 + r]!
    }
    this.#saved[at + 10] = pc
    this.#saved[at + 11] = budget
  }

  /** Restores r6..r10; the slot and the budget stay readable at `pc` and `budget`. */
  pop(): Decoded {
    const prog = this.#progs.pop()!
    const at = this.#progs.length * FRAME
    for (let r = 0; r < 5; r++) {
      this.lo[6 + r] = this.#saved[at + r]!
      this.hi[6 + r] = this.#saved[at + 5 + r]!
    }
    return prog
  }

  /** Of the frame popped last. */
  get pc(): number { return this.#saved[this.#progs.length * FRAME + 10]! }
  get budget(): number { return this.#saved[this.#progs.length * FRAME + 11]! }
}
