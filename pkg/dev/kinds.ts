// The kinds of devices, by IFLA_INFO_KIND.
import { dummy } from './dummy.js'
import { ifb } from './ifb.js'
import { lo } from './lo.js'
import { nic } from './nic.js'
import { tun } from './tun.js'
import type { DevKind } from './types.js'
import { veth } from './veth.js'

export const DEV_KINDS: readonly DevKind[] = [lo, nic, veth, tun, ifb, dummy]

const byName = new Map(DEV_KINDS.map((kind) => [kind.kind, kind]))

export const devKind = (kind: string): DevKind | undefined => byName.get(kind)
