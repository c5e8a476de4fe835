// A device as RTM_GETLINK shows it (net/core/rtnetlink.c: rtnl_fill_ifinfo; the state words of Documentation/networking/operstates.rst).
import type { Link, ProgRef } from '../request/rtnl.js'
import { formatLladdr } from '../units/mac.js'
import { ARPHRD, IFF, type NetDev } from './types.js'

export interface LinkContext {
  /** The other end of a veth is up. */
  peerUp: boolean
  qdisc: string
  prog(id: number): ProgRef
}

/** netif_carrier_ok */
export function carrier(dev: NetDev, peerUp: boolean): boolean {
  if (dev.kind.kind === 'veth') return peerUp && (dev.flags & IFF.UP) !== 0
  return dev.tun ? dev.tun.numQueues > 0 : true
}

/** dev_get_flags: what follows from state added to what was set. */
export function runningFlags(dev: NetDev, peerUp: boolean): number {
  const up = (dev.flags & IFF.UP) !== 0
  return up && carrier(dev, peerUp) ? dev.flags | IFF.RUNNING | IFF.LOWER_UP : dev.flags
}

/** Drivers that never call netif_carrier_on leave the state UNKNOWN. */
function operstate(dev: NetDev, peerUp: boolean): Link['operstate'] {
  if ((dev.flags & IFF.UP) === 0) return 'DOWN'
  if (!carrier(dev, peerUp)) return dev.kind.kind === 'veth' ? 'LOWERLAYERDOWN' : 'DOWN'
  return dev.kind.kind === '' || dev.kind.kind === 'veth' || dev.tun ? 'UP' : 'UNKNOWN'
}

const typeWord = (type: number): string => (type === ARPHRD.LOOPBACK ? 'loopback' : type === ARPHRD.NONE ? 'none' : 'ether')

export function linkInfo(dev: NetDev, context: LinkContext): Link {
  const { type } = dev.kind.defaults(dev.tun ? { tun: dev.tun } : {})
  return {
    ifindex: dev.ifindex, name: dev.name, kind: dev.kind.kind === 'lo' ? '' : dev.kind.kind, flags: runningFlags(dev, context.peerUp),
    mtu: dev.mtu, qdisc: context.qdisc, operstate: operstate(dev, context.peerUp), linkmode: 'DEFAULT', group: dev.group,
    txqlen: dev.txqlen, type: typeWord(type), address: formatLladdr(dev.address), broadcast: formatLladdr(dev.broadcast),
    minMtu: dev.minMtu, maxMtu: dev.maxMtu, promiscuity: dev.promiscuity, numTxQueues: dev.numTx, numRxQueues: dev.numRx,
    realNumTxQueues: dev.realTx, realNumRxQueues: dev.realRx, gsoMaxSize: 65536, gsoMaxSegs: 65535,
    ...(dev.peer === 0 ? {} : { peerIfindex: dev.peer }), ...(dev.alias === undefined ? {} : { alias: dev.alias }),
    stats: { ...dev.stats }, ...xdpInfo(dev, context), ...xpsInfo(dev, context), ...physDevInfo(dev, context), ...dequeueInfo(dev, context),
    txQueues: dev.tx.slice(0, dev.realTx).map(({ packets, bytes }) => ({ packets, bytes })), ...tunInfo(dev, context),
  }
}

function xpsInfo({ xps }: NetDev, context: LinkContext): Pick<Link, 'xps'> {
  return xps ? { xps: { prog: context.prog(xps.prog), stats: { ...xps.stats } } } : {}
}

function physDevInfo({ physDev }: NetDev, context: LinkContext): Pick<Link, 'physDev'> {
  return physDev ? { physDev: { prog: context.prog(physDev.prog), stats: { ...physDev.stats } } } : {}
}

function dequeueInfo({ dequeue }: NetDev, context: LinkContext): Pick<Link, 'xdpDequeue'> {
  return dequeue ? { xdpDequeue: { prog: context.prog(dequeue.prog), stats: { ...dequeue.stats } } } : {}
}

function xdpInfo(dev: NetDev, context: LinkContext): Pick<Link, 'xdp'> {
  const modes = (['drv', 'skb'] as const).filter((mode) => dev.xdp[mode] !== 0)
  const progs = modes.map((mode) => ({ mode, prog: context.prog(dev.xdp[mode]) }))
  const [first, second] = progs
  return first ? { xdp: { mode: second ? 'multi' : first.mode, progs } } : {}
}

function tunInfo(dev: NetDev, context: LinkContext): Pick<Link, 'tun'> {
  const { tun } = dev
  if (!tun) return {}
  return {
    tun: {
      mode: tun.mode, pi: tun.pi, vnetHdr: tun.vnetHdr, multiQueue: tun.multiQueue, numQueues: tun.numQueues, persist: tun.persist,
      ...(tun.user === undefined ? {} : { user: tun.user }), ...(tun.group === undefined ? {} : { group: tun.group }),
      ...(tun.steering === 0 ? {} : { steering: { prog: context.prog(tun.steering), fallback: tun.fallback } }),
      ...(tun.filter === 0 ? {} : { filter: { prog: context.prog(tun.filter) } }),
    },
  }
}
