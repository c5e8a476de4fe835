// The kinds of qdiscs, by TCA_KIND.
import { bpfQdiscKind, savedBpfQdiscKind } from './bpf-qdisc.js'
import { schBpf } from './sch-bpf.js'
import { bfifo, pfifo, pfifoHeadDrop } from './sch-fifo.js'
import { noop, noqueue, pfifoFast } from './sch-generic.js'
import { clsact, ingress } from './sch-ingress.js'
import { mq } from './sch-mq.js'
import type { QdiscKind, SchedEnv } from './types.js'

export const QDISC_KINDS: readonly QdiscKind[] = [pfifo, bfifo, pfifoHeadDrop, pfifoFast, noqueue, mq, ingress, clsact, schBpf]

const byName = new Map(QDISC_KINDS.map((kind) => [kind.kind, kind]))

/** Kinds of the user's view; noop can't be asked for. */
export const qdiscKind = (kind: string, env?: SchedEnv): QdiscKind | undefined => byName.get(kind) ?? (env && bpfQdiscKind(env, kind))

/** What net.core.default_qdisc may name: a kind that works without options, on one queue. */
export function defaultKind(kind: string, env?: SchedEnv): QdiscKind | undefined {
  const found = qdiscKind(kind, env)
  return found && !found.classes && !found.ingress ? found : undefined
}

/** For records, which know noop too. */
export const savedKind = (kind: string, env: SchedEnv): QdiscKind | undefined =>
  (kind === 'noop' ? noop : byName.get(kind) ?? savedBpfQdiscKind(env, kind))
