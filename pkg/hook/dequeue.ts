// The XDP dequeue hook (RFC of July 2022, net/core/dev.c: dev_xdp_attach_dequeue, dev_run_xdp_dequeue): attaching, and one run.
import { KernelError } from '../bytes/errors.js'
import { CONTEXTS } from '../mem/layout.js'
import type { DequeueStats, LinkXdp } from '../request/rtnl.js'
import type { Skbs } from '../skb/skb.js'
import { EBADF, EEXIST, EINVAL } from '../uapi/errno.js'
import { RFC_PROG_TYPE } from '../uapi/rfc.js'
import type { HookProg } from './types.js'

export interface DequeueState {
  prog: number
  stats: DequeueStats
}

export const newDequeueStats = (): DequeueStats => ({
  scheduled: 0, turns: 0, runs: 0, transmitted: 0, kept: 0, dropped: 0, reschedQuota: 0, reschedBusy: 0,
})

/** An fd of a program, -1: none. */
function fdProg(id: number, find: (id: number) => HookProg | undefined): number {
  if (id < 0) return 0
  const prog = find(id)
  if (!prog) throw new KernelError(EBADF)
  if (prog.type !== RFC_PROG_TYPE.DEQUEUE) throw new KernelError(EINVAL)
  return id
}

/** The program to attach, 0: none. The driver is not asked whether it can transmit. */
export function checkDequeue(state: DequeueState | undefined, request: LinkXdp, find: (id: number) => HookProg | undefined): number {
  if (request.expectedProgId === undefined || request.noReplace === true) throw new KernelError(EINVAL, 'Dequeue prog must use XDP_FLAGS_REPLACE')
  const expected = fdProg(request.expectedProgId, find)
  const prog = fdProg(request.progId, find)
  if (expected !== (state?.prog ?? 0)) throw new KernelError(EEXIST, 'Active program does not match expected')
  return prog
}

/** struct dequeue_ctx, with room for a wider load. */
const CTX = CONTEXTS + 0xd00

/** One run: the skb of the packet that it returned, 0: none. */
export function runDequeue({ u32 }: Skbs, prog: HookProg, egressIfindex: number): number {
  u32[CTX >> 2] = egressIfindex
  u32[(CTX >> 2) + 1] = 0
  return prog.run(CTX) >>> 0
}
