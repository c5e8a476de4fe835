// Filters of a qdisc (net/sched/cls_api.c): chains of tcf_proto in ascending priority, each a kind with filters by handle.
import { KernelError } from '../bytes/errors.js'
import type { Filter, FilterNew } from '../request/rtnl.js'
import { EEXIST, EINVAL, ENOENT } from '../uapi/errno.js'
import { TC_ACT } from '../uapi/bpf.js'
import { SKB } from '../skb/layout.js'
import { ETH_P_ALL } from '../skb/flow.js'
import { clsKind } from './cls-kinds.js'
import type { SchedEnv } from './types.js'

/** What a classifier found (struct tcf_result). One object for the process, reused. */
export interface ClsResult {
  classid: number
}

/** A kind of filter (struct tcf_proto_ops). */
export interface ClsKind {
  readonly kind: string
  init(tp: Proto, block: Block): void
  /** TC_ACT_*, or -1: no match. */
  classify(env: SchedEnv, tp: Proto, skb: number, result: ClsResult): number
  /** Creates (existing undefined) or changes; returns the handle. */
  change(env: SchedEnv, tp: Proto, request: FilterNew, existing: unknown): void
  find(tp: Proto, handle: number): unknown
  delete(env: SchedEnv, tp: Proto, filter: unknown): void
  destroy(env: SchedEnv, tp: Proto): void
  empty(tp: Proto): boolean
  /** Every filter in listing order. */
  list(env: SchedEnv, tp: Proto): { handle: number; options: unknown }[]
  save(tp: Proto): unknown
  restore(tp: Proto, record: unknown): void
}

/** struct tcf_proto */
export interface Proto {
  readonly kind: ClsKind
  readonly protocol: number
  readonly prio: number
  readonly chain: number
  classid: number
  priv: unknown
}

/** struct tcf_block: its chains, flattened: protos ascend by chain, then priority. */
export interface Block {
  protos: Proto[]
}

export const newBlock = (): Block => ({ protos: [] })

const result: ClsResult = { classid: 0 }

/** Class of the last classify that matched. */
export const classifiedAs = (): number => result.classid

/** tcf_classify over chain 0: the action of the first filter that matches, TC_ACT_UNSPEC when none does. */
export function classify(env: SchedEnv, block: Block, skb: number): number {
  const proto = swap16(env.skbs.get16(skb, SKB.protocol))
  for (let round = 0; round < MAX_RECLASSIFY; round += 1) {
    const action = classifyOnce(env, block, skb, proto)
    if (action !== TC_ACT.RECLASSIFY) return action
  }
  return TC_ACT.SHOT
}

/** max_reclassify_loop */
const MAX_RECLASSIFY = 16

function classifyOnce(env: SchedEnv, block: Block, skb: number, proto: number): number {
  for (const tp of block.protos) {
    if (tp.chain !== 0) break
    if (tp.protocol !== proto && tp.protocol !== ETH_P_ALL) continue
    result.classid = 0
    const action = tp.kind.classify(env, tp, skb, result)
    if (action >= 0) return action
  }
  return TC_ACT.UNSPEC
}

const swap16 = (value: number): number => ((value & 0xff) << 8) | (value >> 8)

/** RTM_NEWTFILTER on a block: tc_new_tfilter. */
export function newFilter(env: SchedEnv, block: Block, request: FilterNew): void {
  const chain = request.chain ?? 0
  const pref = request.pref ?? 0
  const protocol = request.protocol ?? ETH_P_ALL
  if (pref === 0 && !request.create) throw new KernelError(ENOENT, 'Invalid filter command with priority of zero')
  const found = pref === 0 ? undefined : block.protos.find((tp) => tp.chain === chain && tp.prio === pref)
  const tp = found ? checkProto(found, request, protocol) : newProto(block, request, chain, protocol)
  const existing = request.handle === undefined || request.handle === 0 ? undefined : tp.kind.find(tp, request.handle)
  if (existing === undefined && found !== undefined && !request.create) {
    throw new KernelError(ENOENT, 'Need both RTM_NEWTFILTER and NLM_F_CREATE to create a new filter')
  }
  if (existing !== undefined && request.excl) throw new KernelError(EEXIST, 'Filter already exists')
  tp.kind.change(env, tp, request, existing)
  if (!found) insertProto(block, tp)
}

function checkProto(tp: Proto, request: FilterNew, protocol: number): Proto {
  if (tp.protocol !== protocol) throw new KernelError(EINVAL, 'Protocol mismatch for filter with specified priority')
  if (tp.kind.kind !== request.kind) throw new KernelError(EINVAL, 'Specified filter kind does not match existing one')
  return tp
}

