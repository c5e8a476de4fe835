// Helpers on the xdp_buff: net/core/filter.c (bpf_xdp_adjust_head, …_meta, …_tail, bpf_xdp_load_bytes …)
import { copyBytes } from '../map/copy.js'
import { XDP_BUFF } from '../skb/layout.js'
import { EACCES, EFAULT, EINVAL, ENOTSUPP } from '../uapi/errno.js'
import { FUNC } from '../uapi/bpf.js'
import type { HelperEnv, HelperTable } from './env.js'

const ETH_HLEN = 14
/** sizeof(struct xdp_frame), which lives at the start of the headroom; sizeof(struct skb_shared_info), at the end of the buffer. */
const XDP_FRAME = 40
const SHARED_INFO = 320
const MAX_META = 255
const MAX_ACCESS = 0xffff

export function xdpHelpers(env: HelperEnv): HelperTable {
  return {
    [FUNC.xdp_adjust_head]: { ret: 'int', call: (xdp, offset) => adjustHead(env, xdp, offset) },
    [FUNC.xdp_adjust_meta]: { ret: 'int', call: (xdp, offset) => adjustMeta(env, xdp, offset) },
    [FUNC.xdp_adjust_tail]: { ret: 'int', call: (xdp, offset) => adjustTail(env, xdp, offset) },
    [FUNC.xdp_get_buff_len]: { ret: 'uint', call: (xdp) => xdpLength(env, xdp) },
    [FUNC.xdp_load_bytes]: { ret: 'int', call: (xdp, offset, to, len) => access(env, xdp, offset, len, (at) => copyBytes(env.mem, to, at, len)) },
    [FUNC.xdp_store_bytes]: { ret: 'int', call: (xdp, offset, from, len) => access(env, xdp, offset, len, (at) => copyBytes(env.mem, at, from, len)) },
  }
}

function get({ mem }: HelperEnv, xdp: number, field: number): number {
  return mem.u32[(xdp + field) >> 2]!
}

function set({ mem }: HelperEnv, xdp: number, field: number, value: number): void {
  mem.u32[(xdp + field) >> 2] = value
}

export function xdpLength(env: HelperEnv, xdp: number): number {
  return get(env, xdp, XDP_BUFF.data_end) - get(env, xdp, XDP_BUFF.data)
}

/** Where metadata may begin; a driver without metadata has data_meta behind data. */
function metaSupported(env: HelperEnv, xdp: number): boolean {
  return get(env, xdp, XDP_BUFF.data_meta) <= get(env, xdp, XDP_BUFF.data)
}

function adjustHead(env: HelperEnv, xdp: number, offset: number): number {
  const meta = get(env, xdp, XDP_BUFF.data_meta)
  const old = get(env, xdp, XDP_BUFF.data)
  const metaLength = metaSupported(env, xdp) ? old - meta : 0
  const data = old + offset
  const lowest = get(env, xdp, XDP_BUFF.data_hard_start) + XDP_FRAME + metaLength
  if (data < lowest || data > get(env, xdp, XDP_BUFF.data_end) - ETH_HLEN) return -EINVAL
  if (metaLength > 0) env.mem.u8.copyWithin(meta + offset, meta, meta + metaLength)
  set(env, xdp, XDP_BUFF.data_meta, meta + offset)
  set(env, xdp, XDP_BUFF.data, data)
  return 0
}

function adjustMeta(env: HelperEnv, xdp: number, offset: number): number {
  if (!metaSupported(env, xdp)) return -ENOTSUPP
  const data = get(env, xdp, XDP_BUFF.data)
  const meta = get(env, xdp, XDP_BUFF.data_meta) + offset
  if (meta < get(env, xdp, XDP_BUFF.data_hard_start) + XDP_FRAME || meta > data) return -EINVAL
  if (((data - meta) & 3) !== 0 || data - meta > MAX_META) return -EACCES
  set(env, xdp, XDP_BUFF.data_meta, meta)
  return 0
}

function adjustTail(env: HelperEnv, xdp: number, offset: number): number {
  const old = get(env, xdp, XDP_BUFF.data_end)
  const end = old + offset
  const limit = get(env, xdp, XDP_BUFF.data_hard_start) + get(env, xdp, XDP_BUFF.frame_sz) - SHARED_INFO
  if (end > limit || end < get(env, xdp, XDP_BUFF.data) + ETH_HLEN) return -EINVAL
  if (offset > 0) env.mem.u8.fill(0, old, end)
  set(env, xdp, XDP_BUFF.data_end, end)
  return 0
}

/** 0 or -errno: bpf_xdp_pointer's checks, then `act` on the address. */
export function access(env: HelperEnv, xdp: number, offset: number, len: number, act: (at: number) => void): number {
  if (offset >>> 0 > MAX_ACCESS || len >>> 0 > MAX_ACCESS) return -EFAULT
  if (offset + len > xdpLength(env, xdp)) return -EINVAL
  act(get(env, xdp, XDP_BUFF.data) + offset)
  return 0
}
