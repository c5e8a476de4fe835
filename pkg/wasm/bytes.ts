// A growing byte buffer with LEB128, the number format of WebAssembly binaries (core specification, 5.2.2).

export class Bytes {
  #buf: Uint8Array<ArrayBuffer>
  length = 0

  constructor(room = 64) {
    this.#buf = new Uint8Array(room)
  }

  byte(value: number): void {
    if (this.length === this.#buf.length) this.#grow(1)
    this.#buf[this.length++] = value
  }

  bytes(...values: readonly number[]): void {
    for (const value of values) this.byte(value)
  }

  append(other: Bytes): void {
    if (this.length + other.length > this.#buf.length) this.#grow(other.length)
    this.#buf.set(other.#buf.subarray(0, other.length), this.length)
    this.length += other.length
  }

  u32(value: number): void {
    if (value >= 0 && value < 0x80) return this.byte(value)
    let rest = value >>> 0
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.byte(rest)
  }

  s32(value: number): void {
    let rest = value | 0
    for (;;) {
      const low = rest & 0x7f
      rest >>= 7
      if (rest === (low << 25) >> 31) return this.byte(low)
      this.byte(low | 0x80)
    }
  }

  /** A signed 64-bit number from its halves. */
  s64(low: number, high: number): void {
    let lo = low | 0
    let hi = high | 0
    for (;;) {
      const bits = lo & 0x7f
      lo = (lo >>> 7) | (hi << 25)
      hi >>= 7
      const sign = (bits << 25) >> 31
      if (lo === sign && hi === sign) return this.byte(bits)
      this.byte(bits | 0x80)
    }
  }

  name(text: string): void {
    const utf8 = new TextEncoder().encode(text)
    this.u32(utf8.length)
    this.bytes(...utf8)
  }

  /** Exactly the bytes written, as a copy. */
  take(): Uint8Array {
    return this.#buf.slice(0, this.length)
  }

  #grow(by: number): void {
    const wider = new Uint8Array(Math.max(this.#buf.length * 2, this.length + by))
    wider.set(this.#buf)
    this.#buf = wider
  }
}
