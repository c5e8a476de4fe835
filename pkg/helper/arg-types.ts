// Types of helper arguments and results: enum bpf_arg_type, bpf_return_type (include/linux/bpf.h), with the numbers of 6.18's BTF.
// A type is a base (low byte) with flags of type-flags.ts.
export {
  PTR_MAYBE_NULL, MEM_RDONLY, MEM_RINGBUF, OBJ_RELEASE, MEM_UNINIT, DYNPTR_TYPE_LOCAL, DYNPTR_TYPE_RINGBUF, MEM_FIXED_SIZE, MEM_ALLOC,
  PTR_TRUSTED, DYNPTR_TYPE_SKB, DYNPTR_TYPE_XDP, DYNPTR_TYPE_SKB_META, MEM_ALIGNED, MEM_WRITE, MEM_PERCPU,
} from './type-flags.js'
import { MEM_FIXED_SIZE, MEM_RINGBUF, MEM_UNINIT, MEM_WRITE, PTR_MAYBE_NULL, PTR_TRUSTED } from './type-flags.js'

export const ARG_DONTCARE = 0
export const ARG_CONST_MAP_PTR = 1
export const ARG_PTR_TO_MAP_KEY = 2
export const ARG_PTR_TO_MAP_VALUE = 3
export const ARG_PTR_TO_MEM = 4
export const ARG_PTR_TO_ARENA = 5
export const ARG_CONST_SIZE = 6
export const ARG_CONST_SIZE_OR_ZERO = 7
export const ARG_PTR_TO_CTX = 8
export const ARG_ANYTHING = 9
export const ARG_PTR_TO_SPIN_LOCK = 10
export const ARG_PTR_TO_SOCK_COMMON = 11
export const ARG_PTR_TO_SOCKET = 12
export const ARG_PTR_TO_BTF_ID = 13
export const ARG_PTR_TO_RINGBUF_MEM = 14
export const ARG_CONST_ALLOC_SIZE_OR_ZERO = 15
export const ARG_PTR_TO_BTF_ID_SOCK_COMMON = 16
export const ARG_PTR_TO_PERCPU_BTF_ID = 17
export const ARG_PTR_TO_FUNC = 18
export const ARG_PTR_TO_STACK = 19
export const ARG_PTR_TO_CONST_STR = 20
export const ARG_PTR_TO_TIMER = 21
export const ARG_KPTR_XCHG_DEST = 22
export const ARG_PTR_TO_DYNPTR = 23
/** The proposals': a context, or the skb that a context holds. */
export const ARG_PTR_TO_SKB = 30
export const ARG_PTR_TO_SKB_ONLY = 31
export const ARG_PTR_TO_MAP_VALUE_OR_NULL = ARG_PTR_TO_MAP_VALUE | PTR_MAYBE_NULL
export const ARG_PTR_TO_MEM_OR_NULL = ARG_PTR_TO_MEM | PTR_MAYBE_NULL
export const ARG_PTR_TO_CTX_OR_NULL = ARG_PTR_TO_CTX | PTR_MAYBE_NULL
export const ARG_PTR_TO_SOCKET_OR_NULL = ARG_PTR_TO_SOCKET | PTR_MAYBE_NULL
export const ARG_PTR_TO_STACK_OR_NULL = ARG_PTR_TO_STACK | PTR_MAYBE_NULL
export const ARG_PTR_TO_BTF_ID_OR_NULL = ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL
export const ARG_PTR_TO_UNINIT_MEM = ARG_PTR_TO_MEM | MEM_UNINIT | MEM_WRITE
export const ARG_PTR_TO_FIXED_SIZE_MEM = ARG_PTR_TO_MEM | MEM_FIXED_SIZE

export const RET_INTEGER = 0
export const RET_VOID = 1
export const RET_PTR_TO_MAP_VALUE = 2
export const RET_PTR_TO_SOCKET = 3
export const RET_PTR_TO_TCP_SOCK = 4
export const RET_PTR_TO_SOCK_COMMON = 5
export const RET_PTR_TO_MEM = 6
export const RET_PTR_TO_MEM_OR_BTF_ID = 7
export const RET_PTR_TO_BTF_ID = 8
/** The proposals': a packet that a map gave back. */
export const RET_PTR_TO_SKB = 30
export const RET_PTR_TO_MAP_VALUE_OR_NULL = RET_PTR_TO_MAP_VALUE | PTR_MAYBE_NULL
export const RET_PTR_TO_SOCKET_OR_NULL = RET_PTR_TO_SOCKET | PTR_MAYBE_NULL
export const RET_PTR_TO_TCP_SOCK_OR_NULL = RET_PTR_TO_TCP_SOCK | PTR_MAYBE_NULL
export const RET_PTR_TO_SOCK_COMMON_OR_NULL = RET_PTR_TO_SOCK_COMMON | PTR_MAYBE_NULL
export const RET_PTR_TO_RINGBUF_MEM_OR_NULL = RET_PTR_TO_MEM | PTR_MAYBE_NULL | MEM_RINGBUF
export const RET_PTR_TO_DYNPTR_MEM_OR_NULL = RET_PTR_TO_MEM | PTR_MAYBE_NULL
export const RET_PTR_TO_BTF_ID_OR_NULL = RET_PTR_TO_BTF_ID | PTR_MAYBE_NULL
export const RET_PTR_TO_BTF_ID_TRUSTED = RET_PTR_TO_BTF_ID | PTR_TRUSTED
