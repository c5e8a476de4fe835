// Kernel functions of queueing disciplines in BPF: net/sched/bpf_qdisc.c.
import { skbHash } from '../skb/flow.js'
import { argHi, type HelperEnv } from './env.js'
import type { KfuncTable } from './impl-kfunc.js'

/** A u64 argument below 2^53 as a double. */
const wide = (env: HelperEnv, index: number, low: number): number => (low >>> 0) + (argHi(env, index) >>> 0) * 0x100000000

export function qdiscKfuncs(env: HelperEnv): KfuncTable {
  const { qdisc } = env
  if (!qdisc) return {}
  return {
    bpf_skb_get_hash: { ret: 'uint', call: (skb) => skbHash(env.skbs, skb) | 0 },
    bpf_kfree_skb: { ret: 'int', call: (skb) => {
      qdisc.free(skb)
      return 0
    } },
    bpf_qdisc_skb_drop: { ret: 'int', call: (skb) => {
      qdisc.drop(skb)
      return 0
    } },
    bpf_qdisc_watchdog_schedule: { wide: 6, ret: 'int', call: (_sch, expire, delta) => {
      qdisc.watchdog(wide(env, 1, expire), wide(env, 2, delta))
      return 0
    } },
    bpf_qdisc_bstats_update: { ret: 'int', call: (_sch, skb) => {
      qdisc.sent(skb)
      return 0
    } },
  }
}
