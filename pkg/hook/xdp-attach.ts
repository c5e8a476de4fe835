// Rules of attaching XDP programs to a device (net/core/dev.c: dev_xdp_attach).
import { KernelError } from '../bytes/errors.js'
import type { LinkXdp } from '../request/rtnl.js'
import { ATTACH_TYPE, PROG_TYPE } from '../uapi/bpf.js'
import { EBUSY, EEXIST, EINVAL, EOPNOTSUPP } from '../uapi/errno.js'
import type { HookProg } from './types.js'

/** Programs attached to a device; 0: none. */
export interface XdpState {
  drv: number
  skb: number
  /** Ids of bpf_links that own the modes, 0: attached through netlink. */
  drvLink?: number
  skbLink?: number
}

export type XdpSlot = 'drv' | 'skb'

/** The mode a request means: the one it names, else native where the driver has it. */
export function xdpMode(request: LinkXdp, native: boolean): XdpSlot {
  if (request.mode === 'hw') throw new KernelError(EOPNOTSUPP, 'Underlying driver does not support XDP in native mode')
  return request.mode === 'drv' || request.mode === 'skb' ? request.mode : native ? 'drv' : 'skb'
}

/** Throws what dev_xdp_attach would answer; the caller then makes the change. `prog` undefined: detach. */
export function checkXdp(state: XdpState, request: LinkXdp, prog: HookProg | undefined, native: boolean): XdpSlot {
  if (prog && prog.type !== PROG_TYPE.XDP) throw new KernelError(EINVAL)
  if (request.mode === undefined && state.drv !== 0 && state.skb !== 0) {
    throw new KernelError(EINVAL, 'More than one program loaded, unset mode is ambiguous')
  }
  const mode = xdpMode(request, native)
  if ((mode === 'drv' ? state.drvLink : state.skbLink) !== undefined) {
    throw new KernelError(EBUSY, "Can't replace active BPF XDP link")
  }
  const current = state[mode]
  if (request.expectedProgId !== undefined && Math.max(0, request.expectedProgId) !== current) {
    throw new KernelError(EEXIST, 'Active program does not match expected')
  }
  if (prog) checkNew(state, request, prog, mode)
  if ((prog?.id ?? 0) !== current && mode === 'drv' && !native) {
    throw new KernelError(EOPNOTSUPP, 'Underlying driver does not support XDP in native mode')
  }
  return mode
}

function checkNew(state: XdpState, request: LinkXdp, prog: HookProg, mode: XdpSlot): void {
  if (request.noReplace === true && state[mode] !== 0) throw new KernelError(EBUSY, 'XDP program already attached')
  if (state[mode === 'drv' ? 'skb' : 'drv'] !== 0) {
    throw new KernelError(EEXIST, "Native and generic XDP can't be active at the same time")
  }
  if (prog.expectedAttachType === ATTACH_TYPE.XDP_DEVMAP) {
    throw new KernelError(EINVAL, 'BPF_XDP_DEVMAP programs can not be attached to a device')
  }
  if (prog.expectedAttachType === ATTACH_TYPE.XDP_CPUMAP) {
    throw new KernelError(EINVAL, 'BPF_XDP_CPUMAP programs can not be attached to a device')
  }
}
