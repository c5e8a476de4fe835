// Which device takes a PHYS_DEV program (the PHYS_DEV RFC of 2016).
import { KernelError } from '../bytes/errors.js'
import type { HookProg } from '../hook/types.js'
import { EBADF, EINVAL, EOPNOTSUPP } from '../uapi/errno.js'
import { RFC_PROG_TYPE } from '../uapi/rfc.js'
import { ONE_PAGE_MTU } from './change.js'
import type { NetDev } from './types.js'

/** The driver's own entry decides, then the program. progId -1: none. As posted, drivers of software devices have no entry. */
export function checkPhysDev(dev: NetDev, progId: number, prog: HookProg | undefined, strict: boolean): void {
  const entry = dev.kind.physDev === 'always' || (dev.kind.physDev === 'lax' && !strict && dev.tun?.mode !== 'tun')
  if (!entry) throw new KernelError(EOPNOTSUPP)
  if (progId < 0) return
  if (!prog) throw new KernelError(EBADF)
  if (prog.type !== RFC_PROG_TYPE.PHYS_DEV) throw new KernelError(EINVAL)
  if (dev.mtu > ONE_PAGE_MTU) throw new KernelError(EOPNOTSUPP)
}
