// Offsets of the emulated kernel's packet structs, those of Linux 6.18 on x86-64 (read from its BTF), so that converted context
// accesses read as on the real system. pkg/btf's vmlinux describes the same structs.

/** struct sk_buff */
export const SKB = {
  size: 224,
  next: 0, prev: 8, dev: 16, sk: 24, tstamp: 32, cb: 40, destructor: 96, nfct: 104,
  len: 112, data_len: 116, mac_len: 120, hdr_len: 122, queue_mapping: 124, cloned: 126,
  /** pkt_type: bits 0-2 */
  pkt_type: 128,
  /** tstamp_type bits 0-1, tc_at_ingress bit 2, tc_skip_classify bit 3 */
  tc_flags: 129,
  /** l4_hash bit 1, sw_hash bit 2 */
  hash_flags: 130,
  /** redirected bit 0, from_ingress bit 1 */
  redirected: 131,
  tc_index: 132, csum: 136, priority: 140, skb_iif: 144, hash: 148, vlan_proto: 152, vlan_tci: 154,
  napi_id: 156, secmark: 160, mark: 164, protocol: 176, transport_header: 178, network_header: 180, mac_header: 182,
  tail: 184, end: 188, head: 192, data: 200, truesize: 208, users: 212, extensions: 216,
} as const

/** struct qdisc_skb_cb inside skb->cb, and bpf_skb_data_end behind it. Offsets from the start of cb. */
export const QDISC_CB = { pkt_len: 0, slave_dev_queue_mapping: 4, tc_classid: 6, data: 8, size: 28 } as const
export const BPF_CB = { data_meta: 32, data_end: 40 } as const

/** struct xdp_buff */
export const XDP_BUFF = {
  size: 56, data: 0, data_end: 8, data_meta: 16, data_hard_start: 24, rxq: 32, txq: 40, frame_sz: 48, flags: 52,
} as const

/** struct xdp_rxq_info, struct xdp_txq_info */
export const XDP_RXQ = { size: 64, dev: 0, queue_index: 8 } as const
export const XDP_TXQ = { size: 8, dev: 0 } as const

/** The members of struct net_device that programs and conversions read. */
export const NET_DEVICE = {
  size: 2496, real_num_tx_queues: 40, mtu: 56, flags: 176, ifindex: 224, real_num_rx_queues: 228, name: 280, type: 536, num_rx_queues: 976, num_tx_queues: 1056,
} as const

/** struct sock_common and sock */
export const SOCK = {
  size: 784, daddr: 0, rcv_saddr: 4, dport: 12, num: 14, family: 16, state: 18, bound_dev_if: 20, v6_daddr: 56, v6_rcv_saddr: 72, cookie: 88,
  tx_queue_mapping: 120, rx_queue_mapping: 122, priority: 520, mark: 524, protocol: 532, type: 534,
} as const
