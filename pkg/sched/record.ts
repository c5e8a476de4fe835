// The queueing side of a device as the state keeps it: its qdiscs by place, their counters, filters and waiting frames.
import { must } from '../bytes/errors.js'
import { recordSkb, restoreSkb, type SkbRecord } from '../skb/record.js'
import { makeHandle, minor } from '../units/handle.js'
import { setRoot } from './activate.js'
import { restoreBlock, saveBlock, type BlockRecord } from './cls-api.js'
import { treeOf } from './common.js'
import { savedKind } from './kinds.js'
import { noop } from './sch-generic.js'
import { newQdisc, type DevSched, type Qdisc, type SavedFrame } from './types.js'

interface QdiscRecord {
  kind: string
  handle: number
  parent: number
  born: number
  /** Of its parent, its index in `qdiscs`; -1: root or ingress. */
  under: number
  bytes?: number
  packets?: number
  drops?: number
  overlimits?: number
  requeues?: number
  qlen?: number
  backlog?: number
  priv?: unknown
  block?: BlockRecord
  /** In the order of the frames blob; where 'stash': refused by the driver. */
  frames?: (SkbRecord & { where: string })[]
}

export interface SchedRecord {
  born: number
  /** Children of a root mq that are as mq made them: their kind, and what the first queue's child has as `born`. */
  mq?: { kind: string; born: number }
  /** Queues of mq without a qdisc. */
  bare?: number[]
  qdiscs: QdiscRecord[]
  ingress?: QdiscRecord
}

const COUNTERS = ['bytes', 'packets', 'drops', 'overlimits', 'requeues', 'qlen', 'backlog'] as const

/** undefined: the device was never up and has no qdisc. Frame bytes are appended to `frames`. */
export function saveSched(port: DevSched, frames: Uint8Array[]): SchedRecord | undefined {
  if (port.root.kind === noop && !port.ingress && port.born === 0) return undefined
  const mq = port.root.kind.mq ? untouched(port) : undefined
  const tree = treeOf(port.root).filter((q) => !(mq && isUntouched(q, mq)))
  const qdiscs = tree.map((q) => saveQdisc(q, tree.findIndex((other) => other !== q && isChild(other, q)), frames))
  const ingress = port.ingress ? { ingress: saveQdisc(port.ingress, -1, frames) } : {}
  return { born: port.born, qdiscs, ...(mq ? { mq } : {}), ...bareQueues(port), ...ingress }
}

function bareQueues(port: DevSched): Pick<SchedRecord, 'bare'> {
  const bare = port.root.kind.mq ? port.queues.flatMap((q, queue) => (q.kind === noop ? [queue] : [])) : []
  return bare.length > 0 ? { bare } : {}
}

/** What mq's default children look like on this device: by the first that is one. */
function untouched(port: DevSched): SchedRecord['mq'] {
  const q = port.queues.find((child) => child.handle === 0 && child.kind !== noop && !child.kind.ownState)
  return q ? { kind: q.kind.kind, born: q.born - q.txq } : undefined
}

function isUntouched(q: Qdisc, mq: { kind: string; born: number }): boolean {
  const pristine = !q.kind.ownState && q.handle === 0 && q.kind.kind === mq.kind && q.born === mq.born + q.txq && q !== q.port.root
  return pristine && q.stash.qlen === 0 && COUNTERS.every((name) => q[name] === 0)
}

function isChild(parent: Qdisc, child: Qdisc): boolean {
  if (parent.kind.mq) return parent.port.queues.includes(child)
  const { classes } = parent.kind
  return classes !== undefined && classes.walk(parent).some((cls) => classes.leaf(parent, cls) === child)
}

function saveQdisc(q: Qdisc, under: number, bytes: Uint8Array[]): QdiscRecord {
  const { skbs } = q.port.env
  const frames: (SkbRecord & { where: string })[] = []
  const add = (where: string, skb: number): void => {
    frames.push({ where, ...recordSkb(skbs, skb) })
    bytes.push(skbs.bytes(skb))
  }
  for (const skb of q.stash) add('stash', skb)
  const priv = q.kind.save?.(q, { add })
  const record: QdiscRecord = { kind: q.kind.kind, handle: q.handle, parent: q.parent, born: q.born, under }
  for (const name of COUNTERS) if (q[name] !== 0) record[name] = q[name]
  if (priv !== undefined) record.priv = priv
  if (q.block) record.block = saveBlock(q.block)
  if (frames.length > 0) record.frames = frames
  return record
}

/** Reads frames one after another from the blob. */
export class FrameReader {
  readonly #blob: Uint8Array
  #at = 0

  constructor(blob: Uint8Array | undefined) {
    this.#blob = blob ?? new Uint8Array()
  }

  next(length: number): Uint8Array {
    const frame = this.#blob.subarray(this.#at, this.#at + length)
    this.#at += length
    return frame
  }
}

/** `adopt` gets every restored skb, to set its device. */
export function restoreSched(port: DevSched, record: SchedRecord, frames: FrameReader, adopt: (skb: number) => void): void {
  const qdiscs = record.qdiscs.map((row) => restoreQdisc(port, row, frames, adopt))
  port.born = record.born
  setRoot(port, must(qdiscs[0], 'a root qdisc'))
  if (port.root.kind.mq) for (let i = 0; i < port.queues.length; i += 1) port.queues[i] = defaultChild(port, record, i)
  for (const [index, q] of qdiscs.entries()) if (index > 0) attach(qdiscs[record.qdiscs[index]!.under]!, q)
  if (record.ingress) port.ingress = restoreQdisc(port, record.ingress, frames, adopt)
}

/** A child as mq made it; noop when a request took it away and nothing came in its place. */
function defaultChild(port: DevSched, record: SchedRecord, queue: number): Qdisc {
  const gone = record.bare?.includes(queue)
  const kind = record.mq && !gone ? must(savedKind(record.mq.kind, port.env), record.mq.kind) : noop
  const q = newQdisc(kind, port, 0, makeHandle(port.root.handle >>> 16, queue + 1), (record.mq?.born ?? 0) + queue)
  q.txq = queue
  kind.init(q, undefined)
  return q
}

function attach(parent: Qdisc, q: Qdisc): void {
  if (parent.kind.mq) {
    const queue = minor(q.parent) - 1
    q.txq = queue
    parent.port.queues[queue] = q
    return
  }
  const classes = parent.kind.classes!
  const { qlen, backlog } = parent
  classes.graft(parent, classes.find(parent, q.parent), q)
  Object.assign(parent, { qlen, backlog })
}

function restoreQdisc(port: DevSched, record: QdiscRecord, reader: FrameReader, adopt: (skb: number) => void): Qdisc {
  const kind = must(savedKind(record.kind, port.env), `qdisc kind ${record.kind}`)
  const q = newQdisc(kind, port, record.handle, record.parent, record.born)
  const frames: SavedFrame[] = []
  for (const row of record.frames ?? []) {
    const skb = restoreSkb(port.env.skbs, row, reader.next(row.len))
    if (skb === 0) continue
    adopt(skb)
    if (row.where === 'stash') q.stash.push(skb)
    else frames.push({ where: row.where, skb })
  }
  if (record.block) q.block = restoreBlock(record.block)
  if (kind.restore) kind.restore(q, record.priv, frames)
  for (const name of COUNTERS) q[name] = record[name] ?? 0
  return q
}
