// ingress and clsact (net/sched/sch_ingress.c): no queue, only places for filters.
import { KernelError } from '../bytes/errors.js'
import { EINVAL } from '../uapi/errno.js'
import { TC_H_INGRESS } from '../units/handle.js'
import { flushBlock, newBlock, restoreBlock, saveBlock, type Block, type BlockRecord } from './cls-api.js'
import type { Qdisc, QdiscKind } from './types.js'

/** Filters of both directions; ingress has but one. */
export interface ClsactPriv {
  ingress: Block
  egress: Block | undefined
}

export const clsactPriv = (q: Qdisc): ClsactPriv => q.priv as ClsactPriv

function ingressKind(kind: string, egress: boolean): QdiscKind {
  return {
    kind,
    ingress: true,
    init(q) {
      if (q.parent !== TC_H_INGRESS) throw new KernelError(EINVAL)
      q.priv = { ingress: newBlock(), egress: egress ? newBlock() : undefined } satisfies ClsactPriv
    },
    enqueue: () => {
      throw new Error(`${kind} has no queue`)
    },
    dequeue: () => 0,
    peek: () => 0,
    reset() {},
    destroy(q) {
      flushBlock(q.port.env, clsactPriv(q).ingress)
      if (clsactPriv(q).egress) flushBlock(q.port.env, clsactPriv(q).egress!)
    },
    save: (q) => ({
      ingress: saveBlock(clsactPriv(q).ingress), ...(clsactPriv(q).egress ? { egress: saveBlock(clsactPriv(q).egress!) } : {}),
    }),
    restore(q, record) {
      const saved = record as { ingress: BlockRecord; egress?: BlockRecord }
      q.priv = { ingress: restoreBlock(saved.ingress), egress: saved.egress ? restoreBlock(saved.egress) : undefined }
    },
  }
}

export const ingress = ingressKind('ingress', false)
export const clsact = ingressKind('clsact', true)
