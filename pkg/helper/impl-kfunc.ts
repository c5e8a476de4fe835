// Kernel functions by name, over the same environment as helpers: what programs call by BTF id (kernel/bpf/helpers.c, bpf_iter.c).
import type { HelperImpl } from '../prog/engine.js'
import type { HelperEnv } from './env.js'
import { dynptrKfuncs } from './impl-kfunc-dynptr.js'
import { graphKfuncs } from './impl-kfunc-graph.js'
import { qdiscKfuncs } from './impl-kfunc-qdisc.js'
import { tcpKfuncs } from './impl-kfunc-tcp.js'
import { stringKfuncs } from './impl-kfunc-string.js'

export type KfuncTable = Readonly<Record<string, HelperImpl>>

/** A function of no effect on a machine with one thread: RCU, preemption, interrupts and locks. */
const nothing: HelperImpl = { ret: 'int', call: () => 0 }

/** struct bpf_iter_num_kern: {int cur; int end}. The element is cur itself. */
function iterKfuncs({ mem: { i32 } }: HelperEnv): KfuncTable {
  const EINVAL = 22
  const E2BIG = 7
  const MAX_LOOPS = 8 * 1024 * 1024
  const close = (at: number, errno: number): number => {
    i32[at >> 2] = 0
    i32[(at >> 2) + 1] = 0
    return -errno
  }
  return {
    bpf_iter_num_new: { ret: 'int', call: (at, start, end) => {
      if (start > end) return close(at, EINVAL)
      if (end - start > MAX_LOOPS) return close(at, E2BIG)
      i32[at >> 2] = (start - 1) | 0
      i32[(at >> 2) + 1] = end
      return 0
    } },
    bpf_iter_num_next: { ret: 'uint', call: (at) => {
      const next = (i32[at >> 2]! + 1) | 0
      if (next >= i32[(at >> 2) + 1]!) {
        close(at, 0)
        return 0
      }
      i32[at >> 2] = next
      return at
    } },
    bpf_iter_num_destroy: { ret: 'int', call: (at) => close(at, 0) },
  }
}

const quiet: KfuncTable = {
  bpf_rcu_read_lock: nothing, bpf_rcu_read_unlock: nothing, bpf_preempt_disable: nothing, bpf_preempt_enable: nothing,
  bpf_local_irq_save: nothing, bpf_local_irq_restore: nothing,
  bpf_res_spin_lock: nothing, bpf_res_spin_unlock: nothing, bpf_res_spin_lock_irqsave: nothing, bpf_res_spin_unlock_irqrestore: nothing,
}

const FAMILIES: readonly ((env: HelperEnv) => KfuncTable)[] = [() => quiet, iterKfuncs, dynptrKfuncs, graphKfuncs, qdiscKfuncs, stringKfuncs, tcpKfuncs]

/** The implementations over one environment, made when first asked for. */
export function kfuncImpls(env: HelperEnv): (name: string) => HelperImpl | undefined {
  let table: KfuncTable | undefined
  return (name) => {
    table ??= Object.assign({}, ...FAMILIES.map((family) => family(env))) as KfuncTable
    return table[name]
  }
}
