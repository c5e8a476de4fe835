// What all header views share: a window on bytes that someone checked to be long enough once, so that getters and setters can't fail.
// Network byte order throughout. A view copies nothing: it writes through to the frame.

export abstract class View {
  readonly bytes: Uint8Array
  readonly at: number

  /** For subclasses and for bytes just made: everyone else asks the class's own `at()`, which checks the length. */
  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes
    this.at = at
  }

  /** Sets the fields given and leaves the others. */
  set(fields: Partial<this>): this {
    return Object.assign(this, fields)
  }

  protected u8(offset: number): number {
    return this.bytes[this.at + offset]!
  }

  protected u16(offset: number): number {
    return (this.u8(offset) << 8) | this.u8(offset + 1)
  }

  protected u32(offset: number): number {
    return this.u16(offset) * 0x10000 + this.u16(offset + 2)
  }

  protected slice(offset: number, length: number): Uint8Array {
    return this.bytes.subarray(this.at + offset, this.at + offset + length)
  }

  protected put8(offset: number, value: number): void {
    this.bytes[this.at + offset] = value
  }

  protected put16(offset: number, value: number): void {
    this.put8(offset, value >>> 8)
    this.put8(offset + 1, value)
  }

  protected put32(offset: number, value: number): void {
    this.put16(offset, value >>> 16)
    this.put16(offset + 2, value)
  }

  protected putBytes(offset: number, value: Uint8Array): void {
    this.bytes.set(value, this.at + offset)
  }
}

/** Whether [at, at + size) lies in the bytes before `end`. */
export function fits(bytes: Uint8Array, at: number, size: number, end: number): boolean {
  return at >= 0 && end <= bytes.length && end - at >= size
}
