// What a helper's argument must be: which register types an ARG_* takes (compatible_reg_types, kernel/bpf/verifier.c), and which
// maps go with which helpers (check_map_func_compatibility()). Tables only.
import * as A from '../helper/arg-types.js'
import { FUNC, MAP_TYPE } from '../uapi/bpf.js'
import * as T from './types.js'

const MEM = [
  T.PTR_TO_STACK, T.PTR_TO_PACKET, T.PTR_TO_PACKET_META, T.PTR_TO_MAP_KEY, T.PTR_TO_MAP_VALUE, T.PTR_TO_MEM, T.PTR_TO_MEM | T.MEM_RINGBUF,
  T.PTR_TO_BUF, T.PTR_TO_BTF_ID | T.PTR_TRUSTED,
]
const SOCKS = [T.PTR_TO_SOCK_COMMON, T.PTR_TO_SOCKET, T.PTR_TO_TCP_SOCK, T.PTR_TO_XDP_SOCK]
const BTF = [T.PTR_TO_BTF_ID, T.PTR_TO_BTF_ID | T.PTR_TRUSTED, T.PTR_TO_BTF_ID | T.MEM_RCU]

/** compatible_reg_types[], in the order in which a refusal lists them. */
export const compatible: Readonly<Record<number, readonly number[]>> = {
  [A.ARG_CONST_MAP_PTR]: [T.CONST_PTR_TO_MAP],
  [A.ARG_PTR_TO_MAP_KEY]: MEM,
  [A.ARG_PTR_TO_MAP_VALUE]: MEM,
  [A.ARG_PTR_TO_MEM]: MEM,
  [A.ARG_CONST_SIZE]: [T.SCALAR_VALUE],
  [A.ARG_CONST_SIZE_OR_ZERO]: [T.SCALAR_VALUE],
  [A.ARG_CONST_ALLOC_SIZE_OR_ZERO]: [T.SCALAR_VALUE],
  [A.ARG_PTR_TO_CTX]: [T.PTR_TO_CTX],
  [A.ARG_PTR_TO_SOCK_COMMON]: SOCKS,
  [A.ARG_PTR_TO_BTF_ID_SOCK_COMMON]: [...SOCKS, T.PTR_TO_BTF_ID, T.PTR_TO_BTF_ID | T.PTR_TRUSTED],
  [A.ARG_PTR_TO_SOCKET]: [T.PTR_TO_SOCKET],
  [A.ARG_PTR_TO_BTF_ID]: BTF,
  [A.ARG_PTR_TO_SPIN_LOCK]: [T.PTR_TO_MAP_VALUE, T.PTR_TO_BTF_ID | T.MEM_ALLOC],
  [A.ARG_PTR_TO_RINGBUF_MEM]: [T.PTR_TO_MEM | T.MEM_RINGBUF],
  [A.ARG_PTR_TO_PERCPU_BTF_ID]: [
    T.PTR_TO_BTF_ID | T.MEM_PERCPU, T.PTR_TO_BTF_ID | T.MEM_PERCPU | T.MEM_RCU, T.PTR_TO_BTF_ID | T.MEM_PERCPU | T.PTR_TRUSTED,
  ],
  [A.ARG_PTR_TO_FUNC]: [T.PTR_TO_FUNC],
  [A.ARG_PTR_TO_STACK]: [T.PTR_TO_STACK],
  [A.ARG_PTR_TO_CONST_STR]: [T.PTR_TO_MAP_VALUE],
  [A.ARG_PTR_TO_TIMER]: [T.PTR_TO_MAP_VALUE],
  [A.ARG_KPTR_XCHG_DEST]: [T.PTR_TO_MAP_VALUE, T.PTR_TO_BTF_ID | T.MEM_ALLOC],
  [A.ARG_PTR_TO_DYNPTR]: [T.PTR_TO_STACK, T.CONST_PTR_TO_DYNPTR],
  [A.ARG_PTR_TO_SKB]: [T.PTR_TO_CTX, T.PTR_TO_SKB],
  [A.ARG_PTR_TO_SKB_ONLY]: [T.PTR_TO_SKB],
}

const F = FUNC
const M = MAP_TYPE
/** The proposals' maps of packets. */
const SKBMAP = 0x4011
const FLOWMAP = 0x4012
const PIFO_GENERIC = 0x4001
const PIFO_XDP = 0x4002
const storage = (get: number, del: number): readonly number[] => [get, del, F.kptr_xchg]

