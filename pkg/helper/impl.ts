// Every helper that this machine has, by id; and for the others of 6.18, why a program that calls one is refused at load.
import type { HelperImpl } from '../prog/engine.js'
import { FUNC } from '../uapi/bpf.js'
import type { HelperEnv, HelperTable } from './env.js'
import { basicHelpers } from './impl-basic.js'
import { csumHelpers } from './impl-csum.js'
import { dequeueHelpers } from './impl-dequeue.js'
import { dynptrHelpers } from './impl-dynptr.js'
import { fibHelpers } from './impl-fib.js'
import { loopHelpers } from './impl-loop.js'
import { mapHelpers } from './impl-map.js'
import { probeHelpers } from './impl-probe.js'
import { redirectHelpers } from './impl-redirect.js'
import { ringbufHelpers } from './impl-ringbuf.js'
import { skbByteHelpers } from './impl-skb-bytes.js'
import { skbMetaHelpers } from './impl-skb-meta.js'
import { skbRoomHelpers } from './impl-skb-room.js'
import { sockHelpers } from './impl-sock.js'
import { stringHelpers } from './impl-string.js'
import { syncookieHelpers } from './impl-syncookie.js'
import { timerHelpers } from './impl-timer.js'
import { traceHelpers } from './impl-trace.js'
import { xdpHelpers } from './impl-xdp.js'

const FAMILIES: readonly ((env: HelperEnv) => HelperTable)[] = [
  mapHelpers, basicHelpers, traceHelpers, stringHelpers, loopHelpers, timerHelpers, csumHelpers, skbByteHelpers, skbRoomHelpers,
  skbMetaHelpers, xdpHelpers, redirectHelpers, fibHelpers, ringbufHelpers, dynptrHelpers, sockHelpers, syncookieHelpers, probeHelpers,
  dequeueHelpers,
]

/** The implementations over one environment, built family by family when first asked for. */
export function helperImpls(env: HelperEnv): (id: number) => HelperImpl | undefined {
  let table: HelperTable | undefined
  return (id) => {
    table ??= Object.assign({}, ...FAMILIES.map((family) => family(env))) as HelperTable
    return table[id]
  }
}

const TASKS = 'there are no tasks behind the emulated kernel'
const COUNTERS = 'there are no hardware counters on an emulated machine'
const STORAGE = 'its map type is not supported yet'
/** bpf_tail_call is an instruction to the engines. */
const ENGINE: ReadonlySet<number> = new Set([FUNC.tail_call])

const REFUSED: Readonly<Record<number, string>> = {
  [FUNC.perf_event_read]: COUNTERS,
  [FUNC.perf_event_read_value]: COUNTERS,
  [FUNC.get_branch_snapshot]: COUNTERS,
  [FUNC.get_current_task]: TASKS,
  [FUNC.get_current_task_btf]: TASKS,
  [FUNC.task_pt_regs]: TASKS,
  [FUNC.get_task_stack]: TASKS,
  [FUNC.find_vma]: TASKS,
  [FUNC.send_signal]: TASKS,
  [FUNC.send_signal_thread]: TASKS,
  [FUNC.copy_from_user]: TASKS,
  [FUNC.copy_from_user_task]: TASKS,
  [FUNC.current_task_under_cgroup]: STORAGE,
  [FUNC.skb_under_cgroup]: STORAGE,
  [FUNC.sk_storage_get]: STORAGE,
  [FUNC.sk_storage_delete]: STORAGE,
  [FUNC.task_storage_get]: STORAGE,
  [FUNC.task_storage_delete]: STORAGE,
  [FUNC.cgrp_storage_get]: STORAGE,
  [FUNC.cgrp_storage_delete]: STORAGE,
  [FUNC.user_ringbuf_drain]: STORAGE,
  [FUNC.snprintf_btf]: 'it is not supported yet',
}

/** Why no program may call a helper here, as the end of a sentence; undefined: it may. */
export function refusal(id: number, impls: (id: number) => HelperImpl | undefined): string | undefined {
  if (ENGINE.has(id) || impls(id)) return undefined
  return REFUSED[id] ?? 'it is not supported yet'
}
