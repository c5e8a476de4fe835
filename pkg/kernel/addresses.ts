// Addresses of devices: net/ipv4/devinet.c, net/ipv6/addrconf.c as far as listings go. One record a device.
import { KernelError } from '../bytes/errors.js'
import type { Address, Link, RtnlRequests } from '../request/rtnl.js'
import type { Json, Store } from '../state/store.js'
import { EADDRNOTAVAIL, EEXIST } from '../uapi/errno.js'

type Row = Omit<Address, 'ifindex' | 'dev'>

const key = (ifindex: number): string => `addr/${ifindex}`

export class Addresses {
  readonly #store: Store
  readonly #links: (dev?: string) => Link[]

  constructor(store: Store, links: (dev?: string) => Link[]) {
    this.#store = store
    this.#links = links
  }

  #rows(ifindex: number): Row[] {
    return [...((this.#store.get(key(ifindex)) as unknown as Row[] | undefined) ?? [])]
  }

  #put(ifindex: number, rows: readonly Row[]): void {
    if (rows.length === 0) this.#store.delete(key(ifindex))
    else this.#store.set(key(ifindex), rows as unknown as Json)
  }

  get(request: RtnlRequests['addr.get'][0]): Address[] {
    return this.#links(request.dev).flatMap(({ ifindex, name }) => this.#rows(ifindex).map((row) => ({ ...row, ifindex, dev: name })))
  }

  add(request: RtnlRequests['addr.new'][0]): void {
    const { dev, replace, ...given } = request
    const { ifindex } = this.#device(dev)
    const rows = this.#rows(ifindex)
    const at = rows.findIndex((row) => same(row, given))
    if (at >= 0 && !replace) {
      throw new KernelError(EEXIST, given.family === 'inet' ? 'ipv4: Address already assigned' : 'ipv6: address already assigned')
    }
    const row: Row = { ...given, scope: given.scope ?? defaultScope(given), ...(given.family === 'inet' ? { label: given.label ?? dev } : {}) }
    rows.splice(at >= 0 ? at : rows.length, at >= 0 ? 1 : 0, row)
    this.#put(ifindex, rows.sort((a, b) => (a.family < b.family ? -1 : a.family > b.family ? 1 : 0)))
  }

  delete(request: RtnlRequests['addr.del'][0]): void {
    const { ifindex } = this.#device(request.dev)
    const rows = this.#rows(ifindex)
    const left = rows.filter((row) => !same(row, request))
    if (left.length === rows.length) {
      throw new KernelError(EADDRNOTAVAIL, request.family === 'inet' ? 'ipv4: Address not found' : 'ipv6: address not found')
    }
    this.#put(ifindex, left)
  }

  /** The device is gone. */
  forget(ifindex: number): void {
    this.#store.delete(key(ifindex))
  }

  #device(dev: string): Link {
    return this.#links(dev)[0]!
  }
}

function same(a: { family: string; local: string; prefixlen: number }, b: { family: string; local: string; prefixlen: number }): boolean {
  return a.family === b.family && a.local === b.local && a.prefixlen === b.prefixlen
}

/** Loopback addresses are of host scope, fe80::/10 of link scope. */
function defaultScope({ local }: { local: string }): string {
  if (local.startsWith('127.') || local === '::1') return 'host'
  return /^fe[89ab]/i.test(local) ? 'link' : 'global'
}
