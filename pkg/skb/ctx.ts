// Which context a program has: by its type, the attach type it was loaded for, and the dialect of a proposal.
import { ATTACH_TYPE, PROG_TYPE } from '../uapi/bpf.js'
import { dequeue, dequeueStrict } from './ctx-dequeue.js'
import { physDev } from './ctx-phys-dev.js'
import { qdiscEnqueueV7, schBpfV1, schBpfV2, schBpfV4 } from './ctx-sch-bpf.js'
import { skLookup } from './ctx-sk-lookup.js'
import { cgroupSkb, flowDissector, lwt, schedCls, skSkb, socketFilter } from './ctx-skb.js'
import { exact, ldx, type Context } from './ctx-types.js'
import { xdp, xdpDevmap } from './ctx-xdp.js'

/** Listing numbers of the proposals' program types. */
export const RFC_PROG = { DEQUEUE: 0x4001, SCHED_QDISC: 0x4011, PHYS_DEV: 0x4021 } as const

/** struct bpf_nf_ctx: two kernel pointers. */
const netfilter: Context = {
  name: 'bpf_nf_ctx', size: 16, writable: new Set(), hidden: new Set(), ldAbs: false,
  fields: [
    exact('state', 0, 8, 'nf_hook_state', (dst, src) => [ldx(8, dst, src, 0)]),
    exact('skb', 8, 8, 'sk_buff', (dst, src) => [ldx(8, dst, src, 8)]),
  ],
}

/** The arguments of a callback, eight bytes each; their types are in the kernel's BTF (verifier/struct-ops.ts). */
const structOps: Context = { name: 'u64', size: 12 * 8, writable: new Set(), hidden: new Set(), ldAbs: false, fields: [] }

const table: Readonly<Record<number, Context>> = {
  [PROG_TYPE.SOCKET_FILTER]: socketFilter, [PROG_TYPE.SCHED_CLS]: schedCls, [PROG_TYPE.SCHED_ACT]: schedCls,
  [PROG_TYPE.CGROUP_SKB]: cgroupSkb, [PROG_TYPE.LWT_IN]: lwt, [PROG_TYPE.LWT_OUT]: lwt, [PROG_TYPE.LWT_XMIT]: lwt,
  [PROG_TYPE.LWT_SEG6LOCAL]: lwt, [PROG_TYPE.SK_SKB]: skSkb, [PROG_TYPE.FLOW_DISSECTOR]: flowDissector,
  [PROG_TYPE.SK_LOOKUP]: skLookup, [PROG_TYPE.NETFILTER]: netfilter, [RFC_PROG.PHYS_DEV]: physDev,
  [PROG_TYPE.STRUCT_OPS]: structOps,
}

const schBpf: Readonly<Record<string, Context>> = {
  sch_bpf_v1: schBpfV1, sch_bpf_v2: schBpfV2, sch_bpf_v4: schBpfV4, sch_bpf_v5: schBpfV4, sch_bpf_v6: schBpfV4, sch_bpf_v7: qdiscEnqueueV7,
}

/** The context record; undefined: no such program type here. Dialects are written schbpf1 or sch_bpf_v1. */
export function contextOf(progType: number, attachType: number, dialect?: string, strict = false): Context | undefined {
  if (progType === RFC_PROG.DEQUEUE) return strict ? dequeueStrict : dequeue
  if (progType === PROG_TYPE.XDP) return attachType === ATTACH_TYPE.XDP_DEVMAP ? xdpDevmap : xdp
  if (progType === RFC_PROG.SCHED_QDISC) return schBpf[(dialect ?? 'sch_bpf_v1').replace(/^sch_?bpf_?v?/, 'sch_bpf_v')]
  return table[progType]
}
