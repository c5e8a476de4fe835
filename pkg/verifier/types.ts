// Types of registers with their flags, and how the log writes them: enum bpf_reg_type and bpf_type_flag (include/linux/bpf.h),
// reg_type_str() (kernel/bpf/log.c). Numbers are those of 6.18's BTF, so that flags of arguments and registers mix as there.

import {
  PTR_MAYBE_NULL, MEM_RDONLY, MEM_RINGBUF, MEM_USER, MEM_PERCPU, MEM_RCU, PTR_UNTRUSTED, PTR_TRUSTED,
} from '../helper/type-flags.js'

export const NOT_INIT = 0
export const SCALAR_VALUE = 1
export const PTR_TO_CTX = 2
export const CONST_PTR_TO_MAP = 3
export const PTR_TO_MAP_VALUE = 4
export const PTR_TO_MAP_KEY = 5
export const PTR_TO_STACK = 6
export const PTR_TO_PACKET_META = 7
export const PTR_TO_PACKET = 8
export const PTR_TO_PACKET_END = 9
export const PTR_TO_FLOW_KEYS = 10
export const PTR_TO_SOCKET = 11
export const PTR_TO_SOCK_COMMON = 12
export const PTR_TO_TCP_SOCK = 13
export const PTR_TO_TP_BUFFER = 14
export const PTR_TO_XDP_SOCK = 15
export const PTR_TO_BTF_ID = 16
export const PTR_TO_MEM = 17
export const PTR_TO_ARENA = 18
export const PTR_TO_BUF = 19
export const PTR_TO_FUNC = 20
export const CONST_PTR_TO_DYNPTR = 21
/** The proposals' own: the skb member of a sch_bpf context, a `struct __sk_buff *` that is not the context. */
export const PTR_TO_SKB = 30

export * from '../helper/type-flags.js'

export const BASE_MASK = 0xff
export const baseType = (type: number): number => type & BASE_MASK
export const typeFlag = (type: number): number => type & ~BASE_MASK
export const mayBeNull = (type: number): boolean => (type & PTR_MAYBE_NULL) !== 0

const names: Readonly<Record<number, string>> = {
  [NOT_INIT]: '?', [SCALAR_VALUE]: 'scalar', [PTR_TO_CTX]: 'ctx', [CONST_PTR_TO_MAP]: 'map_ptr', [PTR_TO_MAP_VALUE]: 'map_value',
  [PTR_TO_MAP_KEY]: 'map_key', [PTR_TO_STACK]: 'fp', [PTR_TO_PACKET_META]: 'pkt_meta', [PTR_TO_PACKET]: 'pkt',
  [PTR_TO_PACKET_END]: 'pkt_end', [PTR_TO_FLOW_KEYS]: 'flow_keys', [PTR_TO_SOCKET]: 'sock', [PTR_TO_SOCK_COMMON]: 'sock_common',
  [PTR_TO_TCP_SOCK]: 'tcp_sock', [PTR_TO_TP_BUFFER]: 'tp_buffer', [PTR_TO_XDP_SOCK]: 'xdp_sock', [PTR_TO_BTF_ID]: 'ptr_',
  [PTR_TO_MEM]: 'mem', [PTR_TO_ARENA]: 'arena', [PTR_TO_BUF]: 'buf', [PTR_TO_FUNC]: 'func', [CONST_PTR_TO_DYNPTR]: 'dynptr_ptr',
  [PTR_TO_SKB]: 'skb',
}

const prefixes: readonly (readonly [number, string])[] = [
  [MEM_RDONLY, 'rdonly_'], [MEM_RINGBUF, 'ringbuf_'], [MEM_USER, 'user_'], [MEM_PERCPU, 'percpu_'], [MEM_RCU, 'rcu_'],
  [PTR_UNTRUSTED, 'untrusted_'], [PTR_TRUSTED, 'trusted_'],
]

/** reg_type_str() */
export function typeName(type: number): string {
  const base = baseType(type)
  const prefix = prefixes.filter(([flag]) => type & flag).map(([, text]) => text).join('')
  const postfix = !mayBeNull(type) ? '' : base === PTR_TO_BTF_ID ? 'or_null_' : '_or_null'
  return `${prefix}${names[base] ?? '?'}${postfix}`
}

/** Contents of a stack byte: enum bpf_stack_slot_type. */
export const STACK_INVALID = 0
export const STACK_SPILL = 1
export const STACK_MISC = 2
export const STACK_ZERO = 3
export const STACK_DYNPTR = 4
export const STACK_ITER = 5
export const STACK_IRQ_FLAG = 6
export const slotChar = '?rm0dif'

/** enum bpf_dynptr_type */
export const DYNPTR = { INVALID: 0, LOCAL: 1, RINGBUF: 2, SKB: 3, XDP: 4, SKB_META: 5 } as const
export const dynptrName = ['', 'local', 'ringbuf', 'skb', 'xdp', 'skb_meta'] as const

/** enum bpf_iter_state */
export const ITER = { INVALID: 0, ACTIVE: 1, DRAINED: 2 } as const
