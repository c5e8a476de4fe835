// What the kinds of struct_ops tables are to their map: struct bpf_struct_ops and bpf_struct_ops_desc (include/linux/bpf.h). The kernel
// lays tables out by its BTF and registers them; the map only keeps bytes, states and programs.

/** enum bpf_struct_ops_state */
export const STATE = { INIT: 0, INUSE: 1, TOBEFREE: 2, READY: 3 } as const
export type State = (typeof STATE)[keyof typeof STATE]

/** Offsets in struct bpf_struct_ops_common_value. */
export const COMMON = { refcnt: 0, state: 4 } as const

export interface TableMember {
  readonly name: string
  /** In the table, bytes. */
  readonly offset: number
  readonly size: number
  readonly kind: 'func' | 'module' | 'other'
}

export interface TableLayout {
  /** tcp_congestion_ops */
  readonly name: string
  readonly typeId: number
  readonly valueTypeId: number
  readonly valueSize: number
  /** Of the table in the value. */
  readonly dataOffset: number
  /** Index = member index = expected_attach_type. */
  readonly members: readonly TableMember[]
  /** Links that swap one table for another are possible. */
  readonly canUpdate: boolean
}

/** A table as its kind looks at it: bytes by member. */
export interface TableView {
  readonly mapId: number
  readonly bytes: Uint8Array
  /** Program in a member, 0: none. */
  prog(member: string): number
  /** A char array up to its NUL. */
  text(member: string): string
}

/** What the kernel does for the maps. All throw KernelError. */
export interface TableHost {
  /** The table whose value has that type in the kernel's BTF; undefined: no table's. */
  layout(valueTypeId: number): TableLayout | undefined
  /** init_member: true, it has dealt with the member; false leaves it to the general rule. */
  initMember(layout: TableLayout, member: TableMember, table: TableView): boolean
  validate(layout: TableLayout, table: TableView): void
  register(layout: TableLayout, table: TableView): void
  unregister(layout: TableLayout, table: TableView): void
  /** References to the map without those of users' handles: what user space reads as refcnt. */
  users(mapId: number): number
  progAttachBtfId(id: number): number | undefined
}
