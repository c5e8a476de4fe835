// Intermediate functional block: no words of its own.
import type { LinkKind } from './kinds.js'

export const ifb: LinkKind = { kind: 'ifb' }
