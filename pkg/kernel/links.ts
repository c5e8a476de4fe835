// bpf_link objects: an attachment that lives as long as somebody holds it. kernel/bpf/syscall.c, link_create and below.
import { KernelError } from '../bytes/errors.js'
import type { BpfRequests, LinkInfo } from '../request/bpf.js'
import { EOPNOTSUPP } from '../uapi/errno.js'
import type { ObjectTable, ObjRecord } from './table.js'

export interface LinkRecord extends ObjRecord {
  readonly type: number
  readonly progId: number
  readonly attachType: number
  /** 0 once detached. */
  readonly ifindex: number
}

export class Links {
  readonly #table: ObjectTable<LinkRecord>

  constructor(table: ObjectTable<LinkRecord>) {
    this.#table = table
  }

  create(request: BpfRequests['bpf_link.create'][0]): { id: number } {
    throw new KernelError(EOPNOTSUPP, `not supported yet: bpf_link (attach type ${request.attachType}); attach with ip link or tc`)
  }

  update(request: BpfRequests['bpf_link.update'][0]): void {
    this.#table.need(request.linkId)
  }

  detach(id: number): void {
    this.#table.need(id)
  }

  info(id: number): LinkInfo {
    const { type, progId, attachType, ifindex, pins } = this.#table.need(id)
    return { id, type, progId, attachType, ifindex, pins: [...pins] }
  }

  list(): LinkInfo[] {
    return this.#table.ids().map((id) => this.info(id))
  }
}
