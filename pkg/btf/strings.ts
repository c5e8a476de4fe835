// The string section of BTF: NUL-terminated strings by offset, read when asked for.
import type { BtfError } from './error.js'

/** Bytes of all different strings together: overlapping strings must not multiply a file. */
const MAX_TOTAL = 32 << 20
const MAX_ONE = 64 << 10

export class BtfStrings {
  readonly bytes: Uint8Array
  readonly #start: number
  readonly #base: BtfStrings | undefined
  readonly #fail: BtfError
  readonly #known = new Map<number, string>()
  readonly #decoder = new TextDecoder()
  #total = 0

  constructor(bytes: Uint8Array, fail: BtfError, base?: BtfStrings) {
    this.bytes = bytes
    this.#base = base
    this.#start = base ? base.end : 0
    this.#fail = fail
  }

  /** One past the last offset. */
  get end(): number {
    return this.#start + this.bytes.length
  }

  /** The string at an offset; InputError when it is not inside the section. */
  at(offset: number): string {
    if (offset < this.#start) return this.#base!.at(offset)
    const known = this.#known.get(offset)
    if (known !== undefined) return known
    const text = this.#read(offset - this.#start)
    this.#known.set(offset, text)
    return text
  }

  #read(at: number): string {
    if (at >= this.bytes.length) throw this.#fail(`string offset ${at} is outside of the string section`)
    const end = this.bytes.indexOf(0, at)
    if (end < 0) throw this.#fail('string section does not end in NUL')
    if (end - at > MAX_ONE) throw this.#fail(`string at ${at} is longer than ${MAX_ONE} bytes`)
    this.#total += end - at
    if (this.#total > MAX_TOTAL) throw this.#fail(`strings are longer than ${MAX_TOTAL} bytes together`)
    return this.#decoder.decode(this.bytes.subarray(at, end))
  }
}
