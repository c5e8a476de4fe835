// Requests about qdiscs (net/sched/sch_api.c: tc_modify_qdisc, tc_get_qdisc, qdisc_create, qdisc_graft, tc_dump_qdisc), with its words.
import { KernelError } from '../bytes/errors.js'
import type { Qdisc as QdiscRow, QdiscNew } from '../request/rtnl.js'
import { EEXIST, EINVAL, ENOENT, ENOSPC, EOPNOTSUPP } from '../uapi/errno.js'
import { IFF } from '../dev/types.js'
import { major, makeHandle, minor, TC_H_INGRESS, TC_H_ROOT } from '../units/handle.js'
import { activateDev, attachMq, setRoot } from './activate.js'
import { destroyTree, qdiscStats, treeOf } from './common.js'
import { defaultKind, qdiscKind } from './kinds.js'
import { noop, pfifoFast } from './sch-generic.js'
import { newQdisc, type DevSched, type Qdisc } from './types.js'

/** What the machine decides for all devices. */
export interface SchedDefaults {
  defaultQdisc: string
  /** qdisc_alloc_handle's counter: the last handle given out. */
  autohandle: number
}

/** qdisc_lookup: a qdisc of this device by its handle. */
export function lookup(port: DevSched, handle: number): Qdisc | undefined {
  if (handle === 0) return undefined
  const wanted = makeHandle(major(handle), 0)
  return treeOf(port.root).find((q) => q.handle === wanted) ?? (port.ingress?.handle === wanted ? port.ingress : undefined)
}

/** qdisc_leaf: the qdisc under a class. */
function leafOf(p: Qdisc, classid: number): Qdisc | undefined {
  const { classes } = p.kind
  if (!classes) throw new KernelError(EOPNOTSUPP, 'Parent qdisc is not classful')
  const cls = classes.find(p, classid)
  if (cls === undefined) throw new KernelError(ENOENT, 'Specified class not found')
  return classes.leaf(p, cls)
}

/** RTM_NEWQDISC. */
export function qdiscNew(port: DevSched, request: QdiscNew, defaults: SchedDefaults): void {
  const { parent, handle = 0 } = request
  if (parent === 0) {
    if (handle === 0) throw new KernelError(EINVAL, 'Handle cannot be zero')
    modify(lookup(port, handle), request)
    return
  }
  const { p, q } = placeOf(port, request)
  const plan = planOf(port, q, request)
  if (plan === 'change') modify(q, request)
  else create(port, p, request, defaults)
}

/** What is at the place that a request names: the parent qdisc, and the qdisc there now. */
function placeOf(port: DevSched, request: QdiscNew): { p: Qdisc | undefined; q: Qdisc | undefined } {
  const { parent } = request
  if (parent === TC_H_ROOT) return { p: undefined, q: port.root }
  if (parent === TC_H_INGRESS) return { p: undefined, q: port.ingress }
  if (major(parent) === major(TC_H_INGRESS)) throw new KernelError(EOPNOTSUPP, 'Cannot add children to ingress/clsact qdisc')
  const p = lookup(port, parent)
  if (!p) throw new KernelError(ENOENT, 'Failed to find specified qdisc')
  return { p, q: leafOf(p, parent) }
}

/** The rules of __tc_modify_qdisc: change what is there, or create and graft. */
function planOf(port: DevSched, there: Qdisc | undefined, request: QdiscNew): 'change' | 'create' {
  const { handle = 0, kind } = request
  // A default qdisc counts as nothing.
  const q = there && there.handle !== 0 ? there : undefined
  if (request.parent === TC_H_INGRESS && kind !== undefined && !isIngress(kind)) {
    throw new KernelError(EINVAL, 'Specified parent ID is reserved for ingress and clsact Qdiscs')
  }
  if (handle === 0) return q ? planWithoutHandle(q, request) : mustCreate(request)
  if (q && q.handle === handle) return 'change'
  if (q && !request.replace) throw new KernelError(EEXIST, 'NLM_F_REPLACE needed to override')
  if (minor(handle) !== 0) throw new KernelError(EINVAL, 'Invalid minor handle')
  if (!lookup(port, handle)) return mustCreate(request)
  throw new KernelError(EINVAL, 'Cannot move an existing qdisc to a different parent')
}

/** No handle given and something there: another kind takes its place, the same kind is changed. */
function planWithoutHandle(q: Qdisc, request: QdiscNew): 'change' | 'create' {
  return request.kind !== undefined && request.kind !== q.kind.kind && (request.create || !request.replace) ? 'create' : 'change'
}

function mustCreate(request: QdiscNew): 'create' {
  if (!request.create) throw new KernelError(ENOENT, 'Qdisc not found. To create specify NLM_F_CREATE flag')
  return 'create'
}

const isIngress = (kind: string): boolean => qdiscKind(kind)?.ingress === true

/** qdisc_change */
function modify(q: Qdisc | undefined, request: QdiscNew): void {
  if (!q) throw new KernelError(ENOENT, 'Specified qdisc not found')
  if (request.excl) throw new KernelError(EEXIST, 'Exclusivity flag on, cannot modify')
  if (request.kind !== undefined && request.kind !== q.kind.kind) {
    throw new KernelError(EINVAL, 'Invalid qdisc name: must match existing qdisc')
  }
  if (request.options === undefined) return
  if (!q.kind.change) {
    if (isEmpty(request.options)) return
    throw new KernelError(EINVAL, 'Change operation not supported by specified qdisc')
  }
  q.kind.change(q, request.options)
}

const isEmpty = (options: unknown): boolean => typeof options === 'object' && options !== null && Object.keys(options).length === 0

