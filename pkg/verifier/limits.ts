// Numbers that the verifier compares with: include/linux/bpf_verifier.h, include/linux/filter.h.

/** BPF_MAX_VAR_OFF: pointers never move further. */
export const MAX_VAR_OFF = 1 << 29
export const MAX_VAR_SIZ = 1 << 29
export const MAX_CALL_FRAMES = 8
export const MAX_STACK = 512
/** Packet ranges end here. */
export const MAX_PACKET_OFF = 0xffff
export const PAGE_SIZE = 4096
/** BPF_MAX_LOOPS */
export const MAX_LOOPS = 8 * 1024 * 1024
