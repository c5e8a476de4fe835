// BPF_MAP_TYPE_STRUCT_OPS: one value, a kernel table whose functions are programs. Setting it registers the table (or makes it ready
// for a link), deleting it unregisters. kernel/bpf/bpf_struct_ops.c.
import { KernelError } from '../bytes/errors.js'
import type { Region } from '../mem/space.js'
import { MAP_F, MAP_TYPE, PROG_TYPE } from '../uapi/bpf.js'
import { E2BIG, EBADF, EBUSY, EINPROGRESS, EINVAL, ENOENT, ENOTSUPP, EOPNOTSUPP } from '../uapi/errno.js'
import { MapBase } from './base.js'
import { refuse, type NewMap } from './check.js'
import { MAP, writeHeader } from './header.js'
import { COMMON, STATE, type State, type TableHost, type TableLayout, type TableMember, type TableView } from './struct-ops-types.js'
import type { MapAttr, MapHost, MapKind } from './types.js'

export class StructOpsMap extends MapBase {
  readonly layout: TableLayout
  readonly #tables: TableHost
  readonly #value: number

  constructor(attr: MapAttr, region: Region, host: MapHost) {
    super(attr, region, host)
    this.#tables = tablesOf(host)
    this.layout = layoutOf(attr, host)
    this.#value = this.addr + MAP.size
  }

  // Programs may not use such maps; the verifier says so.
  lookup(): number {
    return -EINVAL
  }

  update(): number {
    return -EINVAL
  }

  delete(): number {
    return -EINVAL
  }

