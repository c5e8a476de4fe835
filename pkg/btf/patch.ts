// A copy of a BTF blob with numbers changed in place: what a loader must fill in because compilers leave it to linkers.
import type { Btf } from './btf.js'
import { tailSize } from './parse.js'
import { KIND, type BtfSecVar, type Kind } from './types.js'

export class BtfPatch {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #positions: readonly number[]

  constructor(btf: Btf) {
    this.bytes = new Uint8Array(btf.bytes)
    this.#view = new DataView(this.bytes.buffer)
    this.#positions = positions(this.#view)
  }

  /** Size of a DATASEC and its variables, which are as many as before. */
  datasec(id: number, size: number, vars: readonly BtfSecVar[]): void {
    const at = this.#at(id)
    this.#view.setUint32(at + 8, size, true)
    vars.forEach((v, i) => {
      this.#view.setUint32(at + 12 + i * 12, v.type, true)
      this.#view.setUint32(at + 16 + i * 12, v.offset, true)
      this.#view.setUint32(at + 20 + i * 12, v.size, true)
    })
  }

  varLinkage(id: number, linkage: number): void {
    this.#view.setUint32(this.#at(id) + 12, linkage, true)
  }

  funcLinkage(id: number, linkage: number): void {
    const at = this.#at(id) + 4
    this.#view.setUint32(at, ((this.#view.getUint32(at, true) & ~0xffff) | linkage) >>> 0, true)
  }

  #at(id: number): number {
    return this.#positions[id - 1]!
  }
}

/** Byte offset of every type; the blob was parsed before, so nothing is cut off. */
function positions(view: DataView): number[] {
  const start = view.getUint32(4, true) + view.getUint32(8, true)
  const end = start + view.getUint32(12, true)
  const out: number[] = []
  for (let at = start; at < end;) {
    out.push(at)
    const info = view.getUint32(at + 4, true)
    const kind = ((info >>> 24) & 0x1f) as Kind
    at += 12 + tailSize(kind === KIND.UNKN ? KIND.PTR : kind, info & 0xffff)
  }
  return out
}
