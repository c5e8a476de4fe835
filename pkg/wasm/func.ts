// The body of one function: instructions, labels instead of depths, locals given out and returned. Knows nothing of any guest.
import { assert } from '../bytes/errors.js'
import { Bytes } from './bytes.js'
import { SIMD, type AtomicOp, type MemOp, type Op, type ValType } from './opcodes.js'

/** A block, loop or if that a branch can name while it is open. */
export interface Label { readonly index: number, open: boolean }

const VOID = 0x40

export class FuncBuilder {
  readonly typeIndex: number
  readonly #params: number
  readonly #code = new Bytes(1024)
  readonly #labels: Label[] = []
  readonly #locals: ValType[] = []
  readonly #spare = new Map<ValType, number[]>()
  #lent = 0

  constructor(typeIndex: number, params: number) {
    this.typeIndex = typeIndex
    this.#params = params
  }

  /** A local of this type for good. Declared in the order of the calls. */
  local(type: ValType): number {
    this.#locals.push(type)
    return this.#params + this.#locals.length - 1
  }

  /** A local on loan: give it back with `free`. */
  borrow(type: ValType): number {
    this.#lent++
    return this.#spare.get(type)?.pop() ?? this.local(type)
  }

  free(type: ValType, local: number): void {
    this.#lent--
    const spare = this.#spare.get(type)
    if (spare === undefined) this.#spare.set(type, [local])
    else spare.push(local)
  }

  op(code: Op): void { this.#code.byte(code) }
  get(local: number): void { this.#index(0x20, local) }
  set(local: number): void { this.#index(0x21, local) }
  tee(local: number): void { this.#index(0x22, local) }
  globalGet(global: number): void { this.#index(0x23, global) }
  globalSet(global: number): void { this.#index(0x24, global) }
  call(func: number): void { this.#index(0x10, func) }
  tableGet(table: number): void { this.#index(0x25, table) }
  callIndirect(type: number, table: number): void { this.#indirect(0x11, type, table) }
  returnCallIndirect(type: number, table: number): void { this.#indirect(0x13, type, table) }
  memorySize(): void { this.#code.bytes(0x3f, 0) }

  i32(value: number): void {
    this.#code.byte(0x41)
    this.#code.s32(value)
  }

  /** A 64-bit constant from its halves. */
  i64(low: number, high: number): void {
    this.#code.byte(0x42)
    this.#code.s64(low, high)
  }

  /** Unaligned load or store at (top of stack) + offset; offset is unsigned and does not wrap. */
  mem(code: MemOp, offset = 0): void {
    this.#code.byte(code)
    this.#code.byte(0)
    this.#code.u32(offset)
  }

  /** log2: the natural alignment of the access. */
  atomic(code: AtomicOp, log2: number, offset = 0): void {
    this.#code.bytes(0xfe, code, log2)
    this.#code.u32(offset)
  }

  /** Bytes of two vectors in any order: 16 lane numbers. */
  shuffle(lanes: readonly number[]): void {
    this.#code.bytes(0xfd, SIMD.i8x16_shuffle, ...lanes)
  }

  splat64(): void { this.#code.bytes(0xfd, SIMD.i64x2_splat) }
  extract64(lane: number): void { this.#code.bytes(0xfd, SIMD.i64x2_extract_lane, lane) }

  /** type: of the value that the block leaves, if it does. */
  block(type?: ValType): Label { return this.#open(0x02, type) }
  loop(type?: ValType): Label { return this.#open(0x03, type) }
  if(type?: ValType): Label { return this.#open(0x04, type) }
  else(): void { this.#code.byte(0x05) }

  end(label: Label): void {
    assert(this.#labels.at(-1) === label, 'blocks close in the order they were opened')
    this.#labels.pop()
    label.open = false
    this.#code.byte(0x0b)
  }

  br(label: Label): void { this.#index(0x0c, this.#depth(label)) }
  brIf(label: Label): void { this.#index(0x0d, this.#depth(label)) }

  brTable(labels: readonly Label[], otherwise: Label): void {
    this.#index(0x0e, labels.length)
    for (const label of labels) this.#code.u32(this.#depth(label))
    this.#code.u32(this.#depth(otherwise))
  }

  /** Bytes of instructions so far. */
  get size(): number { return this.#code.length }

  /** The function's entry of the code section. */
  finish(): Bytes {
    assert(this.#labels.length === 0, 'a block was left open')
    assert(this.#lent === 0, 'a local was not given back')
    const body = new Bytes()
    const runs = this.#runs()
    body.u32(runs.length)
    for (const run of runs) {
      body.u32(run.count)
      body.byte(run.type)
    }
    body.append(this.#code)
    body.byte(0x0b)
    return body
  }

  #runs(): { type: ValType, count: number }[] {
    const runs: { type: ValType, count: number }[] = []
    for (const type of this.#locals) {
      const last = runs.at(-1)
      if (last?.type === type) last.count++
      else runs.push({ type, count: 1 })
    }
    return runs
  }

  #open(code: number, type: ValType | undefined): Label {
    this.#code.byte(code)
    this.#code.byte(type ?? VOID)
    const label = { index: this.#labels.length, open: true }
    this.#labels.push(label)
    return label
  }

  #depth(label: Label): number {
    assert(label.open, 'a branch names a closed block')
    return this.#labels.length - 1 - label.index
  }

  #indirect(code: number, type: number, table: number): void {
    this.#index(code, type)
    this.#code.u32(table)
  }

  #index(code: number, operand: number): void {
    this.#code.byte(code)
    this.#code.u32(operand)
  }
}
