// One machine for one command line, or for all lines of a batch: opened when first asked for, committed a line at a time.
import { assert } from '../bytes/errors.js'
import type { Kernel } from '../request/kernel.js'
import type { Access, Io } from './io.js'

export class Session {
  readonly #io: Io
  #kernel: Kernel | undefined
  #access: Access = 'read'
  #dirty = false

  constructor(io: Io) {
    this.#io = io
  }

  /** The machine. A first reader that wants to write now starts over with the lock, and sees what others wrote since. */
  kernel(access: Access): Kernel {
    if (this.#kernel !== undefined && access === 'write' && this.#access === 'read') this.close()
    if (this.#kernel === undefined) {
      this.#kernel = this.#io.openKernel(access)
      this.#access = access
    }
    this.#dirty ||= access === 'write'
    assert(this.#kernel !== undefined, 'openKernel gave a kernel')
    return this.#kernel
  }

  /** The line went well: what it changed is durable before anything is printed. */
  commit(): void {
    if (this.#dirty) this.#kernel?.commit()
    this.#dirty = false
  }

  /** The line failed: none of it happened. */
  rollback(): void {
    if (this.#dirty) this.close()
  }

  close(): void {
    this.#kernel?.close()
    this.#kernel = undefined
    this.#dirty = false
  }
}
