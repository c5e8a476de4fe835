// Running programs whose context is the sk_buff: socket filters (include/linux/filter.h: bpf_prog_run_save_cb, bpf_prog_run_clear_cb),
// classifiers (net/sched/cls_bpf.c: cls_bpf_classify), PHYS_DEV.
import { QDISC_CB, SKB } from '../skb/layout.js'
import type { Skbs } from '../skb/skb.js'
import type { HookProg } from './types.js'

/** BPF_SKB_CB_LEN: the 20 bytes that __sk_buff->cb[] names. */
const CB = SKB.cb + QDISC_CB.data
const saved = new Uint32Array(5)

/** A socket filter whose cb is scratch: zero before, restored after. */
export function runFilter(skbs: Skbs, skb: number, prog: HookProg): number {
  const at = (skb + CB) >> 2
  for (let i = 0; i < 5; i += 1) {
    saved[i] = skbs.u32[at + i]!
    skbs.u32[at + i] = 0
  }
  skbs.computeDataPointers(skb)
  const result = prog.run(skb)
  for (let i = 0; i < 5; i += 1) skbs.u32[at + i] = saved[i]!
  return result
}

/** A classifier or action: data must be at the Ethernet header; cb is shared with the qdisc layer. */
export function runClassifier(skbs: Skbs, skb: number, prog: HookProg): number {
  skbs.computeDataPointers(skb)
  return prog.run(skb)
}
