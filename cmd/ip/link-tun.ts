// What `ip -d link show` says of a tun or tap (ip/iptuntap.c, ip/iplink.c print_linktype of kind tun), and its steering and filter programs.
import type { Writer } from '../../pkg/print/index.js'
import type { Link } from '../../pkg/request/rtnl.js'
import { printProg } from '../lib/prog.js'
import type { LinkKind } from './kinds.js'

export const tun: LinkKind = {
  kind: 'tun',
  printDetails(w: Writer, link: Link): void {
    const { tun: state } = link
    if (state === undefined) return
    w.object('info_data', () => {
      w.string('type', 'type %s ', state.mode)
      w.onOff('pi', 'pi %s ', state.pi)
      w.onOff('vnet_hdr', 'vnet_hdr %s ', state.vnetHdr)
      if (state.multiQueue) {
        w.bool('multi_queue', 'multi_queue ', true)
        w.uint('numqueues', 'numqueues %u ', state.numQueues)
        w.uint('numdisabled', 'numdisabled %u ', 0)
      } else w.bool('multi_queue', '', false)
      w.onOff('persist', 'persist %s ', state.persist)
      if (state.user !== undefined) w.uint('user', 'user %u ', state.user)
      if (state.group !== undefined) w.uint('group', 'group %u ', state.group)
    })
  },
  printLines(w: Writer, link: Link, details: boolean): void {
    if (!details) return
    const { steering, filter } = link.tun ?? {}
    if (steering !== undefined) printSteering(w, 'steering', steering.prog, details, steering.fallback)
    if (filter !== undefined) printSteering(w, 'filter', filter.prog, details, false)
  },
}

function printSteering(w: Writer, key: string, prog: Parameters<typeof printProg>[1], details: boolean, fallback: boolean): void {
  if (!w.isJson) w.nl()
  w.object(key, () => {
    w.flag('fallback', `    prog/${key} fallback `, fallback)
    if (!fallback) w.text('    prog/%s ', key)
    printProg(w, prog, details)
  })
}
