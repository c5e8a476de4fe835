// bpf_dynptr_from_mem, _read, _write, _data: kernel/bpf/helpers.c
import { copyBytes } from '../map/copy.js'
import { E2BIG, EINVAL } from '../uapi/errno.js'
import { FUNC } from '../uapi/bpf.js'
import {
  DYNPTR_LOCAL, DYNPTR_SKB, DYNPTR_XDP, clearDynptr, dynptrData, dynptrOffset, dynptrReadOnly, dynptrType, outsideDynptr, setDynptr,
} from './dynptr.js'
import { argHi, type HelperEnv, type HelperTable } from './env.js'
import { loadBytes, storeBytes } from './impl-skb-bytes.js'
import { access } from './impl-xdp.js'

const MAX_SIZE = (1 << 24) - 1

export function dynptrHelpers(env: HelperEnv): HelperTable {
  return {
    [FUNC.dynptr_from_mem]: { ret: 'int', wide: 1 << 2, call: (data, size, flags, to) => fromMem(env, data, size, flags | argHi(env, 2), to) },
    [FUNC.dynptr_read]: { ret: 'int', wide: 1 << 4, call: (to, len, from, offset, flags) => read(env, to, len, from, offset, flags | argHi(env, 4)) },
    [FUNC.dynptr_write]: { ret: 'int', wide: 1 << 4, call: (to, offset, from, len, flags) => write(env, to, offset, from, len, flags, argHi(env, 4)) },
    [FUNC.dynptr_data]: { ret: 'uint', call: (dynptr, offset, len) => slice(env, dynptr, offset, len) },
  }
}

function fromMem({ mem }: HelperEnv, data: number, size: number, flags: number, to: number): number {
  clearDynptr(mem, to)
  if (size >>> 0 > MAX_SIZE) return -E2BIG
  if (flags !== 0) return -EINVAL
  setDynptr(mem, to, data, size, DYNPTR_LOCAL)
  return 0
}

function read(env: HelperEnv, to: number, len: number, dynptr: number, offset: number, flags: number): number {
  const data = dynptrData(env.mem, dynptr)
  if (data === 0 || flags !== 0) return -EINVAL
  if (outsideDynptr(env.mem, dynptr, offset, len)) return -E2BIG
  const at = dynptrOffset(env.mem, dynptr) + offset
  switch (dynptrType(env.mem, dynptr)) {
    case DYNPTR_SKB: return loadBytes(env, data, at, to, len)
    case DYNPTR_XDP: return access(env, data, at, len, (from) => copyBytes(env.mem, to, from, len))
    default: return move(env, to, data + at, len)
  }
}

function write(env: HelperEnv, dynptr: number, offset: number, from: number, len: number, flags: number, high: number): number {
  const data = dynptrData(env.mem, dynptr)
  const type = dynptrType(env.mem, dynptr)
  if (data === 0 || dynptrReadOnly(env.mem, dynptr)) return -EINVAL
  if (outsideDynptr(env.mem, dynptr, offset, len)) return -E2BIG
  if (high !== 0 || (flags !== 0 && type !== DYNPTR_SKB)) return -EINVAL
  const at = dynptrOffset(env.mem, dynptr) + offset
  if (type === DYNPTR_SKB) return storeBytes(env, data, at, from, len, flags)
  if (type === DYNPTR_XDP) return access(env, data, at, len, (to) => copyBytes(env.mem, to, from, len))
  return move(env, data + at, from, len)
}

function move({ mem }: HelperEnv, to: number, from: number, len: number): number {
  mem.u8.copyWithin(to, from, from + len)
  return 0
}

function slice(env: HelperEnv, dynptr: number, offset: number, len: number): number {
  const { mem } = env
  const data = dynptrData(mem, dynptr)
  const type = dynptrType(mem, dynptr)
  if (data === 0 || dynptrReadOnly(mem, dynptr) || type === DYNPTR_SKB || type === DYNPTR_XDP) return 0
  return outsideDynptr(env.mem, dynptr, offset, len) ? 0 : data + dynptrOffset(mem, dynptr) + offset
}
