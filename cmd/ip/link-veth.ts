// `type veth peer …` (ip/link_veth.c): the other end takes the words of a device of its own.
import { InputError } from '../../pkg/bytes/errors.js'
import { grammar, nested } from '../../pkg/grammar/index.js'
import type { LinkKind } from './kinds.js'
import { newLinkRows, type NewLinkWords } from './link-words.js'

const USAGE = "Usage: ip link <options> type veth [peer <options>]\nTo get <options> type 'ip link add help'"

export type VethWords = { peer?: NewLinkWords }

export const veth: LinkKind = {
  kind: 'veth',
  options: nested(grammar<VethWords>({
    name: 'ip link add type veth', match: 'whole', unknown: () => new InputError(USAGE, 1), rows: [
      { word: 'peer', into: 'peer', once: true, sub: nested(grammar<NewLinkWords>({ name: 'ip link add type veth peer', match: 'whole', rows: newLinkRows })) },
    ],
  })),
}
