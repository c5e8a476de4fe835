// Changes to one device that its own rules decide (net/core/dev.c: dev_validate_mtu, dev_set_mac_address; drivers/net/veth.c:
// veth_xdp_set).
import { KernelError } from '../bytes/errors.js'
import { EBUSY, EINVAL, ENOSPC, ERANGE, EOPNOTSUPP } from '../uapi/errno.js'
import { parseLladdr } from '../units/mac.js'
import { checkUnicast } from './names.js'
import { IFF, type NetDev } from './types.js'

/** dev_validate_mtu */
export function checkMtu(dev: NetDev, mtu: number): void {
  if (mtu < 0 || mtu < dev.minMtu) throw new KernelError(EINVAL, 'mtu less than device minimum')
  if (dev.maxMtu > 0 && mtu > dev.maxMtu) throw new KernelError(EINVAL, 'mtu greater than device maximum')
}

/** IFLA_MTU of a new device: the same limits, without words. */
export function setInitialMtu(dev: NetDev, mtu: number): void {
  if (mtu < dev.minMtu || (dev.maxMtu > 0 && mtu > dev.maxMtu)) throw new KernelError(EINVAL)
  dev.mtu = mtu
}

export function setAddress(dev: NetDev, text: string): void {
  if (dev.address.length === 0) throw new KernelError(EOPNOTSUPP)
  const address = parseLladdr(text)
  if (address?.length !== dev.address.length) throw new KernelError(EINVAL)
  if (dev.kind.anyAddress !== true) checkUnicast(address)
  dev.address = address
}

export function setBroadcast(dev: NetDev, text: string): void {
  const address = parseLladdr(text)
  if (address?.length !== dev.broadcast.length) throw new KernelError(EINVAL)
  dev.broadcast = address
}

/** A flag a user may set; promiscuity follows its flag. */
export function setFlag(dev: NetDev, flag: number, on: boolean): void {
  if (flag === IFF.PROMISC && on !== ((dev.flags & flag) !== 0)) dev.promiscuity += on ? 1 : -1
  dev.flags = on ? dev.flags | flag : dev.flags & ~flag
}

/** What one page holds beside headroom and shared info: the largest frame of native XDP on veth. */
const VETH_XDP_MAX_MTU = 3506

/** veth_xdp_set: the peer's packets must fit one page, and find a queue. */
export function checkVethXdp(dev: NetDev, peer: NetDev | undefined): void {
  if (!peer) return
  if (peer.mtu > VETH_XDP_MAX_MTU) throw new KernelError(ERANGE, 'veth: Peer MTU is too large to set XDP')
  if (dev.realRx < peer.realTx) {
    throw new KernelError(ENOSPC, 'veth: XDP expects number of rx queues not less than peer tx queues')
  }
}

/** While a native program is on a veth, its peer's mtu is limited. */
export function vethXdpLimit(peer: NetDev | undefined, attached: boolean): void {
  if (peer) peer.maxMtu = attached ? VETH_XDP_MAX_MTU : 65535
}

/** mtu above which a frame needs a second page: native XDP and PHYS_DEV refuse. */
export const ONE_PAGE_MTU = 3498

const TOO_LONG = `single-buffer XDP requires MTU less than ${ONE_PAGE_MTU + 1}`

/** A NIC takes a native program only while every frame fits one page. */
export function checkNicXdp(dev: NetDev): void {
  if (dev.mtu > ONE_PAGE_MTU) throw new KernelError(EINVAL, TOO_LONG)
}

/** And keeps its mtu small while it has one. */
export function refuseWhenXdp(dev: NetDev, mtu: number): void {
  if (dev.xdp.drv !== 0 && dev.wire !== undefined && mtu > ONE_PAGE_MTU) throw new KernelError(EBUSY, TOO_LONG)
  if (dev.physDev && mtu > ONE_PAGE_MTU) throw new KernelError(EOPNOTSUPP)
}
