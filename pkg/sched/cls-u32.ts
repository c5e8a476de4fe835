// Filters that compare words of the packet (net/sched/cls_u32.c): keys relative to the network header, one hash table per proto.
import { KernelError } from '../bytes/errors.js'
import { TC_ACT } from '../uapi/bpf.js'
import { EINVAL } from '../uapi/errno.js'
import { SKB } from '../skb/layout.js'
import type { ClsKind, Proto } from './cls-api.js'
import type { SchedEnv } from './types.js'

/** struct tc_u32_key; val and mask as numbers in network order. */
export interface U32Key {
  val: number
  mask: number
  /** From the network header; negative: before it. */
  off: number
}

export interface U32FilterOptions {
  classid?: number
  keys: U32Key[]
}

/** Options of a listed filter; the table heads have `divisor`. */
export interface U32Dump {
  divisor?: number
  /** The table the key is in, for its listing. */
  ht?: number
  order?: number
  classid?: number
  keys?: U32Key[]
  terminal?: boolean
}

interface U32Filter {
  handle: number
  classid: number
  keys: U32Key[]
}

interface U32State {
  /** 0x80000000 | 0x100000 * n: handle of the root table. */
  ht: number
  filters: U32Filter[]
}

const state = (tp: Proto): U32State => tp.priv as U32State
/** Root tables are numbered 800:, 801: … per block; one proto has one. */
const tableOf = (handle: number): number => (handle & 0xfff00000) >>> 0

export const clsU32: ClsKind = {
  kind: 'u32',
  init(tp, block) {
    const used = new Set(block.protos.filter((other) => other.kind === clsU32).map((other) => state(other).ht))
    let ht = 0x80000000
    while (used.has(ht)) ht += 0x100000
    tp.priv = { ht, filters: [] } satisfies U32State
  },
  classify(env, tp, skb, result) {
    for (const { keys, classid } of state(tp).filters) {
      if (!keys.every((key) => matches(env, skb, key))) continue
      result.classid = classid
      return TC_ACT.OK
    }
    return TC_ACT.UNSPEC
  },
  change(_env, tp, request, existing) {
    const options = request.options as U32FilterOptions | undefined
    if (!options || !Array.isArray(options.keys)) throw new KernelError(EINVAL, 'Selector not specified')
    const filter = { classid: options.classid ?? 0, keys: options.keys }
    if (existing) {
      Object.assign(existing as U32Filter, filter)
      return
    }
    insert(tp, { handle: nextHandle(tp, request.handle), ...filter })
  },
  find: (tp, handle) => state(tp).filters.find((filter) => filter.handle === handle),
  delete(_env, tp, filter) {
    state(tp).filters = state(tp).filters.filter((other) => other !== filter)
  },
  destroy(_env, tp) {
    state(tp).filters = []
  },
  empty: (tp) => state(tp).filters.length === 0,
  list: (_env, tp) => [
    { handle: state(tp).ht, options: { divisor: 1 } satisfies U32Dump },
    ...state(tp).filters.map(({ handle, classid, keys }) => ({
      handle,
      options: { ht: state(tp).ht, order: handle & 0xfff, classid, keys, terminal: true } satisfies U32Dump,
    })),
  ],
  save: (tp) => state(tp),
  restore(tp, record) {
    const { ht, filters } = record as U32State
    tp.priv = { ht, filters: filters.map((filter) => ({ ...filter })) } satisfies U32State
  },
}

/** Keeps the table in ascending handles, the order in which it is walked. */
function insert(tp: Proto, filter: U32Filter): void {
  const { filters } = state(tp)
  const at = filters.findIndex((other) => other.handle > filter.handle)
  filters.splice(at < 0 ? filters.length : at, 0, filter)
}

/** gen_new_kid: from 0x800 on. */
function nextHandle(tp: Proto, wanted: number | undefined): number {
  const { ht, filters } = state(tp)
  if (wanted !== undefined && (wanted & 0xfff) !== 0) return (tableOf(wanted) === 0 ? ht | (wanted & 0xfff) : wanted) >>> 0
  const used = new Set(filters.map((filter) => filter.handle & 0xfff))
  for (let kid = 0x800; kid < 0x1000; kid += 1) if (!used.has(kid)) return (ht | kid) >>> 0
  throw new KernelError(EINVAL)
}

function matches({ skbs }: SchedEnv, skb: number, key: U32Key): boolean {
  const at = skbs.head(skb) + skbs.get16(skb, SKB.network_header) + key.off
  const end = skbs.head(skb) + skbs.get32(skb, SKB.tail)
  if (at < skbs.head(skb) || at + 4 > end) return false
  const { u8 } = skbs
  const word = (u8[at]! << 24) | (u8[at + 1]! << 16) | (u8[at + 2]! << 8) | u8[at + 3]!
  return ((word ^ key.val) & key.mask) === 0
}
