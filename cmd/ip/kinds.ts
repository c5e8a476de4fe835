// Kinds of device, one record each, as ip's struct link_util: words after `type KIND`, what -d shows. A kind that isn't here has neither.
import type { Grammar } from '../../pkg/grammar/index.js'
import type { Writer } from '../../pkg/print/index.js'
import type { Link } from '../../pkg/request/rtnl.js'
import { dummy } from './link-dummy.js'
import { ifb } from './link-ifb.js'
import { tun } from './link-tun.js'
import { veth } from './link-veth.js'

export type LinkKind = {
  readonly kind: string
  readonly options?: Grammar<never>
  /** On the kind's own line of -d. */
  readonly printDetails?: (w: Writer, link: Link) => void
  /** Lines of its own, after alias and programs. */
  readonly printLines?: (w: Writer, link: Link, details: boolean) => void
}

/** A function, since veth's words include those of every kind's device. */
export const linkKinds = (): readonly LinkKind[] => [dummy, ifb, tun, veth]

export const linkKind = (kind: string): LinkKind | undefined => linkKinds().find((one) => one.kind === kind)
