// How an object is refused: file first, then whose fault it is in libbpf's words: map 'x', prog 'x', sec 'x'.
import { InputError } from '../bytes/errors.js'
import { printable } from '../bytes/printable.js'

export function objectError(file: string, whose: string, reason: string): InputError {
  return new InputError(`${file}: ${printable(`${whose}: ${reason}`)}`)
}

/** Little-endian numbers of a view of bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
