// The devices of the machine: found, made, opened, closed and removed (net/core/rtnetlink.c: rtnl_newlink, rtnl_dellink; net/core/dev.c:
// __dev_open, __dev_close; drivers/net/tun.c: tun_set_iff).
import { KernelError, must } from '../bytes/errors.js'
import { setAddress, setFlag, setInitialMtu } from '../dev/change.js'
import { linkInfo } from '../dev/info.js'
import { devKind } from '../dev/kinds.js'
import { lo } from '../dev/lo.js'
import { allocName, deterministicMac, FIXED_MAC } from '../dev/names.js'
import { createNetDev, type NetDevInit } from '../dev/netdev.js'
import { nic } from '../dev/nic.js'
import { MAX_TAP_QUEUES, type TunState } from '../dev/tun-state.js'
import { tun as tunKind, tunQueues } from '../dev/tun.js'
import { IFF, type DevKind } from '../dev/types.js'
import type { Link, LinkNew, RtnlRequests } from '../request/rtnl.js'
import { activateDev, deactivateDev, shutdownDev } from '../sched/activate.js'
import { E2BIG, EBUSY, EINVAL, ENODEV, EOPNOTSUPP } from '../uapi/errno.js'
import { dropBulk } from './bulk.js'
import type { Core } from './core.js'
import type { Port } from './port.js'
import { allIfindexes, newPort, type NetRecord } from './state.js'

const MAX_QUEUES = 4096

export class Links {
  readonly #core: Core
  readonly #net: NetRecord

  constructor(core: Core, net: NetRecord) {
    this.#core = core
    this.#net = net
  }

  /** The device of that name; ENODEV when there is none. */
  byName(name: string): Port {
    const port = this.find(name)
    if (!port) throw new KernelError(ENODEV)
    return port
  }

  find(name: string): Port | undefined {
    const ifindex = this.#core.names.get(name) ?? (this.#core.host.records.get(`devname/${name}`) as number | undefined)
    const port = ifindex === undefined || ifindex === 0 ? undefined : this.#core.port(ifindex)
    return port?.dev.name === name ? port : undefined
  }

