// Links of struct_ops maps: bpf_struct_ops_link_create, bpf_struct_ops_map_link_update, _detach and _dealloc of kernel/bpf/bpf_struct_ops.c.
import { KernelError } from '../bytes/errors.js'
import type { StructOpsMap } from '../map/bpf_struct_ops.js'
import { STATE } from '../map/struct-ops-types.js'
import type { LinkCreate, LinkUpdate } from '../request/bpf.js'
import { ATTACH_TYPE, LINK_TYPE, MAP_F, UPDATE_LINK } from '../uapi/bpf.js'
import { EINVAL, ENOLINK, EOPNOTSUPP, EPERM } from '../uapi/errno.js'
import type { LinkRecord } from './links.js'
import type { StructOps } from './struct-ops.js'

export interface StructOpsLinksHost {
  tables(): StructOps
  hold(mapId: number): void
  drop(mapId: number): void
}

type MapLink = Extract<LinkCreate, { mapId: number }>
type MapUpdate = Extract<LinkUpdate, { mapId: number }>

export class StructOpsLinks {
  readonly #host: StructOpsLinksHost

  constructor(host: StructOpsLinksHost) {
    this.#host = host
  }

  create({ mapId, attachType, flags = 0 }: MapLink): Pick<LinkRecord, 'type' | 'progId' | 'attachType' | 'ifindex' | 'mapId'> {
    if (attachType !== ATTACH_TYPE.STRUCT_OPS || flags !== 0) throw new KernelError(EINVAL)
    const map = this.#ready(mapId)
    this.#host.tables().register(map.layout, map.table)
    this.#host.hold(mapId)
    return { type: LINK_TYPE.STRUCT_OPS, progId: 0, attachType, ifindex: 0, mapId }
  }

  /** bpf_struct_ops_valid_to_reg */
  #ready(mapId: number): StructOpsMap {
    const map = this.#host.tables().map(mapId)
    if ((map.attr.flags & MAP_F.LINK) === 0 || map.state !== STATE.READY) throw new KernelError(EINVAL)
    return map
  }

  update(record: LinkRecord, { mapId, oldMapId, flags = 0 }: MapUpdate): void {
    if (record.type !== LINK_TYPE.STRUCT_OPS) throw new KernelError(EOPNOTSUPP)
    if (flags & ~UPDATE_LINK.F_REPLACE || (oldMapId !== undefined) !== ((flags & UPDATE_LINK.F_REPLACE) !== 0)) throw new KernelError(EINVAL)
    const map = this.#ready(mapId)
    if (!map.layout.canUpdate) throw new KernelError(EOPNOTSUPP)
    if (!record.mapId) throw new KernelError(ENOLINK)
    if (oldMapId !== undefined && oldMapId !== record.mapId) throw new KernelError(EPERM)
    const old = this.#host.tables().map(record.mapId)
    if (old.layout.typeId !== map.layout.typeId) throw new KernelError(EINVAL)
    this.#host.tables().update(map.layout, map.table, old.table)
    this.#host.hold(mapId)
    this.#host.drop(record.mapId)
    record.mapId = mapId
  }

  /** The table is unregistered; the link stays, with nothing in it. */
  detach(record: LinkRecord): void {
    if (record.type !== LINK_TYPE.STRUCT_OPS) throw new KernelError(EOPNOTSUPP)
    const { mapId } = record
    if (!mapId) return
    const map = this.#host.tables().map(mapId)
    this.#host.tables().unregister(map.layout, map.table)
    record.mapId = 0
    this.#host.drop(mapId)
  }
}
