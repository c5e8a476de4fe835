// The words that describe a device, for `ip link add` and for veth's other end (ip/iplink.c iplink_parse).
import { InputError } from '../../pkg/bytes/errors.js'
import { DEVICE, EXIT_USAGE, IFNAME, LLADDR, string, u32, type Row, type Type } from '../../pkg/grammar/index.js'
import type { LinkNew } from '../../pkg/request/rtnl.js'
import { IFALIASZ } from '../../pkg/uapi/if.js'
import { formatLladdr, parseUnsigned } from '../../pkg/units/index.js'

export type NewLinkWords = {
  dev?: string
  name?: string
  txqlen?: number
  address?: Uint8Array
  broadcast?: Uint8Array
  mtu?: number
  numTxQueues?: number
  numRxQueues?: number
  group?: number
  alias?: string
  up?: boolean
  index?: number
  netns?: string
  link?: string
}

/** rt_group's one name, or a number. */
export const GROUP: Type<number> = { name: 'GROUP', parse: (text) => (text === 'default' ? 0 : parseUnsigned(text)) }

export const ALIAS: Type<string> = {
  name: 'NAME', parse: (text) => (text.length < IFALIASZ ? text : undefined),
  wrong: (text) => new InputError(`Error: argument "${text}" is wrong: alias too long\n`, EXIT_USAGE),
}

export const newLinkRows: readonly Row<NewLinkWords>[] = [
  { word: 'up', into: 'up' },
  { word: 'down', into: 'up', value: false },
  { word: 'link', type: DEVICE, into: 'link', unsupported: true },
  { word: 'name', type: IFNAME, into: 'name', once: true },
  { word: 'index', type: u32('IDX'), into: 'index', unsupported: true },
  { word: 'address', type: LLADDR, into: 'address' },
  { word: 'broadcast', aliases: ['brd'], type: LLADDR, into: 'broadcast', unsupported: true },
  { word: 'txqueuelen', aliases: ['qlen', 'txqlen'], type: u32('PACKETS'), into: 'txqlen', once: true },
  { word: 'mtu', type: u32('MTU'), into: 'mtu', once: true },
  { word: 'netns', type: string('NAME'), into: 'netns', unsupported: true },
  { word: 'alias', type: ALIAS, into: 'alias' },
  { word: 'group', type: GROUP, into: 'group' },
  { word: 'numtxqueues', type: u32('QUEUE_COUNT'), into: 'numTxQueues', once: true },
  { word: 'numrxqueues', type: u32('QUEUE_COUNT'), into: 'numRxQueues', once: true },
  { word: 'dev', type: IFNAME, into: 'dev', bare: true, once: 'either' },
]

/** The words as request fields; a name comes with `name` or bare, not both. */
export function newLinkRequest(words: NewLinkWords): Omit<LinkNew, 'kind' | 'peer'> {
  const { dev, name, address, txqlen, mtu, numTxQueues, numRxQueues, group, alias, up } = words
  if (dev !== undefined && name !== undefined) throw new InputError('both "name" and "dev" cannot be used when creating devices.', EXIT_USAGE)
  const request = { name: name ?? dev, txqlen, mtu, numTxQueues, numRxQueues, group, alias, up, address: address && formatLladdr(address) }
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined))
}
