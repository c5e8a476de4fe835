// Contexts of the sch_bpf proposals (v1 to v7): plain structs in memory, so fields load as they are; the skb member is a pointer to a
// __sk_buff with the classifier's fields. Only outputs may be written.
import { exact, ldx, restore, type Context, type CtxField, type CtxKind } from './ctx-types.js'

function plain(name: string, off: number, size: number, kind: CtxKind = 'scalar'): CtxField {
  return exact(name, off, size, kind, (dst, src) => [ldx(size, dst, src, off)], { store: i => [restore(i, size, off)] })
}

function context(name: string, size: number, fields: readonly CtxField[], writable: readonly string[]): Context {
  return { name, size, fields, writable: new Set(writable), hidden: new Set(), ldAbs: false }
}

const skb = plain('skb', 0, 8, 'skb')

export const schBpfV1 = context('sch_bpf_ctx', 40, [
  skb, plain('nr_flows', 8, 4), plain('nr_packets', 12, 4), plain('classid', 16, 4), plain('rank', 24, 8), plain('delay', 32, 8),
], ['classid', 'rank', 'delay'])

export const schBpfV2 = context('sch_bpf_ctx', 40, [
  skb, plain('nr_flows', 8, 4), plain('handle', 12, 4), plain('rank', 16, 8), plain('delay', 24, 8), plain('classid', 32, 4),
], ['classid', 'rank', 'delay'])

/** An enqueue program finds its packet in skb, a dequeue program leaves one there. */
export const schBpfV4 = context('sch_bpf_ctx', 24, [plain('skb', 0, 8, 'skb_or_null'), plain('classid', 8, 4), plain('delay', 16, 8)], ['classid', 'delay', 'skb'])

const v7 = [plain('classid', 8, 4), plain('expire', 16, 8), plain('delta_ns', 24, 8)]
const out = ['classid', 'expire', 'delta_ns']
/** skb is there on enqueue only; reset and init see nothing. */
export const qdiscEnqueueV7 = context('bpf_qdisc_ctx', 32, [plain('skb', 0, 8, 'sk_buff'), ...v7], out)
export const qdiscDequeueV7 = context('bpf_qdisc_ctx', 32, v7, out)
export const qdiscResetV7 = context('bpf_qdisc_ctx', 32, [], [])
