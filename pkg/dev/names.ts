// Names and addresses of devices (net/core/dev.c: dev_valid_name, __dev_alloc_name; include/linux/etherdevice.h).
import { KernelError } from '../bytes/errors.js'
import { EADDRNOTAVAIL, EEXIST, EINVAL, ENFILE } from '../uapi/errno.js'

const IFNAMSIZ = 16

/** dev_valid_name */
export function validName(name: string): boolean {
  const bytes = new TextEncoder().encode(name).length
  return bytes > 0 && bytes < IFNAMSIZ && name !== '.' && name !== '..' && !/[/:\s]/.test(name)
}

/** The name a request means: itself when free, or the first free number for its %d. */
export function allocName(wanted: string, taken: (name: string) => boolean): string {
  if (new TextEncoder().encode(wanted).length >= IFNAMSIZ) throw new KernelError(EINVAL, 'Attribute failed policy validation')
  if (!validName(wanted)) throw new KernelError(EINVAL)
  if (!wanted.includes('%')) {
    if (taken(wanted)) throw new KernelError(EEXIST)
    return wanted
  }
  const at = wanted.indexOf('%')
  if (wanted[at + 1] !== 'd' || wanted.includes('%', at + 1)) throw new KernelError(EINVAL)
  for (let n = 0; n < 32768; n += 1) {
    const name = wanted.slice(0, at) + n + wanted.slice(at + 2)
    if (!validName(name)) break
    if (!taken(name)) return name
  }
  throw new KernelError(ENFILE)
}

/** eth0 and eth1 have these addresses in every machine. */
export const FIXED_MAC: Record<string, Uint8Array> = {
  eth0: Uint8Array.of(0x52, 0x54, 0, 0, 0, 1),
  eth1: Uint8Array.of(0x52, 0x54, 0, 0, 0, 2),
}

/** A locally administered unicast address, the same for the same ifindex in every machine. */
export function deterministicMac(ifindex: number): Uint8Array {
  const mac = new Uint8Array(6)
  let x = Math.imul(ifindex, 0x9e3779b1) ^ 0x6d2b79f5
  for (let i = 0; i < 6; i += 1) {
    x = Math.imul(x ^ (x >>> 15), 0x85ebca6b) + i
    mac[i] = (x >>> 16) & 0xff
  }
  mac[0] = (mac[0]! & 0xfe) | 0x02
  return mac
}

/** eth_validate_addr: neither multicast nor all zero. */
export function checkUnicast(address: Uint8Array): void {
  if ((address[0]! & 1) !== 0 || address.every((byte) => byte === 0)) throw new KernelError(EADDRNOTAVAIL)
}