/** Map types whose map only these helpers take; other types go with all helpers that don't ask for a type. */
const ofMap: Readonly<Record<number, readonly number[]>> = {
  [M.PROG_ARRAY]: [F.tail_call],
  [M.PERF_EVENT_ARRAY]: [F.perf_event_read, F.perf_event_output, F.skb_output, F.perf_event_read_value, F.xdp_output],
  [M.RINGBUF]: [F.ringbuf_output, F.ringbuf_reserve, F.ringbuf_query, F.ringbuf_reserve_dynptr, F.ringbuf_submit_dynptr, F.ringbuf_discard_dynptr],
  [M.USER_RINGBUF]: [F.user_ringbuf_drain],
  [M.STACK_TRACE]: [F.get_stackid],
  [M.CGROUP_ARRAY]: [F.skb_under_cgroup, F.current_task_under_cgroup],
  [M.CGROUP_STORAGE]: [F.get_local_storage],
  [M.PERCPU_CGROUP_STORAGE]: [F.get_local_storage],
  [M.DEVMAP]: [F.redirect_map, F.map_lookup_elem],
  [M.DEVMAP_HASH]: [F.redirect_map, F.map_lookup_elem],
  [M.CPUMAP]: [F.redirect_map],
  [M.XSKMAP]: [F.redirect_map, F.map_lookup_elem],
  [M.ARRAY_OF_MAPS]: [F.map_lookup_elem],
  [M.HASH_OF_MAPS]: [F.map_lookup_elem],
  [M.SOCKMAP]: [F.sk_redirect_map, F.sock_map_update, F.map_delete_elem, F.msg_redirect_map, F.sk_select_reuseport, F.map_lookup_elem, F.map_update_elem],
  [M.SOCKHASH]: [F.sk_redirect_hash, F.sock_hash_update, F.map_delete_elem, F.msg_redirect_hash, F.sk_select_reuseport, F.map_lookup_elem, F.map_update_elem],
  [M.REUSEPORT_SOCKARRAY]: [F.sk_select_reuseport],
  [M.QUEUE]: [F.map_peek_elem, F.map_pop_elem, F.map_push_elem],
  [M.STACK]: [F.map_peek_elem, F.map_pop_elem, F.map_push_elem],
  [M.SK_STORAGE]: storage(F.sk_storage_get, F.sk_storage_delete),
  [M.INODE_STORAGE]: storage(F.inode_storage_get, F.inode_storage_delete),
  [M.TASK_STORAGE]: storage(F.task_storage_get, F.task_storage_delete),
  [M.CGRP_STORAGE]: storage(F.cgrp_storage_get, F.cgrp_storage_delete),
  [M.BLOOM_FILTER]: [F.map_peek_elem, F.map_push_elem],
  [M.STRUCT_OPS]: [],
  [SKBMAP]: [0x50011, 0x50012, F.map_lookup_elem, F.map_delete_elem, F.for_each_map_elem],
  [FLOWMAP]: [0x50013, 0x50014, F.map_lookup_elem],
  [PIFO_GENERIC]: [F.map_push_elem, F.map_pop_elem, F.map_peek_elem],
  [PIFO_XDP]: [F.redirect_map, 0x50001],
}

/** Helpers that take only these types of map. */
const ofHelper: Readonly<Record<number, readonly number[]>> = {
  [F.tail_call]: [M.PROG_ARRAY],
  [F.perf_event_read]: [M.PERF_EVENT_ARRAY],
  [F.perf_event_output]: [M.PERF_EVENT_ARRAY],
  [F.perf_event_read_value]: [M.PERF_EVENT_ARRAY],
  [F.ringbuf_output]: [M.RINGBUF],
  [F.ringbuf_reserve]: [M.RINGBUF],
  [F.ringbuf_query]: [M.RINGBUF],
  [F.ringbuf_reserve_dynptr]: [M.RINGBUF],
  [F.user_ringbuf_drain]: [M.USER_RINGBUF],
  [F.get_stackid]: [M.STACK_TRACE],
  [F.current_task_under_cgroup]: [M.CGROUP_ARRAY],
  [F.skb_under_cgroup]: [M.CGROUP_ARRAY],
  [F.redirect_map]: [M.DEVMAP, M.DEVMAP_HASH, M.CPUMAP, M.XSKMAP, PIFO_XDP],
  [F.sk_redirect_map]: [M.SOCKMAP],
  [F.sk_redirect_hash]: [M.SOCKHASH],
  [F.get_local_storage]: [M.CGROUP_STORAGE, M.PERCPU_CGROUP_STORAGE],
  [F.map_pop_elem]: [M.QUEUE, M.STACK, PIFO_GENERIC],
  [F.map_peek_elem]: [M.QUEUE, M.STACK, M.BLOOM_FILTER, PIFO_GENERIC],
  [F.map_push_elem]: [M.QUEUE, M.STACK, M.BLOOM_FILTER, PIFO_GENERIC],
  [F.map_lookup_percpu_elem]: [M.PERCPU_ARRAY, M.PERCPU_HASH, M.LRU_PERCPU_HASH],
  [F.sk_storage_get]: [M.SK_STORAGE],
  [F.sk_storage_delete]: [M.SK_STORAGE],
  [F.task_storage_get]: [M.TASK_STORAGE],
  [F.task_storage_delete]: [M.TASK_STORAGE],
  [F.cgrp_storage_get]: [M.CGRP_STORAGE],
  [F.cgrp_storage_delete]: [M.CGRP_STORAGE],
  0x50001: [PIFO_XDP],
  0x50011: [SKBMAP],
  0x50012: [SKBMAP],
  0x50013: [FLOWMAP],
  0x50014: [FLOWMAP],
}

export function mapFits(mapType: number, helper: number): boolean {
  return (ofMap[mapType]?.includes(helper) ?? true) && (ofHelper[helper]?.includes(mapType) ?? true)
}

const ACQUIRE: ReadonlySet<number> = new Set([F.sk_lookup_tcp, F.sk_lookup_udp, F.skc_lookup_tcp, F.ringbuf_reserve, F.kptr_xchg, 0x50001])
/** is_acquire_function() */
export const acquires = (helper: number, mapType: number | undefined): boolean =>
  ACQUIRE.has(helper) || (helper === F.map_lookup_elem && (mapType === M.SOCKMAP || mapType === M.SOCKHASH))

const CASTS: ReadonlySet<number> = new Set([
  F.tcp_sock, F.sk_fullsock, F.skc_to_tcp_sock, F.skc_to_tcp6_sock, F.skc_to_udp6_sock, F.skc_to_mptcp_sock, F.skc_to_tcp_timewait_sock,
  F.skc_to_tcp_request_sock,
])
/** is_ptr_cast_function(): the result is the argument under another type. */
export const casts = (helper: number): boolean => CASTS.has(helper)
