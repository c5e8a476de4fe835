// The struct_ops side of a machine, put together: kinds of tables, their links, and what of them shows below /proc/sys.
import type { Btf } from '../btf/index.js'
import type { Store } from '../state/store.js'
import type { AddressSpace } from '../mem/space.js'
import { QdiscOps } from './qdisc-ops.js'
import { StructOpsLinks } from './struct-ops-links.js'
import { StructOps } from './struct-ops.js'
import { TcpCongestion } from './tcp-ca.js'
import type { Views } from './views.js'

const IPV4 = 'proc/sys/net/ipv4'

export interface StructOpsSideHost {
  readonly store: Store
  readonly views: Views
  readonly strict: boolean
  space(): AddressSpace
  warn(text: string): void
  vmlinux(): Btf
  users(mapId: number): number
  progAttachBtfId(id: number): number | undefined
  map(id: number): unknown
  hold(mapId: number): void
  drop(mapId: number): void
}

export class StructOpsSide {
  readonly tcp: TcpCongestion
  readonly qdiscs: QdiscOps
  readonly tables: StructOps
  readonly links: StructOpsLinks
  readonly #views: Views

  constructor(host: StructOpsSideHost) {
    const { store, views } = host
    const hold = (id: number): void => host.hold(id)
    const drop = (id: number): void => host.drop(id)
    this.#views = views
    this.tcp = new TcpCongestion({ store, hold, drop, show: (file, text) => views.write(`${IPV4}/${file}`, `${text}\n`) })
    this.qdiscs = new QdiscOps({
      store, hold, drop, strict: host.strict, space: () => host.space(), map: (id) => this.tables.map(id), warn: (text) => host.warn(text),
    })
    this.tables = new StructOps(host, [this.tcp, this.qdiscs])
    this.links = new StructOpsLinks({ tables: () => this.tables, hold, drop })
  }

  /** A name that a user wrote into the file is used from now on. */
  reconcile(): void {
    if (!this.tcp.touched) return
    const name = this.#views.text(`${IPV4}/tcp_congestion_control`)?.trim()
    if (name !== undefined && name !== this.tcp.current && this.tcp.available().includes(name)) this.tcp.setCurrent(name)
  }
}
