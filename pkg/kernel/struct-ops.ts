// The kinds of struct_ops tables this kernel has, laid out by its BTF, and who is registered: kernel/bpf/bpf_struct_ops.c from the
// kernel's side. What a kind asks of its tables is in its own file (tcp-ca.ts, qdisc-ops.ts).
import { KernelError } from '../bytes/errors.js'
import type { Btf, BtfComposite, BtfMember } from '../btf/index.js'
import { KIND } from '../btf/types.js'
import { StructOpsMap } from '../map/bpf_struct_ops.js'
import type { TableHost, TableLayout, TableMember, TableView } from '../map/struct-ops-types.js'
import { EINVAL } from '../uapi/errno.js'

/** struct bpf_struct_ops: one kind of tables. Throws KernelError. */
export interface TableKind {
  readonly name: string
  initMember(member: TableMember, table: TableView): boolean
  validate(table: TableView): void
  register(table: TableView): void
  unregister(table: TableView): void
  /** Absent: a link can't be given another table. */
  update?(table: TableView, old: TableView): void
}

export interface TablesHost {
  vmlinux(): Btf
  users(mapId: number): number
  progAttachBtfId(id: number): number | undefined
  map(id: number): unknown
}

const VALUE_PREFIX = 'bpf_struct_ops_'

export class StructOps implements TableHost {
  readonly #host: TablesHost
  readonly #kinds: ReadonlyMap<string, TableKind>
  readonly #layouts = new Map<number, TableLayout>()

  constructor(host: TablesHost, kinds: readonly TableKind[]) {
    this.#host = host
    this.#kinds = new Map(kinds.map(kind => [kind.name, kind]))
  }

  layout(valueTypeId: number): TableLayout | undefined {
    const known = this.#layouts.get(valueTypeId)
    if (known) return known
    const btf = this.#host.vmlinux()
    if (valueTypeId <= 0 || valueTypeId >= btf.count) return undefined
    const value = btf.type(valueTypeId)
    const kind = value.name.startsWith(VALUE_PREFIX) ? this.#kinds.get(value.name.slice(VALUE_PREFIX.length)) : undefined
    if (!kind || value.kind !== KIND.STRUCT) return undefined
    const layout = layoutOf(btf, value, kind)
    this.#layouts.set(valueTypeId, layout)
    return layout
  }

  users(mapId: number): number {
    return this.#host.users(mapId)
  }

  progAttachBtfId(id: number): number | undefined {
    return this.#host.progAttachBtfId(id)
  }

  initMember(layout: TableLayout, member: TableMember, table: TableView): boolean {
    return this.#kind(layout).initMember(member, table)
  }

  validate(layout: TableLayout, table: TableView): void {
    this.#kind(layout).validate(table)
  }

  register(layout: TableLayout, table: TableView): void {
    this.#kind(layout).register(table)
  }

  unregister(layout: TableLayout, table: TableView): void {
    this.#kind(layout).unregister(table)
  }

  /** A link changes its table: bpf_struct_ops_map_link_update. */
  update(layout: TableLayout, table: TableView, old: TableView): void {
    this.#kind(layout).update?.(table, old)
  }

  /** The struct_ops map of an id; EINVAL when it is another kind of map. */
  map(id: number): StructOpsMap {
    const map = this.#host.map(id)
    if (!(map instanceof StructOpsMap)) throw new KernelError(EINVAL)
    return map
  }

  #kind(layout: TableLayout): TableKind {
    return this.#kinds.get(layout.name)!
  }
}

function layoutOf(btf: Btf, value: BtfComposite, kind: TableKind): TableLayout {
  const data = value.members.find(m => m.name === 'data')!
  const table = btf.resolve(data.type) as BtfComposite
  return {
    name: kind.name, typeId: table.id, valueTypeId: value.id, valueSize: value.size, dataOffset: data.bitOffset / 8,
    members: table.members.map(m => memberOf(btf, m)), canUpdate: kind.update !== undefined,
  }
}

function memberOf(btf: Btf, { name, type, bitOffset }: BtfMember): TableMember {
  const t = btf.resolve(type)
  const target = t.kind === KIND.PTR ? btf.resolve(t.type) : undefined
  const kind = target?.kind === KIND.FUNC_PROTO ? 'func' : target?.name === 'module' ? 'module' : 'other'
  return { name, offset: bitOffset / 8, size: btf.sizeof(type) ?? 0, kind }
}
