// BTF objects loaded by users; the emulated vmlinux is not one of them but is listed with them. kernel/bpf/btf.c, btf_new_fd.
import { KernelError } from '../bytes/errors.js'
import type { BtfInfo } from '../request/bpf.js'
import type { Store } from '../state/store.js'
import { EINVAL } from '../uapi/errno.js'
import type { ObjectTable, ObjRecord } from './table.js'

export interface BtfRecord extends ObjRecord {
  readonly name: string
  readonly size: number
}

const MAGIC = 0xeb9f
const blob = (id: number): string => `btf.${id}`

/** The kernel's own, which is always there. */
export const VMLINUX_ID = 1

export class Btfs {
  readonly #store: Store
  readonly #table: ObjectTable<BtfRecord>
  readonly #vmlinux: () => Uint8Array

  constructor(store: Store, table: ObjectTable<BtfRecord>, vmlinux: () => Uint8Array) {
    this.#store = store
    this.#table = table
    this.#vmlinux = vmlinux
  }

  load(request: { bytes: Uint8Array; name?: string }): { id: number } {
    const { bytes } = request
    if (bytes.length < 24 || (bytes[0]! | (bytes[1]! << 8)) !== MAGIC) throw new KernelError(EINVAL, undefined, 'Invalid magic')
    const record = this.#table.create((id) => ({ id, refs: 0, pins: [], name: request.name ?? '', size: bytes.length }))
    this.#store.writeBlob(blob(record.id), bytes)
    return { id: record.id }
  }

  bytes(id: number): Uint8Array {
    if (id === VMLINUX_ID) return this.#vmlinux()
    this.#table.need(id)
    return this.#store.readBlob(blob(id)) ?? new Uint8Array()
  }

  find(id: number): Uint8Array | undefined {
    return id === VMLINUX_ID || this.#table.get(id) ? this.bytes(id) : undefined
  }

  /** users: ids of programs and maps that refer to a BTF object. */
  info(id: number, users: (btfId: number) => { progIds: number[]; mapIds: number[] }): BtfInfo {
    if (id === VMLINUX_ID) return { id, name: 'vmlinux', size: this.#vmlinux().length, kernel: true, pins: [], progIds: [], mapIds: [] }
    const { name, size, pins } = this.#table.need(id)
    return { id, name, size, kernel: false, pins: [...pins], ...users(id) }
  }

  list(users: (btfId: number) => { progIds: number[]; mapIds: number[] }): BtfInfo[] {
    return [VMLINUX_ID, ...this.#table.ids()].map((id) => this.info(id, users))
  }

  destroy(record: BtfRecord): void {
    this.#store.deleteBlob(blob(record.id))
  }
}
