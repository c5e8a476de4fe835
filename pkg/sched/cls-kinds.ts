// The kinds of filters, by TCA_KIND.
import type { ClsKind } from './cls-api.js'
import { clsBpf } from './cls-bpf.js'
import { clsU32 } from './cls-u32.js'

const KINDS: readonly ClsKind[] = [clsBpf, clsU32]
const byName = new Map(KINDS.map((kind) => [kind.kind, kind]))

export const clsKind = (kind: string): ClsKind | undefined => byName.get(kind)
