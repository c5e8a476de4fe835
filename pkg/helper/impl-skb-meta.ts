// What an skb carries beside its bytes: hash, type, cgroup, tunnel keys, timestamp, ECN. net/core/filter.c
import { skbHash } from '../skb/flow.js'
import { SKB } from '../skb/layout.js'
import { BE16, L4_HASH, SW_HASH, clearHash, networkHeader, networkOffset } from '../skb/skb-edit.js'
import { EINVAL, ENOENT, EOPNOTSUPP } from '../uapi/errno.js'
import { FUNC } from '../uapi/bpf.js'
import { replace2 } from './csum.js'
import { argHi, type HelperEnv, type HelperTable } from './env.js'

const PACKET_OTHERHOST = 3
/** BPF_SKB_CLOCK_REALTIME, _MONOTONIC, _TAI */
const CLOCK_REALTIME = 0
const CLOCK_TAI = 2

export function skbMetaHelpers(env: HelperEnv): HelperTable {
  return {
    [FUNC.get_hash_recalc]: { ret: 'uint', call: (skb) => skbHash(env.skbs, skb) | 0 },
    [FUNC.set_hash_invalid]: { ret: 'int', call: (skb) => (clearHash(env.skbs, skb), 0) },
    [FUNC.set_hash]: { ret: 'int', call: (skb, hash) => setHash(env, skb, hash) },
    [FUNC.skb_change_type]: { ret: 'int', call: (skb, type) => changeType(env, skb, type) },
    [FUNC.skb_set_tstamp]: { ret: 'int', wide: 1 << 1, call: (skb, low, type) => setTstamp(env, skb, low, argHi(env, 1), type) },
    [FUNC.skb_ecn_set_ce]: { ret: 'int', call: (skb) => setCe(env, skb) },
    ...absentHelpers(env),
  }
}

/** What no frame of an emulated machine has: cgroups below the root, tunnel metadata, xfrm states, a route with a realm. */
function absentHelpers(env: HelperEnv): HelperTable {
  const none = { ret: 'int', call: () => 0 } as const
  const cleared = (errno: number, to: number, size: number): number => {
    env.mem.u8.fill(0, to, to + size)
    return -errno
  }
  return {
    [FUNC.get_cgroup_classid]: none,
    [FUNC.skb_cgroup_classid]: none,
    [FUNC.skb_cgroup_id]: none,
    [FUNC.skb_ancestor_cgroup_id]: none,
    [FUNC.get_route_realm]: none,
    [FUNC.skb_get_tunnel_key]: { ret: 'int', call: (_skb, to, size) => cleared(EINVAL, to, size) },
    [FUNC.skb_get_tunnel_opt]: { ret: 'int', call: (_skb, to, size) => cleared(ENOENT, to, size) },
    [FUNC.skb_set_tunnel_key]: { ret: 'int', call: () => -EINVAL },
    [FUNC.skb_set_tunnel_opt]: { ret: 'int', call: () => -EINVAL },
    [FUNC.skb_get_xfrm_state]: { ret: 'int', call: (_skb, _index, to, size) => cleared(EINVAL, to, size) },
  }
}

function setHash({ skbs }: HelperEnv, skb: number, hash: number): number {
  skbs.set32(skb, SKB.hash, hash)
  skbs.u8[skb + SKB.hash_flags]! |= L4_HASH | SW_HASH
  return 0
}

function changeType({ skbs }: HelperEnv, skb: number, type: number): number {
  const old = skbs.u8[skb + SKB.pkt_type]!
  if ((old & 7) > PACKET_OTHERHOST || type >>> 0 > PACKET_OTHERHOST) return -EINVAL
  skbs.u8[skb + SKB.pkt_type] = (old & ~7) | type
  return 0
}

function setTstamp({ skbs }: HelperEnv, skb: number, low: number, high: number, type: number): number {
  const proto = skbs.get16(skb, SKB.protocol)
  const zero = low === 0 && high === 0
  if (proto !== BE16.IP && proto !== BE16.IPV6) return -EOPNOTSUPP
  if (type >>> 0 > CLOCK_TAI || (zero && type !== CLOCK_REALTIME)) return -EINVAL
  skbs.set32(skb, SKB.tstamp, low)
  skbs.set32(skb, SKB.tstamp + 4, high)
  skbs.u8[skb + SKB.tc_flags] = (skbs.u8[skb + SKB.tc_flags]! & ~3) | type
  return 0
}

/** INET_ECN_set_ce: 1 when the packet has the mark now. */
function setCe(env: HelperEnv, skb: number): number {
  const { skbs } = env
  const proto = skbs.get16(skb, SKB.protocol)
  const need = networkOffset(skbs, skb) + (proto === BE16.IP ? 20 : 40)
  if ((proto !== BE16.IP && proto !== BE16.IPV6) || skbs.len(skb) < need) return 0
  const at = networkHeader(skbs, skb)
  return proto === BE16.IP ? setCe4(env, at) : setCe6(env, at)
}

function setCe4({ mem }: HelperEnv, at: number): number {
  const tos = mem.u8[at + 1]!
  if ((tos & 3) === 0) return 0
  if ((tos & 3) === 3) return 1
  const before = mem.view.getUint16(at, true)
  mem.u8[at + 1] = tos | 3
  mem.view.setUint16(at + 10, replace2(mem.view.getUint16(at + 10, true), before, mem.view.getUint16(at, true)), true)
  return 1
}

/** The two bits lie in the second byte of the header. */
function setCe6({ mem }: HelperEnv, at: number): number {
  const ecn = (mem.u8[at + 1]! >> 4) & 3
  if (ecn === 0) return 0
  mem.u8[at + 1]! |= 0x30
  return 1
}
