// Checksum helpers: net/core/filter.c (bpf_csum_diff, bpf_l3_csum_replace, bpf_l4_csum_replace …). Frames have ip_summed NONE.
import { SKB } from '../skb/layout.js'
import { EACCES, EFAULT, EINVAL, ENOTSUPP } from '../uapi/errno.js'
import { FUNC } from '../uapi/bpf.js'
import { csumPartial, csumSub, fold16, replace2, replace4, replaceByDiff } from './csum.js'
import { argHi, type HelperEnv, type HelperTable } from './env.js'

const FIELD_SIZE = 0xf
const PSEUDO_HDR = 0x10
const MARK_MANGLED_0 = 0x20
const MARK_ENFORCE = 0x40
const IPV6 = 0x80
const FLAGS = 1 << 4

export function csumHelpers(env: HelperEnv): HelperTable {
  return {
    [FUNC.csum_diff]: { ret: 'int', call: (from, fromSize, to, toSize, seed) => diff(env, from, fromSize, to, toSize, seed) },
    [FUNC.l3_csum_replace]: { ret: 'int', wide: FLAGS | 0b1100, call: (skb, offset, from, to, flags) => l3(env, skb, offset, from, to, flags) },
    [FUNC.l4_csum_replace]: { ret: 'int', wide: FLAGS | 0b1100, call: (skb, offset, from, to, flags) => l4(env, skb, offset, from, to, flags) },
    [FUNC.csum_update]: { ret: 'int', call: () => -ENOTSUPP },
    // BPF_CSUM_LEVEL_QUERY, INC, DEC, RESET: there is no level without CHECKSUM_UNNECESSARY.
    [FUNC.csum_level]: { ret: 'int', call: (_skb, level) => (level === 0 ? -EACCES : level >>> 0 > 3 ? -EINVAL : 0) },
  }
}

function diff({ mem }: HelperEnv, from: number, fromSize: number, to: number, toSize: number, seed: number): number {
  const added = (): number => csumPartial(mem.u8, to, toSize, seed)
  if (fromSize > 0 && toSize > 0) return fold16(csumSub(added(), csumPartial(mem.u8, from, fromSize, 0)))
  if (toSize > 0) return fold16(added())
  return fold16(fromSize > 0 ? ~csumPartial(mem.u8, from, fromSize, ~seed) : seed)
}

/** Address of a 16-bit field that may be written, or -EFAULT. */
function field({ skbs }: HelperEnv, skb: number, offset: number): number {
  const bad = offset >>> 0 > 0xffff || (offset & 1) !== 0 || offset + 2 > skbs.get32(skb, SKB.len)
  return bad ? -EFAULT : skbs.data(skb) + offset
}

/** The field after the change that `size` names, or -EINVAL. */
function changed(env: HelperEnv, value: number, from: number, to: number, size: number): number {
  if (size === 0) return from !== 0 || argHi(env, 2) !== 0 ? -EINVAL : replaceByDiff(value, to)
  if (size === 2) return replace2(value, from, to)
  return size === 4 ? replace4(value, from, to) : -EINVAL
}

function l3(env: HelperEnv, skb: number, offset: number, from: number, to: number, flags: number): number {
  if ((flags & ~FIELD_SIZE) !== 0 || argHi(env, 4) !== 0) return -EINVAL
  const at = field(env, skb, offset)
  if (at < 0) return at
  const value = changed(env, env.mem.view.getUint16(at, true), from, to, flags)
  if (value < 0) return value
  env.mem.view.setUint16(at, value, true)
  return 0
}

function l4(env: HelperEnv, skb: number, offset: number, from: number, to: number, flags: number): number {
  const { view } = env.mem
  if ((flags & ~(FIELD_SIZE | PSEUDO_HDR | MARK_MANGLED_0 | MARK_ENFORCE | IPV6)) !== 0 || argHi(env, 4) !== 0) return -EINVAL
  const at = field(env, skb, offset)
  if (at < 0) return at
  const mangled = (flags & MARK_MANGLED_0) !== 0
  const old = view.getUint16(at, true)
  if (mangled && (flags & MARK_ENFORCE) === 0 && old === 0) return 0
  const value = l4Changed(env, old, from, to, flags & FIELD_SIZE)
  if (value < 0) return value
  view.setUint16(at, mangled && value === 0 ? 0xffff : value, true)
  return 0
}

/** inet_proto_csum_replace2 widens to 32 bits before it adds. */
function l4Changed(env: HelperEnv, old: number, from: number, to: number, size: number): number {
  return size === 2 ? replace4(old, from & 0xffff, to & 0xffff) : changed(env, old, from, to, size)
}
