// bpf_link objects: an attachment that lives as long as somebody holds it. kernel/bpf/syscall.c, link_create and below.
import { KernelError } from '../bytes/errors.js'
import type { BpfRequests, LinkInfo } from '../request/bpf.js'
import { EOPNOTSUPP } from '../uapi/errno.js'
import type { StructOpsLinks } from './struct-ops-links.js'
import type { ObjectTable, ObjRecord } from './table.js'

export interface LinkRecord extends ObjRecord {
  readonly type: number
  readonly progId: number
  readonly attachType: number
  /** 0 once detached. */
  readonly ifindex: number
  /** struct_ops: the map it registers, 0 once detached. */
  mapId?: number
}

export class Links {
  readonly #table: ObjectTable<LinkRecord>
  readonly #structOps: StructOpsLinks

  constructor(table: ObjectTable<LinkRecord>, structOps: StructOpsLinks) {
    this.#table = table
    this.#structOps = structOps
  }

  create(request: BpfRequests['bpf_link.create'][0]): { id: number } {
    if (request.mapId !== undefined) {
      const fields = this.#structOps.create(request)
      return { id: this.#table.create((id) => ({ id, refs: 0, pins: [], ...fields })).id }
    }
    throw new KernelError(EOPNOTSUPP, `not supported yet: bpf_link (attach type ${request.attachType}); attach with ip link or tc`)
  }

  update(request: BpfRequests['bpf_link.update'][0]): void {
    const record = this.#table.need(request.linkId)
    if (request.mapId === undefined) throw new KernelError(EOPNOTSUPP, 'not supported yet: links of programs')
    this.#structOps.update(record, request)
    this.#table.touch(record)
  }

  detach(id: number): void {
    const record = this.#table.need(id)
    this.#structOps.detach(record)
    this.#table.touch(record)
  }

  info(id: number): LinkInfo {
    const { type, progId, attachType, ifindex, pins, mapId } = this.#table.need(id)
    return { id, type, progId, attachType, ifindex, pins: [...pins], ...(mapId === undefined ? {} : { mapId }) }
  }

  list(): LinkInfo[] {
    return this.#table.ids().map((id) => this.info(id))
  }

  /** The last reference is gone. */
  destroy(record: LinkRecord): void {
    if (record.mapId) this.#structOps.detach(record)
  }
}