/** qdisc_create and qdisc_graft. */
function create(port: DevSched, p: Qdisc | undefined, request: QdiscNew, defaults: SchedDefaults): void {
  const kind = request.kind === undefined ? undefined : qdiscKind(request.kind, port.env)
  if (!kind) throw new KernelError(ENOENT, 'Specified qdisc kind is unknown')
  if (kind.ingress === true) {
    if (request.parent !== TC_H_INGRESS) throw new KernelError(EINVAL)
    const q = newQdisc(kind, port, makeHandle(0xffff, 0), TC_H_INGRESS, (port.born += 1))
    kind.init(q, request.options)
    port.ingress = q
    return
  }
  const q = newQdisc(kind, port, request.handle || allocHandle(port, defaults), request.parent, (port.born += 1))
  kind.init(q, request.options)
  if (p) graftClass(p, request.parent, q)
  else graftRoot(port, q, defaults)
}

/** qdisc_alloc_handle: 8001:, 8002: … over all devices. */
function allocHandle(port: DevSched, defaults: SchedDefaults): number {
  for (let tries = 0x8000; tries > 0; tries -= 1) {
    const next = (major(defaults.autohandle) + 1) & 0xffff
    defaults.autohandle = makeHandle(next < 0x8001 ? 0x8001 : next === 0xffff ? 0x8000 : next, 0)
    if (!lookup(port, defaults.autohandle)) return defaults.autohandle
  }
  throw new KernelError(ENOSPC, 'Maximum number of qdisc handles was exceeded')
}

function graftRoot(port: DevSched, q: Qdisc | undefined, defaults: SchedDefaults): void {
  destroyTree(port.root)
  if (q?.kind.mq === true) attachMq(port, q, defaultKind(defaults.defaultQdisc, port.env) ?? pfifoFast)
  else setRoot(port, q ?? newQdisc(noop, port, 0, TC_H_ROOT, 0))
  if ((port.dev.flags & IFF.UP) !== 0) activateDev(port, defaults.defaultQdisc)
}

function graftClass(p: Qdisc, classid: number, q: Qdisc | undefined): void {
  const classes = p.kind.classes!
  const old = classes.graft(p, classes.find(p, classid), q)
  if (old) destroyTree(old)
}

/** RTM_DELQDISC. */
export function qdiscDel(
  port: DevSched, request: { handle?: number; parent: number; kind?: string }, defaults: SchedDefaults,
): void {
  const { p, q } = find(port, request)
  if (request.kind !== undefined && request.kind !== q.kind.kind) {
    throw new KernelError(EINVAL, 'Invalid qdisc name: must match existing qdisc')
  }
  if (request.parent === 0) throw new KernelError(EINVAL, 'Classid cannot be zero')
  if (q.handle === 0) throw new KernelError(ENOENT, 'Cannot delete qdisc with handle of zero')
  if (q.kind.ingress) {
    destroyTree(q)
    port.ingress = undefined
  } else if (p) graftClass(p, request.parent, undefined)
  else graftRoot(port, undefined, defaults)
}

function find(port: DevSched, request: { handle?: number; parent: number }): { p: Qdisc | undefined; q: Qdisc } {
  const { parent, handle = 0 } = request
  if (parent === 0) {
    const q = lookup(port, handle)
    if (!q) throw new KernelError(ENOENT, 'Failed to find qdisc with specified handle')
    return { p: undefined, q }
  }
  const p = parent === TC_H_ROOT || major(parent) === major(TC_H_INGRESS) ? undefined : lookup(port, parent)
  if (!p && parent !== TC_H_ROOT && major(parent) !== major(TC_H_INGRESS)) {
    throw new KernelError(ENOENT, 'Failed to find qdisc with specified classid')
  }
  const q = parent === TC_H_ROOT ? port.root : p ? leafOf(p, parent) : port.ingress
  if (!q) throw new KernelError(ENOENT, 'Cannot find specified qdisc on specified device')
  if (handle !== 0 && q.handle !== handle) throw new KernelError(EINVAL, 'Invalid handle')
  return { p, q }
}

/** RTM_GETQDISC of one device, in the order of the kernel's dump: root, its hash chains, ingress. */
export function qdiscList(port: DevSched, filter: { handle?: number; parent?: number } = {}): QdiscRow[] {
  const tree = treeOf(port.root).slice(1).filter((q) => q.txq < 0 || q.handle !== 0 || q.txq < port.dev.realTx)
  const hashed = tree.sort((a, b) => bucket(a.handle) - bucket(b.handle) || b.born - a.born)
  const all = [...(port.root.kind === noop ? [] : [port.root]), ...hashed, ...(port.ingress ? [port.ingress] : [])]
  return all
    .filter((q) => (filter.handle ?? 0) === 0 || q.handle === filter.handle)
    .filter((q) => (filter.parent ?? 0) === 0 || q.parent === filter.parent)
    .map((q) => row(port, q))
}

/** hash_32(handle, 4), the bucket of qdisc_hash_add. */
const bucket = (handle: number): number => Math.imul(handle, 0x61c88647) >>> 28

function row(port: DevSched, q: Qdisc): QdiscRow {
  const options = q.kind.dump?.(q)
  const xstats = q.kind.dumpXstats?.(q)
  return {
    dev: port.dev.name, ifindex: port.dev.ifindex, kind: q.kind.kind, handle: q.handle, parent: q.parent, refcnt: refcnt(port, q),
    ...(options === undefined ? {} : { options }), stats: qdiscStats(q), ...(xstats === undefined ? {} : { xstats }),
  }
}

/** A root is held by the device and by every queue; default ones have a copy per queue. */
function refcnt(port: DevSched, q: Qdisc): number {
  if (q !== port.root || q.kind.mq) return 1
  return q.handle === 0 ? 2 : port.dev.numTx + 1
}
