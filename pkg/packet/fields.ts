// What can be said about a frame to be built, by flower's words; whatever isn't said has a default that makes a valid packet.

export interface PacketFields {
  /** The whole frame as it is; nothing but mark and priority may stand beside it. */
  hex?: Uint8Array
  /** Default 02:00:00:00:00:02, or what a multicast or broadcast destination asks for. */
  dst_mac?: Uint8Array
  /** Default 02:00:00:00:00:01. */
  src_mac?: Uint8Array
  /** The network protocol, or a tag's own type when VLAN words stand beside it. Default: as the addresses say, else IPv4. */
  eth_type?: number
  /** Any vlan word makes a tag (id and priority 0 unless said), any cvlan word a second one inside. */
  vlan_id?: number
  vlan_prio?: number
  vlan_ethtype?: number
  cvlan_id?: number
  cvlan_prio?: number
  cvlan_ethtype?: number
  /** Default: icmp or icmpv6 with type or code, tcp with tcp_flags, else udp. */
  ip_proto?: number
  /** The whole byte, DSCP and ECN. Default 0. */
  ip_tos?: number
  /** Default 64. */
  ip_ttl?: number
  /** Default 192.0.2.1 to 192.0.2.2, or 2001:db8::1 to 2001:db8::2. */
  src_ip?: Uint8Array
  dst_ip?: Uint8Array
  /** Default 40000 to 9 (discard). */
  src_port?: number
  dst_port?: number
  /** Default 0x010 (ACK). */
  tcp_flags?: number
  /** Default: an echo request. */
  type?: number
  code?: number
  /** Default: a request, who has dst of dst_ip's default, told to the frame's source. */
  arp_op?: number
  arp_sip?: Uint8Array
  arp_tip?: Uint8Array
  arp_sha?: Uint8Array
  arp_tha?: Uint8Array
  /** Length of the whole frame without FCS; zeros fill up behind the payload. Default: as long as headers and payload, 60 without a payload. */
  len?: number
  payload?: Uint8Array
  /** Of the packet's descriptor, not of its bytes. */
  mark?: number
  priority?: number
}
