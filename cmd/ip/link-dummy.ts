// ip/iplink_dummy.c
import type { LinkKind } from './kinds.js'

export const dummy: LinkKind = { kind: 'dummy' }