  get state(): State {
    return this.mem.u32[(this.#value + COMMON.state) >> 2] as State
  }

  #setState(state: State): void {
    this.touch()
    this.mem.u32[(this.#value + COMMON.state) >> 2] = state
  }

  get table(): TableView {
    return this.#view(this.mem.u8.slice(this.#value, this.#value + this.layout.valueSize))
  }

  /** The programs of the table by member. */
  progs(): Map<string, number> {
    const { table } = this
    const funcs = this.layout.members.filter(({ kind }) => kind === 'func')
    return new Map(funcs.map(({ name }) => [name, table.prog(name)] as const).filter(([, id]) => id !== 0))
  }

  #view(value: Uint8Array): TableView {
    const bytes = value.subarray(this.layout.dataOffset)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const member = (name: string): TableMember | undefined => this.layout.members.find(m => m.name === name)
    return {
      mapId: this.attr.id,
      bytes,
      prog: name => {
        const found = member(name)
        return found ? view.getUint32(found.offset, true) : 0
      },
      text: name => {
        const { offset, size } = member(name)!
        const chars = bytes.subarray(offset, offset + size)
        const end = chars.indexOf(0)
        return String.fromCharCode(...(end < 0 ? chars : chars.subarray(0, end)))
      },
    }
  }

  override sysLookup(key: Uint8Array, flags: number): Uint8Array {
    this.checkFlags(flags)
    refuse(keyOf(key) !== 0, ENOENT)
    if (this.state === STATE.INIT) return new Uint8Array(this.attr.valueSize)
    const value = this.mem.u8.slice(this.#value, this.#value + this.attr.valueSize)
    new DataView(value.buffer).setUint32(COMMON.refcnt, Math.max(0, this.#tables.users(this.attr.id)), true)
    return value
  }

  override sysUpdate(key: Uint8Array, value: Uint8Array, flags: number): void {
    refuse(value.length !== this.attr.valueSize || flags !== 0, EINVAL)
    refuse(keyOf(key) !== 0, E2BIG)
    this.#checkHoles(value)
    const given = new DataView(value.buffer, value.byteOffset)
    refuse(given.getUint32(COMMON.state, true) !== 0 || given.getUint32(COMMON.refcnt, true) !== 0, EINVAL)
    refuse(this.state !== STATE.INIT, EBUSY)
    const bytes = value.slice()
    const table = this.#view(bytes)
    const progs = this.layout.members.flatMap((member, index) => this.#initMember(member, index, table))
    this.#tables.validate(this.layout, table)
    const link = (this.attr.flags & MAP_F.LINK) !== 0
    if (!link) this.#tables.register(this.layout, table)
    for (const id of progs) this.host.hold('prog', id)
    this.mem.u8.set(bytes, this.#value)
    this.#setState(link ? STATE.READY : STATE.INUSE)
    if (!link) this.host.hold('map', this.attr.id)
  }

  /** check_zero_holes: nothing hides between members. */
  #checkHoles(value: Uint8Array): void {
    const { dataOffset, members, valueSize } = this.layout
    const used = new Uint8Array(valueSize)
    used.fill(1, 0, COMMON.state + 4)
    for (const { offset, size } of members) used.fill(1, dataOffset + offset, dataOffset + offset + size)
    refuse(value.some((byte, at) => byte !== 0 && used[at] === 0), EINVAL)
  }

  #initMember(member: TableMember, index: number, table: TableView): number[] {
    const { offset, size, kind } = member
    const zero = table.bytes.subarray(offset, offset + size).every(byte => byte === 0)
    if (kind === 'module') {
      refuse(!zero, EINVAL)
      return []
    }
    if (this.#tables.initMember(this.layout, member, table)) return []
    if (kind !== 'func') {
      refuse(!zero, EINVAL)
      return []
    }
    const id = table.prog(member.name)
    if (id === 0) return []
    const type = this.host.progType(id)
    if (type === undefined) throw new KernelError(EBADF)
    const fits = type === PROG_TYPE.STRUCT_OPS && this.#tables.progAttachBtfId(id) === this.layout.typeId
    refuse(!fits || this.host.progAttachType?.(id) !== index, EINVAL)
    return [id]
  }

  override sysDelete(key: Uint8Array): void {
    refuse((this.attr.flags & MAP_F.LINK) !== 0, EOPNOTSUPP)
    refuse(keyOf(key) !== 0, E2BIG)
    refuse(this.state === STATE.TOBEFREE, EINPROGRESS)
    refuse(this.state === STATE.INIT, ENOENT)
    this.#setState(STATE.TOBEFREE)
    this.#tables.unregister(this.layout, this.table)
    this.host.drop('map', this.attr.id)
  }

  override sysNextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    return key && keyOf(key) === 0 ? undefined : new Uint8Array(4)
  }

  override sysLookupAndDelete(): Uint8Array {
    throw new KernelError(ENOTSUPP)
  }

  override destroy(): void {
    for (const id of this.progs().values()) this.host.drop('prog', id)
  }
}

function keyOf(key: Uint8Array): number {
  refuse(key.length !== 4, EINVAL)
  return new DataView(key.buffer, key.byteOffset).getUint32(0, true)
}

function tablesOf(host: MapHost): TableHost {
  if (!host.tables) throw new KernelError(ENOTSUPP)
  return host.tables
}

function layoutOf(attr: NewMap, host: MapHost): TableLayout {
  const layout = tablesOf(host).layout(attr.btfVmlinuxValueTypeId ?? 0)
  if (!layout) throw new KernelError(ENOTSUPP)
  return layout
}

export const structOps: MapKind = {
  type: MAP_TYPE.STRUCT_OPS,
  name: 'struct_ops',
  /** bpf_struct_ops_map_alloc_check, bpf_struct_ops_map_alloc */
  check(attr, host) {
    const flags = attr.flags & ~(MAP_F.LINK | MAP_F.VTYPE_BTF_OBJ_FD)
    refuse(attr.keySize !== 4 || attr.maxEntries !== 1 || flags !== 0 || !attr.btfVmlinuxValueTypeId, EINVAL)
    if (attr.flags & MAP_F.VTYPE_BTF_OBJ_FD) throw new KernelError(EOPNOTSUPP, 'not supported yet: struct_ops of kernel modules')
    refuse(layoutOf(attr, host).valueSize !== attr.valueSize, EINVAL)
  },
  bytes: attr => MAP.size + attr.valueSize,
  create(attr, region, host) {
    writeHeader(host.mem, region.addr, attr)
    return new StructOpsMap(attr, region, host)
  },
  open: (attr, region, host) => new StructOpsMap(attr, region, host),
}
