// What a programmable qdisc keeps: configuration, programs, classes, and those of them that hold packets.
import { SCH_BPF, type SchBpfLayout } from '../hook/sch-bpf-ctx.js'
import type { HookProg } from '../hook/types.js'
import { major } from '../units/handle.js'
import { newBpfClass, type BpfClass } from './sch-bpf-class.js'
import { layoutOf, type BpfConfig } from './sch-bpf-config.js'
import type { Qdisc } from './types.js'

export interface BpfPriv {
  config: BpfConfig
  /** Resolved when first needed: a qdisc that is only shown loads no program. */
  enqueue: HookProg | undefined
  dequeue: HookProg | undefined
  layout: SchBpfLayout | undefined
  /** Implicit class of rank 0 for programs that leave classid at 0. */
  fallback: BpfClass
  classes: BpfClass[]
  /** Classes that hold packets, ordered by rank. */
  flows: BpfClass[]
  order: number
  /** Taken out of flows during a dequeue because the child sends nothing now. */
  resting: BpfClass[]
  /** The packet that was answered with THROTTLE, 0: none. While it is the first and its time has not come, the program is not asked again. */
  held: number
}

export const bpfPriv = (q: Qdisc): BpfPriv => q.priv as BpfPriv

/** A new one without classes. */
export function newBpfPriv(q: Qdisc, config: BpfConfig): BpfPriv {
  const { skbs } = q.port.env
  return {
    config, enqueue: undefined, dequeue: undefined, layout: undefined, fallback: newBpfClass(skbs, 0, config.order === 'max'),
    classes: [], flows: [], order: 0, resting: [], held: 0,
  }
}

/** The programs and the layout of their context; a program that is gone counts as one that drops. */
export function ready(q: Qdisc, priv: BpfPriv): SchBpfLayout | undefined {
  const { env } = q.port
  priv.enqueue ??= env.prog(priv.config.enqueue.id)
  priv.dequeue ??= env.prog(priv.config.dequeue.id)
  if (!priv.enqueue || !priv.dequeue) return undefined
  return (priv.layout ??= layoutOf(priv.config.dialect))
}

/** 1:10, for traces and warnings. */
export const hex = (classid: number): string => `${major(classid).toString(16)}:${(classid & 0xffff).toString(16)}`

export const verdictName = (verdict: number): string =>
  Object.entries(SCH_BPF).find(([, value]) => value === verdict)?.[0] ?? String(verdict)

/** Anything but OK, REQUEUE and THROTTLE drops: an unknown verdict must not queue by accident. */
export const knownVerdict = (verdict: number): boolean => verdict >= SCH_BPF.OK && verdict <= SCH_BPF.THROTTLE
