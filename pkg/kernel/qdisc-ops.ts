// Tables of struct Qdisc_ops: bpf_qdisc_ops of net/sched/bpf_qdisc.c, and register_qdisc of net/sched/sch_api.c.
import { KernelError } from '../bytes/errors.js'
import type { StructOpsMap } from '../map/bpf_struct_ops.js'
import { isObjectName } from '../map/check.js'
import type { TableMember, TableView } from '../map/struct-ops-types.js'
import type { AddressSpace } from '../mem/space.js'
import { MEMBERS, type BpfQdiscHost, type QdiscTable } from '../sched/bpf-qdisc-run.js'
import { qdiscKind } from '../sched/kinds.js'
import type { Store } from '../state/store.js'
import { EEXIST, EINVAL } from '../uapi/errno.js'
import type { TableKind } from './struct-ops.js'

const KEY = 'struct_ops/Qdisc_ops/'

export interface QdiscOpsHost {
  readonly store: Store
  readonly strict: boolean
  space(): AddressSpace
  map(id: number): StructOpsMap
  hold(mapId: number): void
  drop(mapId: number): void
  warn(text: string): void
}

export class QdiscOps implements TableKind, BpfQdiscHost {
  readonly name = 'Qdisc_ops'
  readonly #host: QdiscOpsHost
  readonly #tables = new Map<number, QdiscTable>()

  constructor(host: QdiscOpsHost) {
    this.#host = host
  }

  /** bpf_qdisc_init_member */
  initMember({ name, offset, size }: TableMember, table: TableView): boolean {
    const zero = table.bytes.subarray(offset, offset + size).every((byte) => byte === 0)
    if (name === 'priv_size') {
      if (!zero) throw new KernelError(EINVAL)
      return true
    }
    // Always the kernel's own.
    if (name === 'peek') return true
    if (name !== 'id') return false
    if (!isObjectName(table.text('id'))) throw new KernelError(EINVAL)
    return true
  }

  /** bpf_qdisc_validate. The first merged form knew no destroy. */
  validate(table: TableView): void {
    const missing = MEMBERS.filter((name) => table.prog(name) === 0)
    if (missing.length === 0) return
    if (this.#host.strict || missing.some((name) => name !== 'destroy')) throw new KernelError(EINVAL)
    this.#host.warn(`Qdisc_ops ${table.text('id')} has no destroy: taken, as Linux 6.16 did`)
  }

  register(table: TableView): void {
    const id = table.text('id')
    if (qdiscKind(id) || id === 'noop' || this.#host.store.has(KEY + id)) throw new KernelError(EEXIST)
    this.#host.store.set(KEY + id, table.mapId)
  }

  unregister(table: TableView): void {
    this.#host.store.delete(KEY + table.text('id'))
  }

  registered(kind: string): QdiscTable | undefined {
    const mapId = this.#host.store.get(KEY + kind)
    return mapId === undefined ? undefined : this.table(Number(mapId))
  }

  table(mapId: number): QdiscTable {
    const known = this.#tables.get(mapId)
    if (known) return known
    const view = this.#host.map(mapId).table
    const progs = Object.fromEntries(MEMBERS.map((name) => [name, view.prog(name)])) as Record<(typeof MEMBERS)[number], number>
    const table = { mapId, progs }
    this.#tables.set(mapId, table)
    return table
  }

  hold(mapId: number): void {
    this.#host.hold(mapId)
  }

  release(mapId: number): void {
    this.#host.drop(mapId)
  }

  memory(name: string, size: number): number {
    const space = this.#host.space()
    const region = space.size(name) > 0 ? space.open(name) : space.allocate(name, size)
    region.touched = true
    return region.addr
  }

  forget(name: string): void {
    this.#host.space().release(name)
  }
}