  all(): Port[] {
    return allIfindexes(this.#core).map((ifindex) => must(this.#core.port(ifindex), `device ${ifindex}`))
  }

  info(port: Port): Link {
    return linkInfo(port.dev, {
      peerUp: this.#core.peerUp(port.dev), qdisc: port.sched.root.kind.kind, prog: (id) => this.#core.host.progRef(id),
    })
  }

  get(request: RtnlRequests['link.get'][0]): Link[] {
    const { dev, ifindex, kind, up } = request
    if (ifindex !== undefined && dev === undefined) {
      const port = this.#core.port(ifindex)
      if (!port) throw new KernelError(ENODEV)
      return [this.info(port)]
    }
    const ports = dev === undefined ? this.all() : [this.byName(dev)]
    return ports
      .filter((port) => kind === undefined || port.dev.kind.kind === kind)
      .filter((port) => up !== true || this.#core.isUp(port))
      .map((port) => this.info(port))
  }

  // Making devices.

  /** A new machine: lo, and unless bare two NICs; all up unless bare. */
  createDefaults(bare: boolean): void {
    const loop = this.#register(lo, 'lo', {})
    if (bare) return
    this.open(loop)
    for (const name of ['eth0', 'eth1']) this.open(this.#register(nic, name, { address: FIXED_MAC[name]! }))
  }

  #register(kind: DevKind, name: string, init: Partial<NetDevInit>): Port {
    const core = this.#core
    const ifindex = this.#net.nextIfindex
    this.#net.nextIfindex += 1
    const { hasAddress } = kind.defaults(init.tun ? { tun: init.tun } : {})
    const address = hasAddress ? { address: deterministicMac(ifindex) } : {}
    const dev = createNetDev({ ifindex, kind, name, addr: 0, cpus: core.host.cpus, ...address, ...init })
    const port = newPort(core, dev)
    core.ports.set(ifindex, port)
    this.rename(port, name)
    return port
  }

  rename(port: Port, name: string): void {
    const core = this.#core
    if (port.dev.name !== name) core.names.set(port.dev.name, 0)
    port.dev.name = name
    core.names.set(name, port.dev.ifindex)
  }

  readonly taken = (name: string): boolean => this.find(name) !== undefined

  create(request: LinkNew): { ifindex: number; name: string } {
    const kind = devKind(request.kind)
    if (request.kind === 'tun') throw new KernelError(EOPNOTSUPP, 'tun/tap creation via rtnetlink is not supported.')
    if (!kind?.creatable) throw new KernelError(EOPNOTSUPP, 'Unknown device type')
    checkQueues(request.numTxQueues, 'transmit')
    checkQueues(request.numRxQueues, 'receive')
    const port = kind.kind === 'veth' ? this.#createVeth(kind, request) : this.#createOne(kind, request, `${kind.kind}%d`, this.taken)
    return { ifindex: port.dev.ifindex, name: port.dev.name }
  }

  #createOne(kind: DevKind, request: Omit<LinkNew, 'kind' | 'peer'>, pattern: string, taken: (name: string) => boolean): Port {
    const name = allocName(request.name ?? pattern, taken)
    this.#tryOut(kind, request)
    const port = this.#register(kind, name, {
      ...(request.numTxQueues === undefined ? {} : { numTx: request.numTxQueues }),
      ...(request.numRxQueues === undefined ? {} : { numRx: request.numRxQueues }),
    })
    configure(port, request)
    if (request.up === true) this.open(port)
    return port
  }

  /** Refuses what configure would refuse, before anything is made. */
  #tryOut(kind: DevKind, request: Omit<LinkNew, 'kind' | 'peer'>): void {
    configure({ dev: createNetDev({ ifindex: 0, kind, name: '', addr: 0, cpus: 1 }) } as Port, request)
  }

  /** veth_newlink: the peer comes first, and without words of its own takes over the other's. */
  #createVeth(kind: DevKind, request: LinkNew): Port {
    const { peer, name, mtu, txqlen, group, numTxQueues, numRxQueues } = request
    const shared = {
      ...(mtu === undefined ? {} : { mtu }), ...(txqlen === undefined ? {} : { txqlen }), ...(group === undefined ? {} : { group }),
      ...(numTxQueues === undefined ? {} : { numTxQueues }), ...(numRxQueues === undefined ? {} : { numRxQueues }),
    }
    const words: Omit<LinkNew, 'peer' | 'kind'> = peer ?? shared
    if (name !== undefined) allocName(name, (other) => this.taken(other) || other === words.name)
    this.#tryOut(kind, request)
    const other = this.#createOne(kind, words, 'veth%d', this.taken)
    const port = this.#createOne(kind, { ...request, up: false }, 'veth%d', this.taken)
    port.dev.peer = other.dev.ifindex
    other.dev.peer = port.dev.ifindex
    if (request.up === true) this.open(port)
    return port
  }

  tunAdd(request: RtnlRequests['tun.add'][0]): void {
    const { name, mode, pi = false, vnetHdr = false, multiQueue = false } = request
    if (this.taken(name)) throw new KernelError(EBUSY)
    const numQueues = request.queues ?? 1
    if (numQueues > (multiQueue ? MAX_TAP_QUEUES : 1)) throw new KernelError(E2BIG)
    if (numQueues < 1) throw new KernelError(EINVAL)
    const state: TunState = {
      mode, pi, vnetHdr, multiQueue, numQueues, persist: true, steering: 0, fallback: false, filter: 0, flows: new Map(),
      ...(request.user === undefined ? {} : { user: request.user }), ...(request.group === undefined ? {} : { group: request.group }),
    }
    const allocated = tunQueues(multiQueue)
    this.#register(tunKind, allocName(name === '' ? `${mode}%d` : name, this.taken), {
      tun: state, numTx: allocated, numRx: allocated, realTx: numQueues, realRx: numQueues,
    })
  }

  /** ip tuntap del opens the device first, which makes a missing one: so that is success. */
  tunDel(request: RtnlRequests['tun.del'][0]): void {
    const port = this.find(request.name)
    if (!port) return
    if (port.dev.tun?.mode !== request.mode) throw new KernelError(EINVAL)
    this.#remove(port)
  }

  // Up and down.

  /** __dev_open */
  open(port: Port): void {
    setFlag(port.dev, IFF.UP, true)
    activateDev(port.sched, this.#core.host.defaultQdisc())
    this.#core.refreshStruct(port)
    const peer = this.#core.peerOf(port.dev)
    if (peer) this.#core.refreshStruct(peer)
  }

  /** __dev_close: what waits anywhere in the device is gone. */
  close(port: Port): void {
    const core = this.#core
    setFlag(port.dev, IFF.UP, false)
    deactivateDev(port.sched)
    for (let skb = port.ring.shift(); skb !== 0; skb = port.ring.shift()) core.drop(skb, port.dev, 'DEV_READY')
    dropBulk(core, port)
    port.inRing = 0
    for (const queue of port.dev.tx) queue.stopped = false
    core.clock.cancel(port.wireTimer)
    const peer = core.peerOf(port.dev)
    if (peer) core.refreshStruct(peer)
  }

  // Removing them.

  delete(request: RtnlRequests['link.del'][0]): void {
    const port = this.byName(request.dev)
    if (!port.dev.kind.deletable) throw new KernelError(EOPNOTSUPP)
    const peer = this.#core.peerOf(port.dev)
    if (peer) this.#remove(peer)
    this.#remove(port)
  }

  #remove(port: Port): void {
    const core = this.#core
    const { dev } = port
    if (core.isUp(port)) this.close(port)
    shutdownDev(port.sched)
    const attached = [dev.xdp.drv, dev.xdp.skb, dev.xps?.prog, dev.physDev?.prog, dev.dequeue?.prog, dev.tun?.steering, dev.tun?.filter]
    for (const id of attached) if (id) core.host.releaseProg(id)
    core.clock.forget(port.wireTimer)
    core.captures = core.captures.filter((capture) => capture.ifindex !== dev.ifindex)
    core.names.set(dev.name, 0)
    core.gone.add(dev.ifindex)
    core.ports.delete(dev.ifindex)
  }
}

function checkQueues(n: number | undefined, which: 'transmit' | 'receive'): void {
  if (n !== undefined && (n < 1 || n > MAX_QUEUES)) throw new KernelError(EINVAL, `Invalid number of ${which} queues`)
}

/** rtnl_create_link's share of the attributes. */
function configure({ dev }: Port, request: Omit<LinkNew, 'kind' | 'peer'>): void {
  if (request.mtu !== undefined) setInitialMtu(dev, request.mtu)
  if (request.address !== undefined) setAddress(dev, request.address)
  if (request.txqlen !== undefined) dev.txqlen = request.txqlen
  if (request.group !== undefined) dev.group = request.group
}
