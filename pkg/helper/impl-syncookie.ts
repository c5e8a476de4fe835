// bpf_tcp_raw_gen_syncookie_ipv4 and its kin: net/core/filter.c, net/ipv4/syncookies.c. The cookie is a keyed hash of the connection with
// the class of the MSS in it; its bits are this machine's own, as they are on any boot of a real one.
import { hashKey } from '../map/hash-function.js'
import { EACCES, EINVAL } from '../uapi/errno.js'
import { FUNC } from '../uapi/bpf.js'
import { setResult, intResult, type HelperEnv, type HelperTable } from './env.js'

/** Offsets of the addresses in IPv4 and IPv6 headers, and their bytes. */
const V4 = { at: 12, bytes: 8, classes: [536, 1300, 1440, 1460], standard: 536 } as const
const V6 = { at: 8, bytes: 32, classes: [1220 - 20, 1480 - 60, 1500 - 60, 9000 - 60], standard: 1220 } as const
type Family = typeof V4 | typeof V6

const TCP = { seq: 4, ack: 8, offset: 12, size: 20 } as const
const OPTION_MSS = 2
/** A secret of this machine; what matters is that a check knows its own cookies. */
const SECRET = 0x2545f491

export function syncookieHelpers(env: HelperEnv): HelperTable {
  return {
    [FUNC.tcp_raw_gen_syncookie_ipv4]: { ret: 'wide', call: (ip, tcp, size) => generate(env, V4, ip, tcp, size) },
    [FUNC.tcp_raw_gen_syncookie_ipv6]: { ret: 'wide', call: (ip, tcp, size) => generate(env, V6, ip, tcp, size) },
    [FUNC.tcp_raw_check_syncookie_ipv4]: { ret: 'int', call: (ip, tcp) => check(env, V4, ip, tcp) },
    [FUNC.tcp_raw_check_syncookie_ipv6]: { ret: 'int', call: (ip, tcp) => check(env, V6, ip, tcp) },
  }
}

/** cookie | mss << 32, or -EINVAL. */
function generate(env: HelperEnv, family: Family, ip: number, tcp: number, size: number): number {
  const { u8, view } = env.mem
  if (size < TCP.size || size !== (u8[tcp + TCP.offset]! >> 4) * 4) return intResult(env, -EINVAL)
  const offered = mssOption(u8, tcp, size) || family.standard
  const index = family.classes.findLastIndex((mss) => mss <= offered)
  const kind = Math.max(0, index)
  const cookie = (sum(env, family, ip, tcp, view.getUint32(tcp + TCP.seq, false)) & ~3) | kind
  return setResult(env, cookie, family.classes[kind]!)
}

/** 0, or -EACCES: the acknowledgement answers no cookie of ours. */
function check(env: HelperEnv, family: Family, ip: number, tcp: number): number {
  const { view } = env.mem
  const cookie = (view.getUint32(tcp + TCP.ack, false) - 1) | 0
  const seq = (view.getUint32(tcp + TCP.seq, false) - 1) >>> 0
  return ((sum(env, family, ip, tcp, seq) ^ cookie) & ~3) === 0 ? 0 : -EACCES
}

/** Over addresses, ports and sequence number. */
function sum({ mem }: HelperEnv, family: Family, ip: number, tcp: number, seq: number): number {
  const addresses = hashKey(mem.u8, ip + family.at, family.bytes, SECRET)
  return hashKey(mem.u8, tcp, 4, (addresses ^ seq) >>> 0)
}

/** tcp_parse_mss_option: 0 when there is none. */
function mssOption(u8: Uint8Array, tcp: number, size: number): number {
  for (let at = tcp + TCP.size; at < tcp + size - 1;) {
    const kind = u8[at]!
    if (kind === 0) return 0
    const length = kind === 1 ? 1 : u8[at + 1]!
    if (kind === OPTION_MSS && length === 4) return (u8[at + 2]! << 8) | u8[at + 3]!
    if (kind !== 1 && length < 2) return 0
    at += length
  }
  return 0
}
