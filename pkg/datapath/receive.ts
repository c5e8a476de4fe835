// The receive path of a frame: early filter, native XDP, the skb, generic XDP (R1 to R4 of the walk in README.md; net/core/dev.c:
// __netif_receive_skb_core).
import { REDIRECTED } from '../dev/ifb.js'
import { prepareXdp, runXdp, xdpMetaLen } from '../hook/xdp.js'
import { NOTE_NONE } from '../hook/types.js'
import { XDP } from '../uapi/bpf.js'
import { ETH_HLEN, ETH_P_8021AD, ETH_P_8021Q } from '../skb/flow.js'
import { etherType, packetType, PACKET } from '../skb/eth-type.js'
import { SKB } from '../skb/layout.js'
import { PRIV } from '../skb/skb.js'
import type { Core } from './core.js'
import { deliver } from './deliver.js'
import { ingress } from './ingress.js'
import { runPhysDev } from './phys-dev.js'
import type { Port } from './port.js'
import { redirectFrame, redirectGeneric, xdpTransmit } from './redirect.js'
import { xmitDirect } from './xmit.js'

/** A driver's poll has the frame: R1, R2, then the stack. */
export function receiveFrame(core: Core, port: Port, skb: number, queue: number): void {
  const { dev } = port
  if (dev.physDev && !runPhysDev(core, port, skb)) return
  const len = core.skbs.len(skb)
  dev.stats.rxPackets += 1
  dev.stats.rxBytes += len
  if (dev.xdp.drv !== 0 && !nativeXdp(core, port, skb, queue)) return
  buildSkb(core, port, skb, queue)
  netifReceive(core, port, skb)
}

/** Runs the native program; true: the frame goes on. */
function nativeXdp(core: Core, port: Port, skb: number, queue: number): boolean {
  const prog = core.host.prog(port.dev.xdp.drv)
  if (!prog) return true
  core.host.note.kind = NOTE_NONE
  prepareXdp(core.skbs, skb, core.devStruct(port), queue)
  const action = runXdp(core.skbs, skb, prog)
  if (core.trace) core.step(skb, port.dev, 'xdp', `${actionName(action)} prog ${prog.id}`)
  switch (action) {
    case XDP.PASS:
      core.skbs.set32(skb, PRIV.meta, xdpMetaLen(core.skbs))
      return true
    case XDP.TX:
      xdpTransmit(core, port, skb, 'XDP_TX')
      return false
    case XDP.REDIRECT:
      redirectFrame(core, port, skb)
      return false
    default:
      dropXdp(core, port, skb, action)
      return false
  }
}

/** XDP_DROP, XDP_ABORTED, and codes nobody knows, which count as aborted. */
export function dropXdp(core: Core, port: Port, skb: number, action: number): void {
  if (action > XDP.REDIRECT) core.host.log(`Illegal XDP return value ${action}, expect packet loss!`)
  core.drop(skb, port.dev, action === XDP.DROP ? 'XDP_DROP' : 'XDP_ABORTED')
}

const actionName = (action: number): string => ['XDP_ABORTED', 'XDP_DROP', 'XDP_PASS', 'XDP_TX', 'XDP_REDIRECT'][action] ?? `XDP ${action}`

/** R3: what a driver fills in before it hands the skb up (eth_type_trans). */
export function buildSkb(core: Core, port: Port, skb: number, queue: number): void {
  const { skbs } = core
  core.setDev(skb, port)
  skbs.set16(skb, SKB.queue_mapping, queue + 1)
  skbs.set32(skb, SKB.skb_iif, port.dev.ifindex)
  if (port.dev.address.length === 0) rawHeader(core, skb)
  else ethTypeTrans(core, port, skb)
}

/** A tun device has no link header: the version nibble says what it is. */
function rawHeader(core: Core, skb: number): void {
  const { skbs } = core
  const data = skbs.data(skb)
  const offset = data - skbs.head(skb)
  skbs.set16(skb, SKB.mac_header, offset)
  skbs.set16(skb, SKB.network_header, offset)
  skbs.set16(skb, SKB.mac_len, 0)
  skbs.set16(skb, SKB.protocol, skbs.u8[data]! >> 4 === 6 ? 0xdd86 : 0x0008)
}

