// Steering and filter programs of tun (drivers/net/tun.c: tun_ebpf_select_queue, run_ebpf_filter; the XPS RFC of 2019).
import { KernelError } from '../bytes/errors.js'
import { PROG_TYPE } from '../uapi/bpf.js'
import { EBADF, EINVAL } from '../uapi/errno.js'
import type { Skbs } from '../skb/skb.js'
import { runFilter } from './skb-run.js'
import type { HookProg } from './types.js'

/** TUNSETSTEERINGEBPF and TUNSETFILTEREBPF: -1 detaches, another program type is EINVAL, an unknown one EBADF. */
export function checkTunProg(progId: number, prog: HookProg | undefined): void {
  if (progId === -1) return
  if (!prog) throw new KernelError(EBADF)
  if (prog.type !== PROG_TYPE.SOCKET_FILTER) throw new KernelError(EINVAL)
}

/** The queue, or -1: the program left it to the automatic choice, which only -1 with `fallback` does. */
export function runSteering(skbs: Skbs, skb: number, prog: HookProg, queues: number, fallback: boolean): number {
  const result = runFilter(skbs, skb, prog)
  if (fallback && result === -1) return -1
  return queues === 0 ? 0 : (result & 0xffff) % queues
}

/** How many bytes of the packet may pass, 0: drop it. */
export function runTunFilter(skbs: Skbs, skb: number, prog: HookProg): number {
  return runFilter(skbs, skb, prog) >>> 0
}
