// Devices by name, as lib/ll_map.c finds them, and the sentences about one that isn't there.
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import { noDevice } from '../../pkg/grammar/index.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import type { Link } from '../../pkg/request/rtnl.js'
import { ENODEV } from '../../pkg/uapi/errno.js'

/** The device; undefined when there is none of that name. */
export function findDevice(kernel: Kernel, dev: string): Link | undefined {
  try {
    return kernel.request('link.get', { dev })[0]
  } catch (error) {
    if (error instanceof KernelError && error.errno === ENODEV) return undefined
    throw error
  }
}

/** The device, or 'Cannot find device'. */
export function device(kernel: Kernel, dev: string): Link {
  const link = findDevice(kernel, dev)
  if (link === undefined) throw noDevice(dev)
  return link
}

/** The device, or what `show` commands of ip say. */
export function shownDevice(kernel: Kernel, dev: string): Link {
  const link = findDevice(kernel, dev)
  if (link === undefined) throw new InputError(`Device "${dev}" does not exist.`, 1)
  return link
}
