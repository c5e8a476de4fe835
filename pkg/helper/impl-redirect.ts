// The redirect family: net/core/filter.c (bpf_redirect, bpf_xdp_redirect_map, bpf_clone_redirect …). A helper leaves a note; datapath acts on it.
import type { BpfMap } from '../map/types.js'
import { EBADMSG, EINVAL, ENOMEM } from '../uapi/errno.js'
import { isGso } from '../skb/skb-gso.js'
import { FUNC, MAP_TYPE, PROG_TYPE, TC_ACT, XDP } from '../uapi/bpf.js'
import { RFC_MAP_TYPE } from '../uapi/rfc.js'
import { MAP_STAGING } from '../mem/layout.js'
import { NOTE, argHi, type HelperEnv, type HelperTable } from './env.js'

/** BPF_F_INGRESS; BPF_F_BROADCAST, BPF_F_EXCLUDE_INGRESS of devmaps; what a miss returns is in the low bits of flags. */
const INGRESS = 1
const BROADCAST = 8
const EXCLUDE_INGRESS = 16
const ACTION = 3
/** sizeof(struct bpf_redir_neigh) */
const REDIR_NEIGH = 20

export function redirectHelpers(env: HelperEnv): HelperTable {
  return {
    [FUNC.redirect]: {
      ret: 'int', wide: 1 << 1,
      call: (ifindex, flags) => (env.run.progType === PROG_TYPE.XDP ? redirectXdp(env, ifindex, flags) : redirectSkb(env, ifindex, flags)),
    },
    [FUNC.redirect_peer]: { ret: 'int', wide: 1 << 1, call: (ifindex, flags) => redirectPeer(env, ifindex, flags | argHi(env, 1)) },
    [FUNC.redirect_neigh]: { ret: 'int', wide: 1 << 3, call: (ifindex, params, size, flags) => redirectNeigh(env, ifindex, params, size, flags | argHi(env, 3)) },
    [FUNC.redirect_map]: { ret: 'int', wide: (1 << 1) | (1 << 2), call: (map, key, flags) => redirectMap(env, map, key, flags) },
    [FUNC.clone_redirect]: { ret: 'int', wide: 1 << 2, call: (skb, ifindex, flags) => cloneRedirect(env, skb, ifindex, flags | argHi(env, 2)) },
  }
}

function note({ note }: HelperEnv, kind: number, ifindex: number, flags: number): void {
  note.kind = kind
  note.ifindex = ifindex
  note.flags = flags
  note.mapId = note.mapType = note.index = note.progId = note.nhFamily = 0
}

function redirectXdp(env: HelperEnv, ifindex: number, flags: number): number {
  if (flags !== 0 || argHi(env, 1) !== 0) return XDP.ABORTED
  note(env, NOTE.IFINDEX, ifindex, 0)
  return XDP.REDIRECT
}

function redirectSkb(env: HelperEnv, ifindex: number, flags: number): number {
  if ((flags & ~INGRESS) !== 0 || argHi(env, 1) !== 0) return TC_ACT.SHOT
  note(env, NOTE.IFINDEX, ifindex, flags)
  return TC_ACT.REDIRECT
}

function redirectPeer(env: HelperEnv, ifindex: number, flags: number): number {
  if (flags !== 0) return TC_ACT.SHOT
  note(env, NOTE.PEER, ifindex, 0)
  return TC_ACT.REDIRECT
}

function redirectNeigh(env: HelperEnv, ifindex: number, params: number, size: number, flags: number): number {
  if (flags !== 0 || (size !== 0 && size < REDIR_NEIGH)) return TC_ACT.SHOT
  note(env, NOTE.NEIGH, ifindex, 0)
  if (size === 0) return TC_ACT.REDIRECT
  env.note.nhFamily = env.mem.view.getUint32(params, true)
  env.note.nh = env.mem.u8.slice(params + 4, params + REDIR_NEIGH)
  return TC_ACT.REDIRECT
}

/** __bpf_xdp_redirect_map */
function redirectMap(env: HelperEnv, addr: number, key: number, flags: number): number {
  const map = env.mapAt(addr)
  const dev = map.attr.type === MAP_TYPE.DEVMAP || map.attr.type === MAP_TYPE.DEVMAP_HASH
  if ((flags & ~(ACTION | (dev ? BROADCAST | EXCLUDE_INGRESS : 0))) !== 0 || argHi(env, 2) !== 0) return XDP.ABORTED
  if (map.attr.type === RFC_MAP_TYPE.PIFO_XDP) return redirectPifo(env, map, key)
  const target = targetOf(env, map, key)
  const broadcast = (flags & BROADCAST) !== 0
  note(env, NOTE.NONE, 0, 0)
  if (!target && !broadcast) return flags & ACTION
  note(env, NOTE.MAP, broadcast ? 0 : target?.ifindex ?? 0, flags & (BROADCAST | EXCLUDE_INGRESS))
  env.note.mapId = map.attr.id
  env.note.mapType = map.attr.type
  env.note.index = key
  env.note.progId = target?.progId ?? 0
  return XDP.REDIRECT
}

/** Always a redirect: whether the map takes the frame shows when the program has ended. */
function redirectPifo(env: HelperEnv, map: BpfMap, rank: number): number {
  note(env, NOTE.MAP, 0, 0)
  env.note.mapId = map.attr.id
  env.note.mapType = map.attr.type
  env.note.index = rank
  env.note.rankHigh = argHi(env, 1)
  return XDP.REDIRECT
}

function targetOf({ mem }: HelperEnv, map: BpfMap, key: number): { ifindex?: number; progId?: number } | undefined {
  mem.view.setInt32(MAP_STAGING, key, true)
  return map.target?.(MAP_STAGING)
}

/** The copy is made now: the program may go on to change the frame. */
function cloneRedirect(env: HelperEnv, skb: number, ifindex: number, flags: number): number {
  if ((flags & ~INGRESS) !== 0) return -EINVAL
  // A test run can make frames to be segmented that say no type.
  if (isGso(env.skbs, skb)) return -EBADMSG
  if (!env.net.device(ifindex)) return -EINVAL
  const copy = env.skbs.copy(skb)
  return copy === 0 ? -ENOMEM : env.net.cloneRedirect(copy, ifindex, flags)
}
