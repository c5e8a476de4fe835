// The XPS hook (the XPS RFC of 2019): a socket filter that chooses the transmit queue or declines.
import { KernelError } from '../bytes/errors.js'
import type { XpsStats } from '../request/rtnl.js'
import { PROG_TYPE } from '../uapi/bpf.js'
import { EBADF, EINVAL } from '../uapi/errno.js'
import type { Skbs } from '../skb/skb.js'
import { runFilter } from './skb-run.js'
import type { HookProg } from './types.js'

export interface XpsState {
  prog: number
  stats: XpsStats
}

export const newXpsStats = (): XpsStats => ({ runs: 0, chosen: 0, declined: 0, clamped: 0 })

/** What a request to attach `progId` is answered with. As posted (strict), -1 is looked up as a program and not found. */
export function checkXps(progId: number, prog: HookProg | undefined, strict: boolean): void {
  if (progId < 0 && !strict) return
  if (!prog) throw new KernelError(EBADF)
  if (prog.type !== PROG_TYPE.SOCKET_FILTER) throw new KernelError(EINVAL)
}

/** The queue the program chose, or -1 when it declined. `queues`: what its result is reduced by. */
export function runXps(skbs: Skbs, skb: number, prog: HookProg, state: XpsState, queues: number): number {
  const result = runFilter(skbs, skb, prog)
  state.stats.runs += 1
  if (result < 0) {
    state.stats.declined += 1
    return -1
  }
  state.stats.chosen += 1
  return result % queues
}
