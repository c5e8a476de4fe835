// struct_ops tables on a machine that lives in a directory: objects of fixtures/struct_ops loaded and registered as bpftool does.
import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { openMachine, KernelError, type Machine } from '../../pkg/index.js'
import { loadObject, type LoadedObject } from '../../pkg/object/load.js'
import { openObject } from '../../pkg/object/open.js'
import { attachStructOps, type LoadedTable } from '../../pkg/object/struct-ops-attach.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import { root } from './root.js'

export const KEY = new Uint8Array(4)

export class Tables {
  readonly #options: { dir: string; strict?: boolean; jit?: boolean }
  m: Machine
  warnings: string[] = []

  constructor(t: Test, options: { strict?: boolean; jit?: boolean } = {}) {
    this.#options = { dir: t.testdir(), ...options }
    this.m = openMachine(this.#options)
    t.teardown(() => this.m.close())
  }

  get kernel(): Kernel {
    return { request: this.m.bpf as Kernel['request'], commit: () => {}, close: () => {} }
  }

  /** As the next command finds it. */
  again(): void {
    this.m.commit()
    this.m.close()
    this.m = openMachine(this.#options)
  }

  load(name: string): LoadedObject {
    const object = openObject(readFileSync(root('fixtures', 'struct_ops', name)), { file: name })
    this.warnings = []
    return loadObject(object, this.kernel, { logLevel: 1, warn: (line) => this.warnings.push(line) })
  }

  register(name: string): LoadedTable & { linkId?: number } {
    const [table] = this.load(name).tables
    return { ...table!, ...attachStructOps(this.kernel, table!) }
  }

  /** refcnt and state of a table; undefined: its map is gone. */
  state(mapId: number): { refcnt: number; state: number } | undefined {
    try {
      const value = this.m.bpf('map.lookup', { mapId, key: KEY })
      const view = new DataView(value.buffer, value.byteOffset)
      return { refcnt: view.getUint32(0, true), state: view.getUint32(4, true) }
    } catch (error) {
      if (error instanceof KernelError) return undefined
      throw error
    }
  }
}

/** The errno of a refusal; 0 for none. */
export function errnoOf(work: () => unknown): number {
  try {
    work()
    return 0
  } catch (error) {
    if (error instanceof KernelError) return error.errno
    throw error
  }
}
