// struct dequeue_ctx of the XDP queueing RFC (July 2022), and the struct xdp_md that a program gets for a packet it has taken: a pointer, not a
// context, with three fields of which the others can't be read.
import { exact, ldx, type Context } from './ctx-types.js'
import { BPF_CB, SKB } from './layout.js'

/** Always the whole number: programs know it as 32 bits, and a wider load has zeros above. */
const egress = exact('egress_ifindex', 0, 4, 'scalar', (dst, src) => [ldx(4, dst, src, 0)], { wide: 8 })

export const dequeue: Context = { name: 'dequeue_ctx', size: 4, fields: [egress], writable: new Set(), hidden: new Set(), ldAbs: false }

/** As posted, only the offset was checked. */
export const dequeueStrict: Context = { ...dequeue, size: 1, fields: [{ ...egress, access: 'bytes' }] }

const pointer = (name: string, off: number, kind: 'pkt' | 'pkt_end' | 'pkt_meta', at: number) =>
  exact(name, off, 4, kind, (dst, src) => [ldx(8, dst, src, at)])

/** On an sk_buff. */
export const dequeuedPacket: Context = {
  name: 'xdp_md', size: 24, writable: new Set(), hidden: new Set(), ldAbs: false,
  fields: [
    pointer('data', 0, 'pkt', SKB.data), pointer('data_end', 4, 'pkt_end', SKB.cb + BPF_CB.data_end),
    pointer('data_meta', 8, 'pkt_meta', SKB.cb + BPF_CB.data_meta),
  ],
}
