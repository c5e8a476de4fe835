// Helpers that change an skb's length: net/core/filter.c (bpf_skb_adjust_room, bpf_skb_change_head, …_tail, …_proto, VLAN tags).
import { SKB } from '../skb/layout.js'
import {
  BE16, ENCAPSULATION, clearHash, cow, hdrPop, hdrPush, macHeaderLen, networkOffset, resetMac, setLength, transportIsSet, transportOffset,
} from '../skb/skb-edit.js'
import { isGso, setGso } from '../skb/skb-gso.js'
import { isVlan, vlanPop, vlanPush } from '../skb/skb-vlan.js'
import { EINVAL, ENOMEM, ENOTSUPP } from '../uapi/errno.js'
import { FUNC } from '../uapi/bpf.js'
import { adjustRoom } from './adjust-room.js'
import { argHi, type HelperEnv, type HelperTable } from './env.js'

/** BPF_SKB_MAX_LEN: a page order of 2 less struct skb_shared_info. */
const MAX_LENGTH = 16384 - 320
const IP6_MORE = 20

export function skbRoomHelpers(env: HelperEnv): HelperTable {
  const after = (skb: number, result: number): number => {
    env.skbs.computeDataPointers(skb)
    return result
  }
  return {
    [FUNC.skb_change_tail]: {
      ret: 'int', wide: 1 << 2, call: (skb, len, flags) => after(skb, changeTail(env, skb, len >>> 0, flags | argHi(env, 2))),
    },
    [FUNC.skb_change_head]: {
      ret: 'int', wide: 1 << 2, call: (skb, room, flags) => after(skb, changeHead(env, skb, room, flags | argHi(env, 2))),
    },
    [FUNC.skb_change_proto]: {
      ret: 'int', wide: 1 << 2, call: (skb, proto, flags) => after(skb, changeProto(env, skb, proto & 0xffff, flags | argHi(env, 2))),
    },
    [FUNC.skb_adjust_room]: {
      ret: 'int', wide: 1 << 3,
      call: (skb, diff, mode, flags) => after(skb, adjustRoom(env, skb, diff, mode, flags, argHi(env, 3) >>> 0, MAX_LENGTH)),
    },
    [FUNC.skb_vlan_push]: { ret: 'int', call: (skb, proto, tci) => after(skb, pushTag(env, skb, proto & 0xffff, tci & 0xffff)) },
    [FUNC.skb_vlan_pop]: { ret: 'int', call: (skb) => after(skb, vlanPop(env.skbs, skb) ? 0 : -ENOMEM) },
  }
}

/** __bpf_skb_min_len */
function minLength({ skbs }: HelperEnv, skb: number): number {
  const network = Math.max(0, networkOffset(skbs, skb))
  const transport = transportIsSet(skbs, skb) ? transportOffset(skbs, skb) : 0
  return transport > 0 ? transport : network
}

function changeTail(env: HelperEnv, skb: number, len: number, flags: number): number {
  if (flags !== 0 || len > MAX_LENGTH || len < minLength(env, skb)) return -EINVAL
  if (env.skbs.u8[skb + SKB.hash_flags]! & ENCAPSULATION) return -ENOTSUPP
  if (!setLength(env.skbs, skb, len)) return -ENOMEM
  if (isGso(env.skbs, skb)) setGso(env.skbs, skb, 0, 0)
  return 0
}

function changeHead(env: HelperEnv, skb: number, room: number, flags: number): number {
  const { skbs } = env
  if (flags !== 0 || room < 0 || skbs.len(skb) + room > MAX_LENGTH) return -EINVAL
  if (!cow(skbs, skb, room)) return -ENOMEM
  skbs.push(skb, room)
  const data = skbs.data(skb)
  skbs.u8.fill(0, data, data + room)
  resetMac(skbs, skb)
  return 0
}

/** IPv4 <-> IPv6: room for the other header; its contents are the program's business. */
function changeProto({ skbs }: HelperEnv, skb: number, to: number, flags: number): number {
  if (flags !== 0) return -EINVAL
  const from = skbs.get16(skb, SKB.protocol)
  const off = macHeaderLen(skbs, skb)
  if (from === BE16.IP && to === BE16.IPV6) {
    if (!cow(skbs, skb, IP6_MORE)) return -ENOMEM
    hdrPush(skbs, skb, off, IP6_MORE)
  } else if (from === BE16.IPV6 && to === BE16.IP) {
    if (skbs.len(skb) < off + IP6_MORE) return -ENOMEM
    hdrPop(skbs, skb, off, IP6_MORE)
  } else {
    return -ENOTSUPP
  }
  skbs.set16(skb, SKB.protocol, to)
  clearHash(skbs, skb)
  return 0
}

function pushTag({ skbs }: HelperEnv, skb: number, proto: number, tci: number): number {
  return vlanPush(skbs, skb, isVlan(proto) ? proto : BE16.VLAN, tci) ? 0 : -ENOMEM
}
