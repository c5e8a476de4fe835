// BPF_LD_ABS and BPF_LD_IND on the sk_buff in r6: bpf_skb_load_helper_* and bpf_internal_load_pointer_neg_helper
// (net/core/filter.c, kernel/bpf/core.c).
import { LOAD_FAULT } from '../mem/layout.js'
import { SKB } from '../skb/layout.js'

const SKF_NET_OFF = -0x100000
const SKF_LL_OFF = -0x200000

/** Address of `size` bytes at `offset` of the packet; 0: not in the packet, the program ends with 0. */
export function skbPointer(view: DataView, skb: number, offset: number, size: number): number {
  const at = pointer(view, skb, offset, size)
  if (at === 0) view.setUint32(LOAD_FAULT, 1, true)
  return at
}

function pointer(view: DataView, skb: number, offset: number, size: number): number {
  const u32 = (field: number): number => view.getUint32(skb + field, true)
  if (offset >= 0) {
    const linear = u32(SKB.len) - u32(SKB.data_len)
    return offset + size <= linear ? u32(SKB.data) + offset : 0
  }
  const head = u32(SKB.head)
  const from = negative(view, skb, offset)
  return from >= head && from + size <= head + u32(SKB.tail) ? from : 0
}

function negative(view: DataView, skb: number, offset: number): number {
  const header = (field: number): number => view.getUint32(skb + SKB.head, true) + view.getUint16(skb + field, true)
  if (offset >= SKF_NET_OFF) return header(SKB.network_header) + offset - SKF_NET_OFF
  return offset >= SKF_LL_OFF ? header(SKB.mac_header) + offset - SKF_LL_OFF : -1
}
