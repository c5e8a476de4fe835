// One device as `ip link show` and the head of `ip addr show` print it (ip/ipaddress.c print_linkinfo, print_linkinfo_brief).
import { AF_PACKET, type Options } from '../../pkg/cli/index.js'
import type { Color, Writer } from '../../pkg/print/index.js'
import type { Link } from '../../pkg/request/rtnl.js'
import { IFF } from '../../pkg/uapi/if.js'
import { AF_UNSPEC } from '../../pkg/units/index.js'
import { linkKind } from './kinds.js'
import { printPhysDevLine, printPhysDevStats, printPhysDevWord } from './link-phys-dev.js'
import { printDequeueLine, printDequeueStats, printDequeueWord } from './link-xdp-dequeue.js'
import { printXdpLines, printXdpMode } from './link-xdp.js'
import { printXpsLine, printXpsStats, printXpsWord } from './link-xps.js'
import { printLinkStats } from './stats.js'

/** What a listing shows: `ip link` tells more of the device than `ip addr` does. */
export type LinkView = {
  readonly isLinkCommand: boolean
  readonly options: Options
  /** The device behind `veth0@veth1`. */
  readonly peer: Link | undefined
}

/** The device's lines, without the last line break. JSON: members of an object that the caller opened. */
export function printLink(w: Writer, link: Link, view: LinkView): void {
  const details = view.options.details > 0
  printFirstLine(w, link, view)
  if (view.isLinkCommand || details || view.options.family === AF_UNSPEC || view.options.family === AF_PACKET) printAddressLine(w, link, details)
  if (details) printDetails(w, link, view)
  if (view.isLinkCommand || details) printPrograms(w, link, details)
  if (view.isLinkCommand && view.options.stats > 0) printStats(w, link, view.options)
}

function printFirstLine(w: Writer, link: Link, view: LinkView): void {
  w.uint('ifindex', '%u: ', link.ifindex)
  printName(w, link, view.peer, '%s: ')
  printFlags(w, link, view.peer)
  w.uint('mtu', 'mtu %u ', link.mtu)
  printXdpMode(w, link, view.options.details > 0, view.isLinkCommand)
  printDequeueWord(w, link, view.options.details > 0)
  printXpsWord(w, link, view.options.details > 0)
  printPhysDevWord(w, link, view.options.details > 0)
  w.string('qdisc', 'qdisc %s ', link.qdisc)
  w.text('state ')
  printOperstate(w, link, '%s ')
  if (view.isLinkCommand) w.string('linkmode', 'mode %s ', link.linkmode)
  w.string('group', 'group %s ', groupName(link.group))
  if (link.txqlen > 0) w.uint('txqlen', 'qlen %u', link.txqlen)
}

const groupName = (group: number): string => (group === 0 ? 'default' : String(group))

/** `veth0@veth1: `; JSON has the other end in a member of its own. */
function printName(w: Writer, link: Link, peer: Link | undefined, plain: string): void {
  if (w.isJson && peer !== undefined) w.string('link', '', peer.name)
  w.shown('ifname', plain, link.name, peer === undefined ? link.name : `${link.name}@${peer.name}`, 'ifname')
}

const SHOWN_FLAGS = Object.entries(IFF).filter(([name]) => name !== 'RUNNING')

function printFlags(w: Writer, link: Link, peer: Link | undefined): void {
  const names = SHOWN_FLAGS.filter(([, bit]) => link.flags & bit).map(([name]) => name)
  if (link.flags & IFF.UP && !(link.flags & IFF.RUNNING)) names.unshift('NO-CARRIER')
  if (peer !== undefined && !(peer.flags & IFF.UP)) names.push('M-DOWN')
  w.array('flags', () => names.forEach((name, i) => w.string(null, i === 0 ? '%s' : ',%s', name)), '<', '> ')
}

function printOperstate(w: Writer, link: Link, plain: string): void {
  const color: Color | undefined = link.operstate === 'UP' ? 'up' : link.operstate === 'DOWN' ? 'down' : undefined
  w.string('operstate', plain, link.operstate, color)
}

function printAddressLine(w: Writer, link: Link, details: boolean): void {
  w.nl()
  w.string('link_type', '    link/%s ', link.type)
  if (link.address !== '') w.string('address', '%s', link.address, 'mac')
  if (link.broadcast !== '') {
    w.text(link.flags & IFF.POINTOPOINT ? ' peer ' : ' brd ')
    w.string('broadcast', '%s', link.broadcast, 'mac')
  }
  if (!details) return
  w.uint('promiscuity', ' promiscuity %u ', link.promiscuity)
  w.uint('allmulti', ' allmulti %u ', link.flags & IFF.ALLMULTI ? 1 : 0)
  w.uint('min_mtu', 'minmtu %u ', link.minMtu)
  w.uint('max_mtu', 'maxmtu %u ', link.maxMtu)
}

/** TSO limits belong to the driver: tun's are those of the stack, the others' the 6.x maximum. */
const tsoMaxSize = (link: Link): number => (link.kind === 'tun' ? 65536 : 524280)

function printDetails(w: Writer, link: Link, view: LinkView): void {
  if (link.kind !== '') {
    w.nl()
    w.object('linkinfo', () => {
      w.string('info_kind', '    %s ', link.kind)
      linkKind(link.kind)?.printDetails?.(w, link)
    })
  }
  if (view.isLinkCommand) w.string('inet6_addr_gen_mode', 'addrgenmode %s ', 'eui64')
  w.uint('num_tx_queues', 'numtxqueues %u ', link.numTxQueues)
  w.uint('num_rx_queues', 'numrxqueues %u ', link.numRxQueues)
  w.uint('gso_max_size', 'gso_max_size %u ', link.gsoMaxSize)
  w.uint('gso_max_segs', 'gso_max_segs %u ', link.gsoMaxSegs)
  w.uint('tso_max_size', 'tso_max_size %u ', tsoMaxSize(link))
  w.uint('tso_max_segs', 'tso_max_segs %u ', 65535)
  w.uint('gro_max_size', 'gro_max_size %u ', 65536)
}

function printPrograms(w: Writer, link: Link, details: boolean): void {
  if (link.alias !== undefined && link.alias !== '') {
    w.nl()
    w.string('ifalias', '    alias %s', link.alias)
  }
  printXdpLines(w, link, details)
  printDequeueLine(w, link, details)
  printXpsLine(w, link, details)
  printPhysDevLine(w, link, details)
  linkKind(link.kind)?.printLines?.(w, link, details)
}

/** The counters; with -s -s also who chose which queue. */
export function printStats(w: Writer, link: Link, options: Options): void {
  if (!w.isJson) w.nl()
  printLinkStats(w, link.stats, { level: options.stats, human: options.human, iec: options.iec })
  if (options.stats < 2) return
  printPhysDevStats(w, link)
  printDequeueStats(w, link)
  printXpsStats(w, link)
}

/** -br: name, state and, for `ip link`, address and flags. */
export function printBrief(w: Writer, link: Link, view: LinkView): void {
  printName(w, link, view.peer, '%-16s ')
  printOperstate(w, link, '%-14s ')
  if (!view.isLinkCommand) return
  if (link.address !== '') w.string('address', '%s ', link.address, 'mac')
  printFlags(w, link, view.peer)
  w.text('\n')
}
