// The context of a programmable qdisc's programs, v1 and v2 of the RFC (the sch_bpf RFC of 2021): a plain struct in CONTEXTS.
import { CONTEXTS } from '../mem/layout.js'
import type { Skbs } from '../skb/skb.js'
import type { HookProg } from './types.js'

export const SCH_BPF_CTX = CONTEXTS + 0x400
const SIZE = 40

/** Offsets of both layouts; -1: the field is not there. */
export interface SchBpfLayout {
  readonly nr_flows: number
  readonly nr_packets: number
  readonly handle: number
  readonly classid: number
  readonly rank: number
  readonly delay: number
}

export const SCH_BPF_V1: SchBpfLayout = { nr_flows: 8, nr_packets: 12, handle: -1, classid: 16, rank: 24, delay: 32 }
export const SCH_BPF_V2: SchBpfLayout = { nr_flows: 8, nr_packets: -1, handle: 12, classid: 32, rank: 16, delay: 24 }

/** Verdicts of v1 and v2. */
export const SCH_BPF = { OK: 0, REQUEUE: 1, DROP: 2, THROTTLE: 3 } as const

export function clearSchBpfCtx(skbs: Skbs): void {
  for (let at = SCH_BPF_CTX >> 2, end = (SCH_BPF_CTX + SIZE) >> 2; at < end; at += 1) skbs.u32[at] = 0
}

export function setSchBpfField(skbs: Skbs, offset: number, value: number): void {
  if (offset >= 0) skbs.u32[(SCH_BPF_CTX + offset) >> 2] = value
}

/** A u32 field, or the low half of a u64. */
export function schBpfField(skbs: Skbs, offset: number): number {
  return skbs.u32[(SCH_BPF_CTX + offset) >> 2]!
}

/** A u64 as a double: times and delays. */
export function schBpfWide(skbs: Skbs, offset: number): number {
  return schBpfField(skbs, offset) + schBpfField(skbs, offset + 4) * 0x100000000
}

/** Runs with the skb's data pointers computed, so that direct packet access works through ctx->skb. */
export function runSchBpf(skbs: Skbs, skb: number, prog: HookProg): number {
  setSchBpfField(skbs, 0, skb)
  setSchBpfField(skbs, 4, 0)
  skbs.computeDataPointers(skb)
  return prog.run(SCH_BPF_CTX)
}
