// Tables of struct tcp_congestion_ops: net/ipv4/bpf_tcp_ca.c and the list of net/ipv4/tcp_cong.c. Connections don't exist here yet; what
// uses a table is the name that net.ipv4.tcp_congestion_control holds.
import { KernelError } from '../bytes/errors.js'
import { isObjectName } from '../map/check.js'
import type { TableMember, TableView } from '../map/struct-ops-types.js'
import { EEXIST, EINVAL, ENOENT } from '../uapi/errno.js'
import type { Json, Store } from '../state/store.js'
import type { TableKind } from './struct-ops.js'

/** TCP_CONG_NON_RESTRICTED | TCP_CONG_NEEDS_ECN */
const TCP_CONG_MASK = 3
/** What the kernel itself has. */
const BUILT_IN = ['reno', 'cubic']
const KEY = 'struct_ops/tcp_congestion_ops'

export interface TcpHost {
  readonly store: Store
  /** The names as files of /proc/sys show them. */
  show(file: 'tcp_available_congestion_control' | 'tcp_congestion_control', text: string): void
  hold(mapId: number): void
  drop(mapId: number): void
}

interface Row {
  readonly name: string
  readonly mapId: number
}

interface Stored {
  /** In the order of registration. */
  readonly list: readonly Row[]
  /** What new connections use; its map is held, also once it is no longer registered. */
  readonly current: Row
}

const NOTHING: Stored = { list: [], current: { name: 'cubic', mapId: 0 } }

export class TcpCongestion implements TableKind {
  readonly name = 'tcp_congestion_ops'
  readonly #host: TcpHost

  constructor(host: TcpHost) {
    this.#host = host
  }

  #stored(): Stored {
    return (this.#host.store.get(KEY) as unknown as Stored | undefined) ?? NOTHING
  }

  #keep(stored: Partial<Stored>): void {
    this.#host.store.set(KEY, { ...this.#stored(), ...stored } as unknown as Json)
    this.#host.show('tcp_available_congestion_control', this.available().join(' '))
    if (stored.current) this.#host.show('tcp_congestion_control', stored.current.name)
  }

  /** bpf_tcp_ca_init_member */
  initMember({ name, offset }: TableMember, table: TableView): boolean {
    if (name === 'flags') {
      const flags = new DataView(table.bytes.buffer, table.bytes.byteOffset).getUint32(offset, true)
      if (flags & ~TCP_CONG_MASK) throw new KernelError(EINVAL)
      return true
    }
    if (name !== 'name') return false
    if (!isObjectName(table.text('name'))) throw new KernelError(EINVAL)
    return true
  }

  /** tcp_validate_congestion_control */
  validate(table: TableView): void {
    const complete = table.prog('ssthresh') && table.prog('undo_cwnd') && (table.prog('cong_avoid') || table.prog('cong_control'))
    if (!complete) throw new KernelError(EINVAL)
  }

  register(table: TableView): void {
    const name = table.text('name')
    if (this.available().includes(name)) throw new KernelError(EEXIST)
    this.#keep({ list: [...this.#stored().list, { name, mapId: table.mapId }] })
  }

  unregister(table: TableView): void {
    this.#keep({ list: this.#stored().list.filter(row => row.mapId !== table.mapId) })
  }

  /** tcp_update_congestion_control: only under the same name. */
  update(table: TableView, old: TableView): void {
    const name = table.text('name')
    const { list } = this.#stored()
    if (!list.some(row => row.name === name && row.mapId === old.mapId)) throw new KernelError(EINVAL)
    this.#keep({ list: list.map(row => (row.name === name ? { name, mapId: table.mapId } : row)) })
  }

  /** net.ipv4.tcp_available_congestion_control */
  available(): string[] {
    return [...BUILT_IN, ...this.#stored().list.map(({ name }) => name)]
  }

  /** Some table has ever been registered here. */
  get touched(): boolean {
    return this.#host.store.has(KEY)
  }

  get current(): string {
    return this.#stored().current.name
  }

  /** tcp_set_default_congestion_control: the new one is held, the old one let go. */
  setCurrent(name: string): void {
    if (!this.available().includes(name)) throw new KernelError(ENOENT)
    const { list, current } = this.#stored()
    const next = list.find(row => row.name === name) ?? { name, mapId: 0 }
    if (next.mapId === current.mapId && next.name === current.name) return
    if (next.mapId !== 0) this.#host.hold(next.mapId)
    if (current.mapId !== 0) this.#host.drop(current.mapId)
    this.#keep({ current: next })
  }
}
