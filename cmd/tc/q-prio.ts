// pfifo_fast, which tc prints as prio (tc/q_prio.c). It takes no options.
import type { QdiscKind } from './kinds.js'

export const pfifoFast: QdiscKind = {
  kind: 'pfifo_fast',
  print({ out }, options): void {
    const { bands, priomap } = options as { bands: number; priomap: readonly number[] }
    out.uint('bands', 'bands %u ', bands)
    out.array('priomap', () => priomap.forEach((band) => out.uint(null, ' %u', band)), 'priomap')
    out.bool('multiqueue', '', false)
  },
}
