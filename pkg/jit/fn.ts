// What one function in the making knows: its builder, where BPF registers live, how it ends. Registers are i64 locals, declared
// when first named (unused ones cost at every call); r10 is a constant in a main program and a parameter in a subprogram.
import { STACK_TOP } from '../mem/layout.js'
import { I32, I64, OP, type FuncBuilder } from '../wasm/index.js'
import type { Unit } from './unit.js'

export interface FnOptions {
  /** Number of the subprogram. */
  readonly sub: number
  /** Local (i32) that holds the frame pointer; undefined: the frame ends at STACK_TOP. */
  readonly fp: number | undefined
  /** Locals of registers that are parameters. */
  readonly params: readonly [reg: number, local: number][]
}

export abstract class Fn {
  readonly unit: Unit
  readonly f: FuncBuilder
  readonly sub: number
  readonly fp: number | undefined
  readonly #regs: (number | undefined)[] = []
  #budget: number | undefined

  constructor(unit: Unit, f: FuncBuilder, options: FnOptions) {
    this.unit = unit
    this.f = f
    this.sub = options.sub
    this.fp = options.fp
    for (const [reg, local] of options.params) this.#regs[reg] = local
  }

  /** Ends the function, r0 being in its register. */
  abstract exit(): void
  /** Leaves the target of a tail call for good, its slot in `table` being on the stack behind the context. */
  abstract tailCall(): void
  /** A load from the context that needs no memory: leaves an i64 and says true. */
  contextLoad(_pc: number): boolean { return false }
  /** Behind everything that may have moved the packet. */
  afterCall(): void {}

  local(reg: number): number {
    return (this.#regs[reg] ??= this.f.local(I64))
  }

  isNamed(reg: number): boolean {
    return this.#regs[reg] !== undefined
  }

  /** Pushes a register as i64. */
  get(reg: number): void {
    if (reg !== 10) return this.f.get(this.local(reg))
    if (this.fp === undefined) return this.f.i64(STACK_TOP, 0)
    this.f.get(this.fp)
    this.f.op(OP.i64_extend_i32_u)
  }

  /** Pushes the lower half of a register as i32. */
  get32(reg: number): void {
    if (reg === 10) return this.frame(0)
    this.f.get(this.local(reg))
    this.f.op(OP.i32_wrap_i64)
  }

  set(reg: number): void {
    this.f.set(this.local(reg))
  }

  /** Pops an i32 into a register, the upper half zero. */
  set32(reg: number): void {
    this.f.op(OP.i64_extend_i32_u)
    this.set(reg)
  }

  /** Pushes an address as i32; returns what the access has to carry as offset (wasm offsets are unsigned and don't wrap). */
  addr(reg: number, off: number): number {
    if (reg === 10) {
      this.frame(off)
      return 0
    }
    this.get32(reg)
    if (off >= 0) return off
    this.f.i32(off)
    this.f.op(OP.i32_add)
    return 0
  }

  /** Pushes the frame pointer + off as i32. */
  frame(off: number): void {
    if (this.fp === undefined) return this.f.i32(STACK_TOP + off)
    this.f.get(this.fp)
    if (off === 0) return
    this.f.i32(off)
    this.f.op(OP.i32_add)
  }

  /** Pushes the end of the frame below this one. */
  nextFrame(): void {
    this.frame(-(this.unit.image.stack[this.sub] ?? 0))
  }

  /** The local that counts may_goto, set at the function's entry. */
  get budget(): number {
    return (this.#budget ??= this.f.local(I32))
  }
}
