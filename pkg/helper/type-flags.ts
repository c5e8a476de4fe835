// Flags that argument, result and register types share: enum bpf_type_flag (include/linux/bpf.h), numbers of 6.18.

export const PTR_MAYBE_NULL = 1 << 8
export const MEM_RDONLY = 1 << 9
export const MEM_RINGBUF = 1 << 10
export const MEM_USER = 1 << 11
export const MEM_PERCPU = 1 << 12
export const OBJ_RELEASE = 1 << 13
export const PTR_UNTRUSTED = 1 << 14
export const MEM_UNINIT = 1 << 15
export const DYNPTR_TYPE_LOCAL = 1 << 16
export const DYNPTR_TYPE_RINGBUF = 1 << 17
export const MEM_FIXED_SIZE = 1 << 18
export const MEM_ALLOC = 1 << 19
export const PTR_TRUSTED = 1 << 20
export const MEM_RCU = 1 << 21
export const NON_OWN_REF = 1 << 22
export const DYNPTR_TYPE_SKB = 1 << 23
export const DYNPTR_TYPE_XDP = 1 << 24
export const MEM_ALIGNED = 1 << 25
export const MEM_WRITE = 1 << 26
export const DYNPTR_TYPE_SKB_META = 1 << 27
