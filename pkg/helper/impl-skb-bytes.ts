// Bytes of an skb: net/core/filter.c (bpf_skb_store_bytes, bpf_skb_load_bytes, bpf_skb_pull_data …)
import { copyBytes } from '../map/copy.js'
import { FLOW_DISSECTOR } from '../skb/ctx-skb.js'
import { SKB } from '../skb/layout.js'
import { clearHash, macHeader, networkHeader, tailPointer } from '../skb/skb-edit.js'
import { EFAULT, EINVAL, ENOMEM } from '../uapi/errno.js'
import { FUNC, PROG_TYPE } from '../uapi/bpf.js'
import { argHi, type HelperEnv, type HelperTable } from './env.js'

const RECOMPUTE_CSUM = 1
const INVALIDATE_HASH = 2
/** BPF_HDR_START_MAC, BPF_HDR_START_NET */
const START_MAC = 0
const START_NET = 1

export function skbByteHelpers(env: HelperEnv): HelperTable {
  return {
    [FUNC.skb_store_bytes]: {
      ret: 'int', wide: 1 << 4,
      call: (skb, offset, from, len, flags) => (argHi(env, 4) !== 0 ? -EINVAL : storeBytes(env, skb, offset, from, len, flags)),
    },
    [FUNC.skb_load_bytes]: {
      ret: 'int',
      call: (ctx, offset, to, len) => (env.run.progType === PROG_TYPE.FLOW_DISSECTOR ? dissectorBytes : loadBytes)(env, ctx, offset, to, len),
    },
    [FUNC.skb_load_bytes_relative]: { ret: 'int', call: (skb, offset, to, len, start) => loadRelative(env, skb, offset, to, len, start) },
    [FUNC.skb_pull_data]: { ret: 'int', call: (skb, len) => pullData(env, skb, len) },
  }
}

export function storeBytes(env: HelperEnv, skb: number, offset: number, from: number, len: number, flags: number): number {
  const { skbs } = env
  if ((flags & ~(RECOMPUTE_CSUM | INVALIDATE_HASH)) !== 0) return -EINVAL
  if (offset < 0 || offset + (len >>> 0) > skbs.get32(skb, SKB.len)) return -EFAULT
  copyBytes(env.mem, skbs.data(skb) + offset, from, len)
  if (flags & INVALIDATE_HASH) clearHash(skbs, skb)
  return 0
}

export function loadBytes(env: HelperEnv, skb: number, offset: number, to: number, len: number): number {
  const { skbs } = env
  if (offset < 0 || offset + (len >>> 0) > skbs.get32(skb, SKB.len)) return fault(env, to, len)
  copyBytes(env.mem, to, skbs.data(skb) + offset, len)
  return 0
}

/** bpf_flow_dissector_load_bytes: what a dissector is given may be a frame without an skb. */
function dissectorBytes(env: HelperEnv, ctx: number, offset: number, to: number, len: number): number {
  const [data, end] = [FLOW_DISSECTOR.data, FLOW_DISSECTOR.data_end].map((field) => env.mem.u32[(ctx + field) >> 2]!) as [number, number]
  if (offset >>> 0 > 0xffff || data + offset + len > end) return fault(env, to, len)
  copyBytes(env.mem, to, data + offset, len)
  return 0
}

/** What a failed load leaves: zeros. */
function fault({ mem }: HelperEnv, to: number, len: number): number {
  mem.u8.fill(0, to, to + len)
  return -EFAULT
}

function loadRelative(env: HelperEnv, skb: number, offset: number, to: number, len: number, start: number): number {
  const { skbs } = env
  if (offset >>> 0 > 0xffff || (start !== START_MAC && start !== START_NET)) return fault(env, to, len)
  const from = (start === START_MAC ? macHeader(skbs, skb) : networkHeader(skbs, skb)) + offset
  if (from + len > tailPointer(skbs, skb)) return fault(env, to, len)
  copyBytes(env.mem, to, from, len)
  return 0
}

/** All data is linear: there is nothing to pull, but a frame may be too short. */
function pullData({ skbs }: HelperEnv, skb: number, len: number): number {
  skbs.computeDataPointers(skb)
  return len >>> 0 > skbs.get32(skb, SKB.len) ? -ENOMEM : 0
}
