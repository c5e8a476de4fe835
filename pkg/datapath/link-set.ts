// Requests that change a device (net/core/rtnetlink.c: do_setlink; drivers/net/tun.c: tun_set_ebpf).
import { KernelError } from '../bytes/errors.js'
import { checkMtu, checkNicXdp, checkVethXdp, refuseWhenXdp, setAddress, setBroadcast, setFlag, vethXdpLimit } from '../dev/change.js'
import { allocName, validName } from '../dev/names.js'
import type { TunState } from '../dev/tun-state.js'
import { checkPhysDev } from '../dev/phys-dev.js'
import { IFF } from '../dev/types.js'
import { checkDequeue, newDequeueStats } from '../hook/dequeue.js'
import { newPhysDevStats } from '../hook/phys-dev.js'
import { checkTunProg } from '../hook/tun.js'
import { checkXdp } from '../hook/xdp-attach.js'
import { checkXps, newXpsStats } from '../hook/xps.js'
import type { LinkSet, LinkXdp, RtnlRequests } from '../request/rtnl.js'
import { EBADF, EINVAL } from '../uapi/errno.js'
import type { Core } from './core.js'
import type { Links } from './links.js'
import type { Port } from './port.js'

export interface Where {
  readonly core: Core
  readonly links: Links
}

/** RTM_SETLINK, in do_setlink's order. */
export function setLink({ core, links }: Where, request: LinkSet): void {
  const port = links.byName(request.dev)
  const { dev } = port
  if (request.address !== undefined) setAddress(dev, request.address)
  if (request.mtu !== undefined) setMtu(port, request.mtu)
  if (request.group !== undefined) dev.group = request.group
  if (request.name !== undefined) rename(links, port, request.name)
  if (request.alias !== undefined) dev.alias = request.alias === '' ? undefined : request.alias
  if (request.broadcast !== undefined) setBroadcast(dev, request.broadcast)
  setFlags({ core, links }, port, request)
  if (request.txqlen !== undefined) dev.txqlen = request.txqlen
  if (request.xdp) setXdp(core, port, request.xdp)
  if (request.xps) setXps(core, port, request.xps.progId)
  if (request.physDev) setPhysDev(core, port, request.physDev.progId)
  core.refreshStruct(port)
}

function setMtu({ dev }: Port, mtu: number): void {
  if (mtu === dev.mtu) return
  checkMtu(dev, mtu)
  refuseWhenXdp(dev, mtu)
  dev.mtu = mtu
}

function rename(links: Links, port: Port, wanted: string): void {
  if (wanted === port.dev.name) return
  if (!validName(wanted)) throw new KernelError(EINVAL)
  links.rename(port, allocName(wanted, links.taken))
}

function setFlags({ core, links }: Where, port: Port, request: LinkSet): void {
  const { dev } = port
  if (request.promisc !== undefined) setFlag(dev, IFF.PROMISC, request.promisc)
  if (request.arp !== undefined) setFlag(dev, IFF.NOARP, !request.arp)
  if (request.multicast !== undefined) setFlag(dev, IFF.MULTICAST, request.multicast)
  if (request.allmulti !== undefined) setFlag(dev, IFF.ALLMULTI, request.allmulti)
  if (request.up === true && !core.isUp(port)) links.open(port)
  if (request.up === false && core.isUp(port)) links.close(port)
}

function setXdp(core: Core, port: Port, request: LinkXdp): void {
  const { dev } = port
  if (request.mode === 'dequeue') return setDequeue(core, port, request)
  const prog = request.progId < 0 ? undefined : core.host.prog(request.progId)
  if (request.progId >= 0 && !prog) throw new KernelError(EBADF)
  const native = dev.kind.nativeXdp && dev.tun?.mode !== 'tun'
  const mode = checkXdp(dev.xdp, request, prog, native)
  const peer = core.peerOf(dev)
  if (prog && mode === 'drv' && dev.kind.kind === 'veth') checkVethXdp(dev, peer?.dev)
  if (prog && mode === 'drv' && dev.wire) checkNicXdp(dev)
  swap(core, dev.xdp[mode], prog?.id ?? 0)
  dev.xdp[mode] = prog?.id ?? 0
  if (mode === 'drv' && dev.kind.kind === 'veth') vethXdpLimit(peer?.dev, prog !== undefined)
}

function setDequeue(core: Core, { dev }: Port, request: LinkXdp): void {
  const prog = checkDequeue(dev.dequeue, request, (id) => core.host.prog(id))
  swap(core, dev.dequeue?.prog ?? 0, prog)
  dev.dequeue = prog === 0 ? undefined : { prog, stats: newDequeueStats() }
}

/** One program takes another's place; 0: none. */
function swap(core: Core, old: number, now: number): void {
  if (now !== 0) core.host.holdProg(now)
  if (old !== 0) core.host.releaseProg(old)
}

function setXps(core: Core, { dev }: Port, progId: number): void {
  const { host } = core
  checkXps(progId, progId < 0 ? undefined : host.prog(progId), host.strict)
  swap(core, dev.xps?.prog ?? 0, Math.max(0, progId))
  dev.xps = progId < 0 ? undefined : { prog: progId, stats: newXpsStats() }
}

/** The proposal's ndo_bpf_set: the last writer wins. */
function setPhysDev(core: Core, { dev }: Port, progId: number): void {
  const { host } = core
  checkPhysDev(dev, progId, progId < 0 ? undefined : host.prog(progId), host.strict)
  swap(core, dev.physDev?.prog ?? 0, Math.max(0, progId))
  dev.physDev = progId < 0 ? undefined : { prog: progId, stats: newPhysDevStats() }
}

/** TUNSETSTEERINGEBPF */
export function steerTun({ core, links }: Where, { dev, progId, fallback = false }: RtnlRequests['tun.steer'][0]): void {
  const state = tunState(links, dev)
  checkTunProg(progId, core.host.prog(progId))
  swap(core, state.steering, Math.max(0, progId))
  state.steering = Math.max(0, progId)
  state.fallback = progId >= 0 && fallback
}

/** TUNSETFILTEREBPF */
export function filterTun({ core, links }: Where, { dev, progId }: RtnlRequests['tun.filter'][0]): void {
  const state = tunState(links, dev)
  checkTunProg(progId, core.host.prog(progId))
  swap(core, state.filter, Math.max(0, progId))
  state.filter = Math.max(0, progId)
}

function tunState(links: Links, name: string): TunState {
  const { tun } = links.byName(name).dev
  if (!tun) throw new KernelError(EINVAL)
  return tun
}
