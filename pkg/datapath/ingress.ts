// R5: the filters of ingress and clsact (net/core/dev.c: sch_handle_ingress, tc_run).
import { NOTE_NONE } from '../hook/types.js'
import { classify } from '../sched/cls-api.js'
import { clsactPriv } from '../sched/sch-ingress.js'
import type { Block } from '../sched/cls-api.js'
import { SKB } from '../skb/layout.js'
import { TC_ACT } from '../uapi/bpf.js'
import type { Core } from './core.js'
import type { Port } from './port.js'
import { redirectSkb, sendClones } from './redirect.js'

/** skb->tc_at_ingress and tc_skip_classify in SKB.tc_flags. */
export const TC_AT_INGRESS = 4
export const TC_SKIP_CLASSIFY = 8

/** true: the packet goes on to the stack. Programs see it from its Ethernet header. */
export function ingress(core: Core, port: Port, skb: number): boolean {
  const q = port.sched.ingress
  const { u8 } = core.skbs
  const flags = u8[skb + SKB.tc_flags]!
  if ((flags & TC_SKIP_CLASSIFY) !== 0) {
    u8[skb + SKB.tc_flags] = flags & ~TC_SKIP_CLASSIFY
    return true
  }
  if (!q || clsactPriv(q).ingress.protos.length === 0) return true
  const macLen = core.skbs.get16(skb, SKB.mac_len)
  core.skbs.push(skb, macLen)
  u8[skb + SKB.tc_flags] = flags | TC_AT_INGRESS
  const pass = handle(core, port, skb, clsactPriv(q).ingress, 'TC_INGRESS')
  if (!pass) return false
  u8[skb + SKB.tc_flags]! &= ~TC_AT_INGRESS
  core.skbs.pull(skb, macLen)
  return true
}

/** Classifies and carries out the verdict; true: the packet is still ours. */
export function handle(core: Core, port: Port, skb: number, block: Block, reason: 'TC_INGRESS' | 'TC_EGRESS'): boolean {
  core.host.note.kind = NOTE_NONE
  const q = port.sched.ingress!
  core.skbs.setPktLen(skb, core.skbs.len(skb))
  q.bytes += core.skbs.len(skb)
  q.packets += 1
  const action = classify(core.schedEnv, block, skb)
  if (core.clones.length > 0) sendClones(core)
  if (core.trace) core.step(skb, port.dev, reason === 'TC_INGRESS' ? 'tc ingress' : 'tc egress', actionName(action))
  switch (action) {
    case TC_ACT.SHOT:
      q.drops += 1
      core.drop(skb, port.dev, reason)
      return false
    case TC_ACT.STOLEN:
    case TC_ACT.QUEUED:
    case TC_ACT.TRAP:
      core.drop(skb, port.dev, 'CONSUMED')
      return false
    case TC_ACT.REDIRECT:
      redirectSkb(core, port, skb)
      return false
    default:
      return true
  }
}

const actionName = (action: number): string =>
  Object.entries(TC_ACT).find(([, value]) => value === action)?.[0].toLowerCase() ?? String(action)
