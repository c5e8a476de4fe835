// The PHYS_DEV hook (the PHYS_DEV RFC of 2016): a filter that a driver runs on a frame before there is an skb.
import { CONTEXTS, LOAD_FAULT } from '../mem/layout.js'
import type { PhysDevStats } from '../request/rtnl.js'
import { SKB } from '../skb/layout.js'
import type { Skbs } from '../skb/skb.js'
import type { HookProg } from './types.js'

export interface PhysDevState {
  prog: number
  stats: PhysDevStats
  /** One warning a program about a verdict nobody knows. */
  warned?: true
}

export const newPhysDevStats = (): PhysDevStats => ({ runs: 0, drops: 0, passes: 0, aborts: 0, invalids: 0 })

/** The one pseudo skb: len, head and data are set anew for each frame, everything else stays as it is here. */
const PSEUDO = CONTEXTS + 0xc00
/** A header offset that lies beyond every buffer. */
const UNSET = 0xffff

/** The program's answer to a frame. */
export function runPhysDevProg(skbs: Skbs, skb: number, prog: HookProg): { verdict: number; aborted: boolean } {
  const data = skbs.data(skb)
  const head = skbs.head(skb)
  skbs.u32.fill(0, PSEUDO >> 2, (PSEUDO + SKB.size) >> 2)
  skbs.set32(PSEUDO, SKB.len, skbs.len(skb))
  skbs.set32(PSEUDO, SKB.head, head)
  skbs.set32(PSEUDO, SKB.data, data)
  skbs.set32(PSEUDO, SKB.tail, Math.min(data - head + skbs.len(skb), UNSET))
  skbs.set16(PSEUDO, SKB.mac_header, data - head)
  skbs.set16(PSEUDO, SKB.network_header, UNSET)
  skbs.set16(PSEUDO, SKB.transport_header, UNSET)
  skbs.u32[LOAD_FAULT >> 2] = 0
  const verdict = prog.run(PSEUDO) >>> 0
  return { verdict, aborted: skbs.u32[LOAD_FAULT >> 2] !== 0 }
}

export const PASS = 'pass'
export const DROP = 'drop'
export const INVALID = 'invalid'

/** What a verdict means: v1 drops on anything but 0, v2 names 0 drop and 1 ok. */
export function physDevVerdict(dialect: string | undefined, verdict: number): typeof PASS | typeof DROP | typeof INVALID {
  if (dialect !== 'physdev2') return verdict === 0 ? PASS : DROP
  return verdict === 1 ? PASS : verdict === 0 ? DROP : INVALID
}
