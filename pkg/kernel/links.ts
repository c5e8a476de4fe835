// bpf_link objects: an attachment that lives as long as somebody holds it. kernel/bpf/syscall.c, link_create and below.
import { KernelError } from '../bytes/errors.js'
import type { BpfRequests, LinkInfo } from '../request/bpf.js'
import { ATTACH_TYPE, LINK_TYPE } from '../uapi/bpf.js'
import { EINVAL, ENOLINK, EOPNOTSUPP, EPERM } from '../uapi/errno.js'
import type { ObjectTable, ObjRecord } from './table.js'

export interface LinkRecord extends ObjRecord {
  readonly type: number
  progId: number
  readonly attachType: number
  /** 0 once detached. */
  ifindex: number
}

/** Attaches and detaches on behalf of links; by attach type. */
export interface LinkHooks {
  attachXdp(ifindex: number, progId: number, flags: number, linkId: number): void
  detachXdp(ifindex: number, linkId: number): void
  progType(id: number): number | undefined
  holdProg(id: number): void
  dropProg(id: number): void
}

export class Links {
  readonly #table: ObjectTable<LinkRecord>
  readonly #hooks: LinkHooks

  constructor(table: ObjectTable<LinkRecord>, hooks: LinkHooks) {
    this.#table = table
    this.#hooks = hooks
  }

  create(request: BpfRequests['bpf_link.create'][0]): { id: number } {
    const { progId, ifindex, attachType, flags = 0 } = request
    if (this.#hooks.progType(progId) === undefined) throw new KernelError(EINVAL)
    if (attachType !== ATTACH_TYPE.XDP) throw new KernelError(EOPNOTSUPP, `not supported yet: links of attach type ${attachType}`)
    const record = this.#table.create((id) => ({
      id, refs: 0, pins: [], type: LINK_TYPE.XDP, progId, attachType, ifindex,
    }))
    this.#hooks.attachXdp(ifindex, progId, flags, record.id)
    this.#hooks.holdProg(progId)
    return { id: record.id }
  }

  update(request: BpfRequests['bpf_link.update'][0]): void {
    const record = this.#table.need(request.linkId)
    if (record.ifindex === 0) throw new KernelError(ENOLINK)
    if (request.oldProgId !== undefined && request.oldProgId !== record.progId) throw new KernelError(EPERM)
    this.#hooks.attachXdp(record.ifindex, request.progId, 0, record.id)
    this.#hooks.holdProg(request.progId)
    this.#hooks.dropProg(record.progId)
    record.progId = request.progId
    this.#table.touch(record)
  }

  detach(id: number): void {
    const record = this.#table.need(id)
    if (record.ifindex === 0) return
    this.#hooks.detachXdp(record.ifindex, id)
    record.ifindex = 0
    this.#table.touch(record)
  }

  info(id: number): LinkInfo {
    const { type, progId, attachType, ifindex, pins } = this.#table.need(id)
    return { id, type, progId, attachType, ifindex, pins: [...pins] }
  }

  list(): LinkInfo[] {
    return this.#table.ids().map((id) => this.info(id))
  }

  /** The device is going away: its links stay, detached. */
  deviceGone(ifindex: number): void {
    for (const record of this.#table.list()) {
      if (record.ifindex !== ifindex) continue
      record.ifindex = 0
      this.#table.touch(record)
    }
  }

  destroy(record: LinkRecord): void {
    if (record.ifindex !== 0) this.#hooks.detachXdp(record.ifindex, record.id)
    this.#hooks.dropProg(record.progId)
  }
}
