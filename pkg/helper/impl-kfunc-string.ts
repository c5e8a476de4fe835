// Kernel functions on NUL-terminated strings that may lie anywhere: kernel/bpf/helpers.c, bpf_strcmp() and those below it.
import type { HelperImpl } from '../prog/engine.js'
import { E2BIG, EFAULT, ENOENT } from '../uapi/errno.js'
import type { HelperEnv } from './env.js'

/** XATTR_SIZE_MAX: longer strings are not looked at. */
const MAX_LEN = 65536
const PAGE = 4096

export function stringKfuncs({ mem: { u8 } }: HelperEnv): Readonly<Record<string, HelperImpl>> {
  const outside = (at: number): boolean => at < PAGE || at + MAX_LEN > u8.length
  /** Bytes in front of the NUL, at most `limit`; negative: an errno. */
  const length = (at: number, limit = MAX_LEN): number => {
    if (outside(at)) return -EFAULT
    const most = Math.min(limit >>> 0, MAX_LEN)
    for (let n = 0; n < most; n++) if (u8[at + n] === 0) return n
    return limit >>> 0 > MAX_LEN || limit === MAX_LEN ? -E2BIG : most
  }
  const compare = (a: number, b: number, fold: (byte: number) => number): number => {
    if (outside(a) || outside(b)) return -EFAULT
    for (let n = 0; n < MAX_LEN; n++) {
      const [x, y] = [fold(u8[a + n]!), fold(u8[b + n]!)]
      if (x !== y) return x < y ? -1 : 1
      if (x === 0) return 0
    }
    return -E2BIG
  }
  /** Where a byte is among the first `limit`; the NUL counts as one. */
  const find = (at: number, limit: number, c: number, orEnd: boolean): number => {
    const size = length(at, limit)
    if (size < 0 && size !== -E2BIG) return size
    for (let n = 0; n < Math.min(limit >>> 0, MAX_LEN); n++) {
      if (u8[at + n] === (c & 0xff)) return n
      if (u8[at + n] === 0) return orEnd ? n : -ENOENT
    }
    return limit >>> 0 < MAX_LEN ? -ENOENT : -E2BIG
  }
  const last = (at: number, c: number): number => {
    const size = length(at)
    if (size < 0) return size
    for (let n = size; n >= 0; n--) if (u8[at + n] === (c & 0xff)) return n
    return -ENOENT
  }
  /** How many bytes in front are, or are not, of a set. */
  const span = (at: number, set: number, wanted: boolean): number => {
    const [size, many] = [length(at), length(set)]
    if (size < 0 || many < 0) return Math.min(size, many)
    const chars = new Set(u8.subarray(set, set + many))
    for (let n = 0; n < size; n++) if (chars.has(u8[at + n]!) !== wanted) return n
    return size
  }
  const within = (at: number, what: number, limit: number): number => {
    const [size, many] = [length(at, limit), length(what)]
    if (size < 0 || many < 0) return Math.min(size, many)
    for (let n = 0; n + many <= size; n++) {
      let k = 0
      while (k < many && u8[at + n + k] === u8[what + k]) k++
      if (k === many) return n
    }
    return -ENOENT
  }
  return {
    bpf_strcmp: { ret: 'int', call: (a, b) => compare(a, b, byte => byte) },
    bpf_strcasecmp: { ret: 'int', call: (a, b) => compare(a, b, lower) },
    bpf_strchr: { ret: 'int', call: (s, c) => find(s, MAX_LEN, c, false) },
    bpf_strchrnul: { ret: 'int', call: (s, c) => find(s, MAX_LEN, c, true) },
    bpf_strnchr: { ret: 'int', call: (s, count, c) => find(s, count, c, false) },
    bpf_strrchr: { ret: 'int', call: (s, c) => last(s, c) },
    bpf_strlen: { ret: 'int', call: s => length(s) },
    bpf_strnlen: { ret: 'int', call: (s, count) => length(s, count) },
    bpf_strspn: { ret: 'int', call: (s, accept) => span(s, accept, true) },
    bpf_strcspn: { ret: 'int', call: (s, reject) => span(s, reject, false) },
    bpf_strstr: { ret: 'int', call: (s, what) => within(s, what, MAX_LEN) },
    bpf_strnstr: { ret: 'int', call: (s, what, len) => within(s, what, len) },
  }
}

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte)
