// Ring buffers and perf events: kernel/bpf/ringbuf.c, kernel/trace/bpf_trace.c, net/core/filter.c (bpf_skb_event_output, bpf_xdp_event_output)
import { must } from '../bytes/errors.js'
import type { Ring } from '../map/types.js'
import { XDP_BUFF } from '../skb/layout.js'
import { E2BIG, EFAULT, EINVAL, ENOENT, EOPNOTSUPP } from '../uapi/errno.js'
import { FUNC, PROG_TYPE } from '../uapi/bpf.js'
import { DYNPTR_RINGBUF, clearDynptr, dynptrData, setDynptr } from './dynptr.js'
import { argHi, type HelperEnv, type HelperTable } from './env.js'
import { xdpLength } from './impl-xdp.js'

/** BPF_RB_NO_WAKEUP, BPF_RB_FORCE_WAKEUP */
const RB_FLAGS = 3
const MAX_DYNPTR = (1 << 24) - 1
/** BPF_F_CURRENT_CPU; BPF_F_CTXLEN_MASK is 20 bits of the upper half. */
const CURRENT_CPU = 0xffffffff
const CTXLEN = 0xfffff

export function ringbufHelpers(env: HelperEnv): HelperTable {
  return {
    [FUNC.ringbuf_reserve]: {
      ret: 'uint', wide: 0b110, call: (map, size, flags) => (flags !== 0 || argHi(env, 1) !== 0 || argHi(env, 2) !== 0 ? 0 : ring(env, map).reserve(size)),
    },
    [FUNC.ringbuf_submit]: { ret: 'int', call: (sample) => end(env, sample, false) },
    [FUNC.ringbuf_discard]: { ret: 'int', call: (sample) => end(env, sample, true) },
    [FUNC.ringbuf_output]: {
      ret: 'int', wide: 1 << 3,
      call: (map, data, size, flags) => ((flags & ~RB_FLAGS) !== 0 || argHi(env, 3) !== 0 ? -EINVAL : ring(env, map).output(data, size)),
    },
    [FUNC.ringbuf_query]: { ret: 'uint', call: (map, what) => ring(env, map).query(what) | 0 },
    [FUNC.ringbuf_reserve_dynptr]: { ret: 'int', wide: 1 << 2, call: (map, size, flags, to) => reserveDynptr(env, map, size, flags | argHi(env, 2), to) },
    [FUNC.ringbuf_submit_dynptr]: { ret: 'int', call: (dynptr) => endDynptr(env, dynptr, false) },
    [FUNC.ringbuf_discard_dynptr]: { ret: 'int', call: (dynptr) => endDynptr(env, dynptr, true) },
    [FUNC.perf_event_output]: {
      ret: 'int', wide: 1 << 2, call: (ctx, map, flags, data, size) => perfOutput(env, ctx, map, flags >>> 0, argHi(env, 2), data, size),
    },
  }
}

function ring(env: HelperEnv, map: number): Ring {
  return must(env.mapAt(map).ring, 'the map is a ring buffer')
}

/** A sample's second header word says how far behind the start of its map it is: bpf_ringbuf_restore_from_rec. */
function end(env: HelperEnv, sample: number, discard: boolean): number {
  ring(env, sample - env.mem.u32[(sample - 4) >> 2]!).submit(sample, discard)
  return 0
}

function reserveDynptr(env: HelperEnv, map: number, size: number, flags: number, to: number): number {
  clearDynptr(env.mem, to)
  if (flags !== 0) return -EINVAL
  if (size >>> 0 > MAX_DYNPTR) return -E2BIG
  const sample = ring(env, map).reserve(size)
  if (sample === 0) return -EINVAL
  setDynptr(env.mem, to, sample, size, DYNPTR_RINGBUF)
  return 0
}

function endDynptr(env: HelperEnv, dynptr: number, discard: boolean): number {
  const sample = dynptrData(env.mem, dynptr)
  if (sample === 0) return 0
  end(env, sample, discard)
  clearDynptr(env.mem, dynptr)
  return 0
}

function perfOutput(env: HelperEnv, ctx: number, mapAddr: number, index: number, high: number, data: number, size: number): number {
  if ((high & ~CTXLEN) !== 0) return -EINVAL
  const packet = packetOf(env, ctx)
  if (high !== 0 && (!packet || high > packet.length)) return packet ? -EFAULT : -EINVAL
  const map = env.mapAt(mapAddr)
  const cpu = index === CURRENT_CPU ? env.cpu() : index
  if (cpu >= map.attr.maxEntries) return -E2BIG
  if (cpu >= env.cpus) return -ENOENT
  if (cpu !== env.cpu()) return -EOPNOTSUPP
  const pieces = high !== 0 && packet ? [[data, size], [packet.at, high]] as const : [[data, size]] as const
  return must(map.perf, 'the map is a perf event array').output(cpu, BigInt(env.now()), pieces)
}

/** The packet of a context: bpf_skb_event_output and bpf_xdp_event_output may append it. */
function packetOf(env: HelperEnv, ctx: number): { at: number; length: number } | undefined {
  if (env.run.progType === PROG_TYPE.XDP) return { at: env.mem.u32[(ctx + XDP_BUFF.data) >> 2]!, length: xdpLength(env, ctx) }
  return SKB_TYPES.has(env.run.progType) ? { at: env.skbs.data(ctx), length: env.skbs.len(ctx) } : undefined
}

const SKB_TYPES: ReadonlySet<number> = new Set([
  PROG_TYPE.SOCKET_FILTER, PROG_TYPE.SCHED_CLS, PROG_TYPE.SCHED_ACT, PROG_TYPE.CGROUP_SKB, PROG_TYPE.LWT_IN, PROG_TYPE.LWT_OUT,
  PROG_TYPE.LWT_XMIT, PROG_TYPE.LWT_SEG6LOCAL, PROG_TYPE.SK_SKB,
])
