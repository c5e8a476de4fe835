// How BTF is refused: one line with file and section first.
import { InputError } from '../bytes/errors.js'
import { printable } from '../bytes/printable.js'

/** Makes the error of one BTF blob. */
export type BtfError = (reason: string) => InputError

export function btfError(file: string, section = '.BTF'): BtfError {
  return reason => new InputError(`${file}: ${section}: ${printable(reason)}`)
}
