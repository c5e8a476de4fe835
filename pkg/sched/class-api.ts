// Requests about classes and filters of a device (net/sched/sch_api.c: tc_ctl_tclass, tc_dump_tclass; net/sched/cls_api.c).
import { KernelError } from '../bytes/errors.js'
import type { ClassNew, Filter, FilterNew, TcClass } from '../request/rtnl.js'
import { EEXIST, EINVAL, ENOENT, EOPNOTSUPP } from '../uapi/errno.js'
import { major, makeHandle, minor, TC_H_INGRESS, TC_H_MIN_EGRESS, TC_H_MIN_INGRESS, TC_H_ROOT } from '../units/handle.js'
import { treeOf } from './common.js'
import { delFilter, listFilters, newFilter, type Block, type FilterDel } from './cls-api.js'
import { lookup } from './sch-api.js'
import { clsactPriv } from './sch-ingress.js'
import type { ClassOps, DevSched, Qdisc } from './types.js'

interface Located {
  q: Qdisc
  ops: ClassOps
  classid: number
  parent: number
}

/** Which qdisc a class request means, from the majors of classid and parent; and both ids made whole. */
function locate(port: DevSched, classid: number, parent: number): Located {
  let qid = makeHandle(major(classid), 0)
  let portid = parent
  if (parent !== TC_H_ROOT) {
    const qid1 = makeHandle(major(parent), 0)
    if (qid !== 0 && qid1 !== 0 && qid !== qid1) throw new KernelError(EINVAL)
    qid = qid || qid1 || port.root.handle
    if (portid !== 0) portid = makeHandle(major(qid), minor(portid))
  } else qid = qid || port.root.handle
  const q = lookup(port, qid)
  if (!q) throw new KernelError(ENOENT)
  if (!q.kind.classes) throw new KernelError(EINVAL)
  const id = classid === 0 ? (parent === TC_H_ROOT ? qid : 0) : makeHandle(major(qid), minor(classid))
  return { q, ops: q.kind.classes, classid: id, parent: portid }
}

/** RTM_NEWTCLASS */
export function classNew(port: DevSched, request: ClassNew): void {
  const { q, ops, classid, parent } = locate(port, request.classid, request.parent)
  const existing = classid === 0 ? undefined : ops.find(q, classid)
  if (existing === undefined && !request.create) throw new KernelError(ENOENT)
  if (existing !== undefined && request.excl) throw new KernelError(EEXIST)
  if (!ops.change) throw new KernelError(EOPNOTSUPP)
  ops.change(q, classid, parent, request.options, existing)
}

/** RTM_DELTCLASS */
export function classDel(port: DevSched, request: { classid: number; parent?: number }): void {
  const { q, ops, classid } = locate(port, request.classid, request.parent ?? 0)
  const cls = classid === 0 ? undefined : ops.find(q, classid)
  if (cls === undefined) throw new KernelError(ENOENT)
  if (!ops.delete) throw new KernelError(EOPNOTSUPP)
  ops.delete(q, cls)
}

/** RTM_GETTCLASS: all classes of all qdiscs, or those of one parent or id. */
export function classList(port: DevSched, filter: { classid?: number; parent?: number }): TcClass[] {
  const only = filter.parent === undefined || filter.parent === 0 ? undefined : filter.parent
  const rows: TcClass[] = []
  for (const q of treeOf(port.root)) {
    const { classes } = q.kind
    if (!classes) continue
    if (only !== undefined && only !== TC_H_ROOT && major(only) !== major(q.handle)) continue
    for (const cls of classes.walk(q)) {
      const row = { dev: port.dev.name, ifindex: port.dev.ifindex, kind: q.kind.kind, ...classes.dump(q, cls) }
      if (only !== undefined && only !== makeHandle(major(only), 0) && row.parent !== only) continue
      if ((filter.classid ?? 0) === 0 || row.classid === filter.classid) rows.push(row)
    }
  }
  return rows
}

/** The block a filter request means (__tcf_qdisc_find, __tcf_qdisc_cl_find). `quiet`: listings of what is not there are empty. */
function blockOf(port: DevSched, parent: number, quiet: boolean): Block | undefined {
  const found = major(parent) === major(TC_H_INGRESS) ? ingressBlock(port, minor(parent)) : qdiscBlock(port, parent)
  if (found instanceof KernelError && !quiet) throw found
  return found instanceof KernelError ? undefined : found
}

const NO_PARENT = "Parent Qdisc doesn't exists"
const NO_CLASS = "Specified class doesn't exist"

/** ffff:fff2 and ffff:fff3 of clsact; ffff: and ffff:fff2 of ingress. */
function ingressBlock({ ingress: q }: DevSched, which: number): Block | KernelError {
  if (!q || which === 0xffff) return new KernelError(EINVAL, NO_PARENT)
  const { ingress, egress } = clsactPriv(q)
  if (which === TC_H_MIN_INGRESS || (which === 0 && !egress)) return ingress
  if (which === TC_H_MIN_EGRESS && egress) return egress
  return new KernelError(EINVAL, which === 0 ? undefined : NO_CLASS)
}

function qdiscBlock(port: DevSched, parent: number): Block | KernelError {
  const q = parent === 0 ? port.root : lookup(port, parent)
  if (!q) return new KernelError(EINVAL, NO_PARENT)
  if (!q.kind.filters) return new KernelError(EINVAL, 'Qdisc not classful')
  if (minor(parent) === 0) return q.block!
  if (q.kind.classes?.find(q, parent) === undefined) return new KernelError(EINVAL, NO_CLASS)
  return new KernelError(EOPNOTSUPP, "Class doesn't support blocks")
}

/** RTM_NEWTFILTER; what the answer should say beside success. */
export function filterNew(port: DevSched, request: FilterNew): string[] {
  newFilter(port.env, blockOf(port, request.parent, false)!, request)
  return []
}

/** RTM_DELTFILTER */
export function filterDel(port: DevSched, request: FilterDel & { parent: number }): void {
  delFilter(port.env, blockOf(port, request.parent, false)!, request)
}

/** RTM_GETTFILTER */
export function filterList(port: DevSched, request: FilterDel & { parent: number }): Filter[] {
  const block = blockOf(port, request.parent, true)
  if (!block) return []
  const parent = request.parent === 0 ? port.root.handle : request.parent
  return listFilters(port.env, block, parent, request).map((row) => ({ dev: port.dev.name, ifindex: port.dev.ifindex, ...row }))
}
