// Numbers of the proposals that never landed (PIFO and dequeue hook 2022, sch_bpf 2021-2024, PHYS_DEV 2016), as
// hookpoint.h gives them: moved above everything upstream uses, because as posted they collide with each other.

/** Map types. */
export const RFC_MAP_TYPE = {
  PIFO_GENERIC: 0x4001, PIFO_XDP: 0x4002, XDP_FIFO: 0x4003, SKBMAP: 0x4011, FLOWMAP: 0x4012,
} as const

/** Program types. No object file stores one. */
export const RFC_PROG_TYPE = { DEQUEUE: 0x4001, SCHED_QDISC: 0x4011, PHYS_DEV: 0x4021 } as const

/** Helper ids. */
export const RFC_FUNC = {
  packet_dequeue: 0x50001, packet_drop: 0x50002, schedule_iface_dequeue: 0x50003,
  skb_map_push: 0x50011, skb_map_pop: 0x50012, flow_map_push: 0x50013, flow_map_pop: 0x50014, skb_tc_classify: 0x50015,
} as const

/** enum bpf_attach_type as sch_bpf v7 posted it. */
export const RFC_ATTACH_TYPE = { QDISC_ENQUEUE: 56, QDISC_DEQUEUE: 57, QDISC_RESET: 58, QDISC_INIT: 59 } as const
