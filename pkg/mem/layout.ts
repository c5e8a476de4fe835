// Who owns which part of the linear memory. Everything below REGIONS is scratch of one process and never saved; everything above
// is handed out by AddressSpace (space.ts) at addresses that stay the same for the life of the object, across processes.

/** Never handed out: wasm does not trap at address 0. */
export const LOW_PAGE = 0x10000

/** Hand-over area of the helper ABI: high halves of wide arguments and results, as u32 words. */
export const SCRATCH = 0x10000
/** + 4*i: high half of argument i (0..4). */
export const ARG_HI = SCRATCH
/** High half of a wide result. */
export const RET_HI = SCRATCH + 24
/** Set to 1 by a BPF_LD_ABS or BPF_LD_IND beyond its packet, which ends the program: who asks clears it before the run. */
export const LOAD_FAULT = SCRATCH + 28
/** Free for helpers that need to hand bytes to each other, 4 KiB. */
export const HELPER_BYTES = SCRATCH + 0x100

/** BPF stacks. The frame of a main program ends at STACK_TOP; callee frames lie below. */
export const STACK_LOW = 0x20000
export const STACK_TOP = 0x40000

/** Contexts that hooks fill before a run (xdp_buff, bpf_qdisc ctx …). */
export const CONTEXTS = 0x40000
export const CONTEXTS_END = 0x50000

/** Descriptor ring of batched runs: 64 x {data, end, verdict, id} as u32. */
export const RING = 0x50000
export const RING_SLOTS = 64

/** Keys that bpf(2) hands to maps, which take pointers. */
export const MAP_STAGING = 0x60000
export const MAP_STAGING_END = 0x100000

/** struct net_device, netdev_rx_queue … of the devices this process has touched. */
export const KERNEL_STRUCTS = 0x100000
export const KERNEL_STRUCTS_END = 0x1000000

/** sk_buffs and frame buffers in flight: slab of pkg/skb. */
export const PACKETS = 0x1000000
export const PACKETS_END = 0x8000000

/** Persistent regions: maps and program-allocated objects. */
export const REGIONS = 0x8000000
