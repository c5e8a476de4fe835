// A few types as BTF bytes, for cases whose functions or map values need some (Documentation/bpf/btf.rst).

export class BtfWriter {
  readonly #words: number[] = []
  #strings = '\0'
  #next = 1

  #name(text: string): number {
    if (text === '') return 0
    const at = this.#strings.length
    this.#strings += `${text}\0`
    return at
  }

  #type(name: string, kind: number, vlen: number, word: number, ...tail: number[]): number {
    this.#words.push(this.#name(name), (kind << 24) | vlen, word, ...tail)
    return this.#next++
  }

  int(name: string, size: number): number {
    return this.#type(name, 1, 0, size, (1 << 24) | (size * 8))
  }

  pointer(type: number): number {
    return this.#type('', 2, 0, type)
  }

  struct(name: string, size: number, members: readonly (readonly [string, number, number])[]): number {
    return this.#type(name, 4, members.length, size, ...members.flatMap(([n, type, off]) => [this.#name(n), type, off * 8]))
  }

  func(name: string, linkage: number, ret: number, args: readonly number[]): number {
    const proto = this.#type('', 13, args.length, ret, ...args.flatMap((a, n) => [this.#name(`a${n}`), a]))
    return this.#type(name, 12, linkage, proto)
  }

  finish(): Uint8Array {
    const types = this.#words.length * 4
    const strings = Buffer.from(this.#strings, 'latin1')
    const out = new DataView(new ArrayBuffer(24 + types + strings.length))
    out.setUint16(0, 0xeb9f, true)
    out.setUint8(2, 1)
    ;[24, 0, types, types, strings.length].forEach((v, n) => out.setUint32(4 + n * 4, v, true))
    this.#words.forEach((v, n) => out.setUint32(24 + n * 4, v, true))
    const bytes = new Uint8Array(out.buffer)
    bytes.set(strings, 24 + types)
    return bytes
  }
}
