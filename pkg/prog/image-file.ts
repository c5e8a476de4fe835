// An image as bytes in the store: u32 header length, header as JSON, instructions.
import { Bug } from '../bytes/errors.js'
import { decodeInsns, encodeInsns } from '../insn/insn.js'
import type { Image, InsnAux } from './image.js'

interface Header {
  name: string
  type: number
  subprogs: readonly number[]
  stack: readonly number[]
  callbacks: readonly number[]
  aux: [number, InsnAux][]
  mapIds: readonly number[]
}

export function encodeImage(image: Image): Uint8Array {
  const { insns, aux, ...plain } = image
  const header: Header = { ...plain, aux: [...aux] }
  const head = new TextEncoder().encode(JSON.stringify(header))
  const code = encodeInsns(insns)
  const out = new Uint8Array(4 + head.length + code.length)
  new DataView(out.buffer).setUint32(0, head.length, true)
  out.set(head, 4)
  out.set(code, 4 + head.length)
  return out
}

/** The store checks its bytes, so anything wrong here is a Bug. */
export function decodeImage(bytes: Uint8Array): Image {
  if (bytes.length < 4) throw new Bug('program image is cut short')
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  const { aux, ...plain } = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as Header
  return { ...plain, aux: new Map(aux), insns: decodeInsns(bytes.subarray(4 + length)) }
}