export function ethTypeTrans(core: Core, port: Port, skb: number): void {
  const { skbs } = core
  const { u8 } = skbs
  const data = skbs.data(skb)
  skbs.set16(skb, SKB.mac_header, data - skbs.head(skb))
  const type = packetType(u8, data, port.dev)
  if (type === PACKET.MULTICAST) port.dev.stats.rxMulticast += 1
  u8[skb + SKB.pkt_type] = (u8[skb + SKB.pkt_type]! & ~7) | type
  skbs.set16(skb, SKB.protocol, skbs.len(skb) < ETH_HLEN ? 0 : etherType(u8, data, skbs.len(skb)))
  skbs.pull(skb, Math.min(ETH_HLEN, skbs.len(skb)))
  skbs.set16(skb, SKB.network_header, skbs.data(skb) - skbs.head(skb))
  skbs.set16(skb, SKB.mac_len, skbs.data(skb) - data)
}

/** __netif_receive_skb_core: generic XDP, taps, VLAN, ingress, the stack. */
export function netifReceive(core: Core, port: Port, skb: number): void {
  if (!core.isUp(port)) {
    port.dev.stats.rxDropped += 1
    return core.drop(skb, port.dev, 'DEV_READY')
  }
  if (port.dev.xdp.skb !== 0 && !genericXdp(core, port, skb)) return
  tap(core, port, skb)
  vlanUntag(core, skb)
  if (ingress(core, port, skb)) deliver(core, port, skb)
}

function tap(core: Core, port: Port, skb: number): void {
  if (core.captures.length === 0) return
  const macLen = core.skbs.get16(skb, SKB.mac_len)
  core.skbs.push(skb, macLen)
  core.capture(port, skb, 'rx', core.clock.now)
  core.skbs.pull(skb, macLen)
}

/** do_xdp_generic: the program sees the frame from its Ethernet header; true: it goes on. */
function genericXdp(core: Core, port: Port, skb: number): boolean {
  const { skbs } = core
  const prog = core.host.prog(port.dev.xdp.skb)
  // What a cpumap brought back has been through it (skb_is_redirected).
  if (!prog || (skbs.u8[skb + SKB.redirected]! & REDIRECTED.redirected) !== 0) return true
  const macLen = skbs.get16(skb, SKB.mac_len)
  skbs.push(skb, macLen)
  core.host.note.kind = NOTE_NONE
  prepareXdp(skbs, skb, core.devStruct(port), Math.max(0, skbs.get16(skb, SKB.queue_mapping) - 1), skbs.get32(skb, PRIV.meta))
  const action = runXdp(skbs, skb, prog)
  if (core.trace) core.step(skb, port.dev, 'xdpgeneric', `${actionName(action)} prog ${prog.id}`)
  switch (action) {
    case XDP.PASS:
      skbs.set32(skb, PRIV.meta, xdpMetaLen(skbs))
      if (macLen === 0) rawHeader(core, skb)
      else ethTypeTrans(core, port, skb)
      return true
    case XDP.TX:
      xmitDirect(core, port, skb)
      return false
    case XDP.REDIRECT:
      redirectGeneric(core, port, skb)
      return false
    default:
      dropXdp(core, port, skb, action)
      return false
  }
}

/** skb_vlan_untag: the outer tag moves from the frame into the skb. */
function vlanUntag(core: Core, skb: number): void {
  const { skbs } = core
  const { u8 } = skbs
  const proto = (u8[skb + SKB.protocol]! << 8) | u8[skb + SKB.protocol + 1]!
  if ((proto !== ETH_P_8021Q && proto !== ETH_P_8021AD) || skbs.len(skb) < 4 || skbs.get16(skb, SKB.vlan_proto) !== 0) return
  const data = skbs.data(skb)
  const mac = skbs.head(skb) + skbs.get16(skb, SKB.mac_header)
  skbs.set16(skb, SKB.vlan_proto, skbs.get16(skb, SKB.protocol))
  skbs.set16(skb, SKB.vlan_tci, (u8[data]! << 8) | u8[data + 1]!)
  u8[skb + SKB.protocol] = u8[data + 2]!
  u8[skb + SKB.protocol + 1] = u8[data + 3]!
  u8.copyWithin(mac + 4, mac, mac + 12)
  skbs.pull(skb, 4)
  skbs.set16(skb, SKB.mac_header, mac + 4 - skbs.head(skb))
  skbs.set16(skb, SKB.network_header, skbs.data(skb) - skbs.head(skb))
}