function newProto(block: Block, request: FilterNew, chain: number, protocol: number): Proto {
  if (!request.create) throw new KernelError(ENOENT, 'Filter kind and protocol must be specified')
  const kind = clsKind(request.kind)
  if (!kind) throw new KernelError(ENOENT, 'TC classifier not found')
  const prio = request.pref === undefined || request.pref === 0 ? autoPrio(block, chain) : request.pref
  const tp: Proto = { kind, protocol, prio, chain, classid: 0, priv: undefined }
  kind.init(tp, block)
  return tp
}

/** tcf_auto_prio: one before the first, 49152 when there is none. */
function autoPrio(block: Block, chain: number): number {
  const first = block.protos.find((tp) => tp.chain === chain)
  return first ? first.prio - 1 : 0xc000
}

function insertProto(block: Block, tp: Proto): void {
  const at = block.protos.findIndex((other) => other.chain > tp.chain || (other.chain === tp.chain && other.prio > tp.prio))
  block.protos.splice(at < 0 ? block.protos.length : at, 0, tp)
}

export interface FilterDel {
  protocol?: number
  pref?: number
  chain?: number
  handle?: number
  kind?: string
}

/** RTM_DELTFILTER on a block: tc_del_tfilter. */
export function delFilter(env: SchedEnv, block: Block, request: FilterDel): void {
  const chain = request.chain ?? 0
  if ((request.pref ?? 0) === 0) {
    if ((request.protocol ?? 0) !== 0) throw new KernelError(ENOENT, 'Cannot flush filters with protocol, handle or kind set')
    flushBlock(env, block, chain)
    return
  }
  const tp = block.protos.find((p) => p.chain === chain && p.prio === request.pref)
  if (!tp || (request.protocol !== undefined && request.protocol !== 0 && tp.protocol !== request.protocol)) {
    throw new KernelError(ENOENT, 'Filter with specified priority/protocol not found')
  }
  if (request.kind !== undefined && tp.kind.kind !== request.kind) {
    throw new KernelError(EINVAL, 'Specified filter kind does not match existing one')
  }
  const { handle = 0 } = request
  if (handle !== 0) deleteOne(env, tp, handle)
  else tp.kind.destroy(env, tp)
  if (handle === 0 || tp.kind.empty(tp)) block.protos = block.protos.filter((p) => p !== tp)
}

function deleteOne(env: SchedEnv, tp: Proto, handle: number): void {
  const filter = tp.kind.find(tp, handle)
  if (filter === undefined) throw new KernelError(ENOENT, 'Specified filter handle not found')
  tp.kind.delete(env, tp, filter)
}

/** Every filter of one chain, or of all chains, goes. */
export function flushBlock(env: SchedEnv, block: Block, chain?: number): void {
  const gone = block.protos.filter((tp) => chain === undefined || tp.chain === chain)
  block.protos = block.protos.filter((tp) => !gone.includes(tp))
  for (const tp of gone) tp.kind.destroy(env, tp)
}

/** What RTM_GETTFILTER lists: each proto's head, then its filters. */
export function listFilters(env: SchedEnv, block: Block, parent: number, request: FilterDel): Omit<Filter, 'dev' | 'ifindex'>[] {
  const { pref = 0, protocol = 0, chain, handle: wanted = 0 } = request
  const rows: Omit<Filter, 'dev' | 'ifindex'>[] = []
  for (const tp of block.protos) {
    if ((pref !== 0 && tp.prio !== pref) || (protocol !== 0 && tp.protocol !== protocol)) continue
    if (chain !== undefined && tp.chain !== chain) continue
    const head = { parent, protocol: tp.protocol, pref: tp.prio, kind: tp.kind.kind, chain: tp.chain }
    if (wanted === 0) rows.push({ ...head, handle: 0, hasHandle: false })
    for (const { handle, options } of tp.kind.list(env, tp)) {
      if (wanted === 0 || wanted === handle) rows.push({ ...head, handle, hasHandle: true, options })
    }
  }
  return rows
}

export interface BlockRecord {
  protos: { kind: string; protocol: number; prio: number; chain: number; classid?: number; filters: unknown }[]
}

export function saveBlock(block: Block): BlockRecord {
  return {
    protos: block.protos.map((tp) => ({
      kind: tp.kind.kind, protocol: tp.protocol, prio: tp.prio, chain: tp.chain, ...(tp.classid === 0 ? {} : { classid: tp.classid }),
      filters: tp.kind.save(tp),
    })),
  }
}

export function restoreBlock(record: BlockRecord): Block {
  return {
    protos: record.protos.map(({ kind, protocol, prio, chain, classid, filters }) => {
      const tp: Proto = { kind: clsKind(kind)!, protocol, prio, chain, classid: classid ?? 0, priv: undefined }
      tp.kind.restore(tp, filters)
      return tp
    }),
  }
}
