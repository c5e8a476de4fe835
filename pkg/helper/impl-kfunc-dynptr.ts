// Kernel functions on dynptrs: kernel/bpf/helpers.c (bpf_dynptr_slice …), net/core/filter.c (bpf_dynptr_from_skb, bpf_dynptr_from_xdp).
import type { HelperImpl } from '../prog/engine.js'
import { SKB, XDP_BUFF } from '../skb/layout.js'
import { PROG_TYPE } from '../uapi/bpf.js'
import { E2BIG, EINVAL, ERANGE } from '../uapi/errno.js'
import {
  DYNPTR_SKB, DYNPTR_XDP, adjustDynptr, clearDynptr, dynptrData, dynptrOffset, dynptrReadOnly, dynptrSize, dynptrType, outsideDynptr, setDynptr,
} from './dynptr.js'
import { argHi, type HelperEnv } from './env.js'

/** Types of program that may write to packets directly; the others get read-only dynptrs (bpf_dynptr_from_skb_rdonly). */
const WRITERS: readonly number[] = [PROG_TYPE.SCHED_CLS, PROG_TYPE.SCHED_ACT, PROG_TYPE.LWT_XMIT, PROG_TYPE.SK_SKB]

export function dynptrKfuncs(env: HelperEnv): Readonly<Record<string, HelperImpl>> {
  const { mem } = env
  const flags = 1 << 1
  return {
    bpf_dynptr_from_skb: { ret: 'int', wide: flags, call: (skb, low, to) => fromSkb(env, skb, low | argHi(env, 1), to) },
    bpf_dynptr_from_xdp: { ret: 'int', wide: flags, call: (xdp, low, to) => fromXdp(env, xdp, low | argHi(env, 1), to) },
    bpf_dynptr_slice: { ret: 'uint', call: (dynptr, offset, _buffer, len) => slice(env, dynptr, offset, len) },
    bpf_dynptr_slice_rdwr: {
      ret: 'uint', call: (dynptr, offset, _buffer, len) => (dynptrReadOnly(mem, dynptr) ? 0 : slice(env, dynptr, offset, len)),
    },
    bpf_dynptr_adjust: { ret: 'int', call: (dynptr, start, end) => adjust(env, dynptr, start >>> 0, end >>> 0) },
    bpf_dynptr_is_null: { ret: 'uint', call: (dynptr) => (dynptrData(mem, dynptr) === 0 ? 1 : 0) },
    bpf_dynptr_is_rdonly: { ret: 'uint', call: (dynptr) => (dynptrData(mem, dynptr) !== 0 && dynptrReadOnly(mem, dynptr) ? 1 : 0) },
    bpf_dynptr_size: { ret: 'uint', call: (dynptr) => (dynptrData(mem, dynptr) === 0 ? -EINVAL : dynptrSize(mem, dynptr)) },
    bpf_dynptr_copy: { ret: 'int', call: (to, toOff, from, fromOff, size) => copy(env, { to, toOff, from, fromOff, size: size >>> 0 }) },
    bpf_dynptr_memset: { ret: 'int', call: (to, offset, size, value) => fill(env, to, offset, size >>> 0, value) },
    bpf_dynptr_clone: { ret: 'int', call: (dynptr, to) => clone(env, dynptr, to) },
  }
}

function fromSkb({ mem, run }: HelperEnv, skb: number, flags: number, to: number): number {
  clearDynptr(mem, to)
  if (flags !== 0) return -EINVAL
  setDynptr(mem, to, skb, mem.u32[(skb + SKB.len) >> 2]!, DYNPTR_SKB, !WRITERS.includes(run.progType))
  return 0
}

function fromXdp({ mem }: HelperEnv, xdp: number, flags: number, to: number): number {
  clearDynptr(mem, to)
  if (flags !== 0) return -EINVAL
  setDynptr(mem, to, xdp, mem.u32[(xdp + XDP_BUFF.data_end) >> 2]! - mem.u32[(xdp + XDP_BUFF.data) >> 2]!, DYNPTR_XDP)
  return 0
}

/** All data is linear: the caller's buffer is never needed. */
function slice({ mem }: HelperEnv, dynptr: number, offset: number, len: number): number {
  const data = dynptrData(mem, dynptr)
  if (data === 0 || outsideDynptr(mem, dynptr, offset, len)) return 0
  const at = dynptrOffset(mem, dynptr) + offset
  switch (dynptrType(mem, dynptr)) {
    case DYNPTR_SKB: return linear(mem.u32[(data + SKB.data) >> 2]!, mem.u32[(data + SKB.len) >> 2]!, at, len)
    case DYNPTR_XDP: {
      const start = mem.u32[(data + XDP_BUFF.data) >> 2]!
      return linear(start, mem.u32[(data + XDP_BUFF.data_end) >> 2]! - start, at, len)
    }
    default: return data + at
  }
}

/** The packet may have become shorter since the dynptr was made. */
const linear = (start: number, size: number, at: number, len: number): number => (at + len > size ? 0 : start + at)

function adjust({ mem }: HelperEnv, dynptr: number, start: number, end: number): number {
  if (dynptrData(mem, dynptr) === 0 || start > end) return -EINVAL
  const size = dynptrSize(mem, dynptr)
  if (start > size || end > size) return -ERANGE
  adjustDynptr(mem, dynptr, start, end - start)
  return 0
}

function clone({ mem }: HelperEnv, from: number, to: number): number {
  clearDynptr(mem, to)
  if (dynptrData(mem, from) === 0) return -EINVAL
  mem.u8.copyWithin(to, from, from + 16)
  return 0
}

/** Where bytes of a dynptr are, to be written; a negative errno: they can't be. */
function writable(env: HelperEnv, dynptr: number, offset: number, size: number): number {
  const { mem } = env
  if (dynptrData(mem, dynptr) === 0 || dynptrReadOnly(mem, dynptr)) return -EINVAL
  if (outsideDynptr(mem, dynptr, offset, size)) return -E2BIG
  return slice(env, dynptr, offset, size) || -E2BIG
}

interface Copy { to: number, toOff: number, from: number, fromOff: number, size: number }

function copy(env: HelperEnv, { to, toOff, from, fromOff, size }: Copy): number {
  const { mem } = env
  if (dynptrData(mem, from) === 0) return -EINVAL
  const target = writable(env, to, toOff, size)
  if (target < 0) return target
  const source = outsideDynptr(mem, from, fromOff, size) ? 0 : slice(env, from, fromOff, size)
  if (source === 0) return -E2BIG
  mem.u8.copyWithin(target, source, source + size)
  return 0
}

function fill(env: HelperEnv, dynptr: number, offset: number, size: number, value: number): number {
  const at = writable(env, dynptr, offset, size)
  if (at < 0) return at
  env.mem.u8.fill(value & 0xff, at, at + size)
  return 0
}
