// struct bpf_func_proto of every helper: net/core/filter.c, kernel/bpf/helpers.c, kernel/trace/bpf_trace.c. One row a helper.
// Columns: id | result | arguments | flags: p may take packet pointers (pkt_access), g only GPL programs, f bpf_fastcall, s may sleep
// Names are those of enum bpf_func_id (uapi/bpf.ts). Rows without arguments for what no networking program may call fail closed.
import { FUNC } from '../uapi/bpf.js'
import * as A from './arg-types.js'

export interface Proto {
  readonly id: number
  /** Without `bpf_`. */
  readonly name: string
  readonly ret: number
  /** Five; ARG_DONTCARE behind the last. */
  readonly args: readonly number[]
  /** Byte sizes of FIXED_SIZE_MEM arguments, by position. */
  readonly sizes: readonly number[]
  readonly pkt: boolean
  readonly gpl: boolean
  readonly fastcall: boolean
  readonly sleeps: boolean
  /** BTF type names in vmlinux: of the result, and of PTR_TO_BTF_ID arguments by position. */
  readonly retBtf: string | undefined
  readonly argBtf: readonly (string | undefined)[]
}

/** Helpers of the proposals, at numbers of their own (spec: 0x50001…). */
export const RFC_HELPER = {
  packet_dequeue: 0x50001, packet_drop: 0x50002, schedule_iface_dequeue: 0x50003,
  skb_map_push: 0x50011, skb_map_pop: 0x50012, flow_map_push: 0x50013, flow_map_pop: 0x50014, skb_tc_classify: 0x50015,
} as const

const INT = A.RET_INTEGER
const VOID = A.RET_VOID
const CTX = A.ARG_PTR_TO_CTX
const ANY = A.ARG_ANYTHING
const MAP = A.ARG_CONST_MAP_PTR
const KEY = A.ARG_PTR_TO_MAP_KEY
const VALUE = A.ARG_PTR_TO_MAP_VALUE
const RMEM = A.ARG_PTR_TO_MEM | A.MEM_RDONLY
const RMEM_NULL = A.ARG_PTR_TO_MEM_OR_NULL | A.MEM_RDONLY
const WMEM = A.ARG_PTR_TO_MEM | A.MEM_WRITE
const UMEM = A.ARG_PTR_TO_UNINIT_MEM
const SIZE = A.ARG_CONST_SIZE
const SIZE0 = A.ARG_CONST_SIZE_OR_ZERO
const SOCK = A.ARG_PTR_TO_BTF_ID_SOCK_COMMON
const SKC = A.ARG_PTR_TO_SOCK_COMMON
const TIMER = A.ARG_PTR_TO_TIMER
const FN = A.ARG_PTR_TO_FUNC
const STACK_NULL = A.ARG_PTR_TO_STACK_OR_NULL
const FIXED = A.ARG_PTR_TO_FIXED_SIZE_MEM
const DYN = A.ARG_PTR_TO_DYNPTR
const DYN_NEW = DYN | A.MEM_UNINIT | A.MEM_WRITE
const OBJ = A.ARG_PTR_TO_BTF_ID
const LONG_OUT = FIXED | A.MEM_UNINIT | A.MEM_WRITE | A.MEM_ALIGNED

interface Extra { sizes?: readonly number[], ret?: string, btf?: readonly (string | undefined)[] }
type Row = readonly [name: keyof typeof FUNC, ret: number, args: readonly number[], flags?: string, extra?: Extra]

const sock = (name: string): Extra => ({ ret: name })
const task: Extra = { btf: ['task_struct'] }

const rows: readonly Row[] = [
  ['map_lookup_elem', A.RET_PTR_TO_MAP_VALUE_OR_NULL, [MAP, KEY], 'p'],
  ['map_update_elem', INT, [MAP, KEY, VALUE, ANY], 'p'],
  ['map_delete_elem', INT, [MAP, KEY], 'p'],
  ['probe_read', INT, [UMEM, SIZE0, ANY], 'g'],
  ['ktime_get_ns', INT, []],
  ['trace_printk', INT, [RMEM, SIZE], 'g'],
  ['get_prandom_u32', INT, []],
  ['get_smp_processor_id', INT, [], 'f'],
  ['skb_store_bytes', INT, [CTX, ANY, RMEM, SIZE, ANY]],
  ['l3_csum_replace', INT, [CTX, ANY, ANY, ANY, ANY]],
  ['l4_csum_replace', INT, [CTX, ANY, ANY, ANY, ANY]],
  ['tail_call', VOID, [CTX, MAP, ANY]],
  ['clone_redirect', INT, [CTX, ANY, ANY]],
  ['get_current_pid_tgid', INT, []],
  ['get_current_uid_gid', INT, []],
  ['get_current_comm', INT, [UMEM, SIZE]],
  ['get_cgroup_classid', INT, [CTX]],
  ['skb_vlan_push', INT, [CTX, ANY, ANY]],
  ['skb_vlan_pop', INT, [CTX]],
  ['skb_get_tunnel_key', INT, [CTX, UMEM, SIZE, ANY]],
  ['skb_set_tunnel_key', INT, [CTX, RMEM, SIZE, ANY]],
  ['perf_event_read', INT, [MAP, ANY], 'g'],
  ['redirect', INT, [ANY, ANY]],
  ['get_route_realm', INT, [CTX]],
  ['perf_event_output', INT, [CTX, MAP, ANY, RMEM, SIZE0], 'g'],
  ['skb_load_bytes', INT, [CTX, ANY, UMEM, SIZE]],
  ['get_stackid', INT, [CTX, MAP, ANY], 'g'],
  ['csum_diff', INT, [RMEM_NULL, SIZE0, RMEM_NULL, SIZE0, ANY], 'p'],
  ['skb_get_tunnel_opt', INT, [CTX, UMEM, SIZE]],
  ['skb_set_tunnel_opt', INT, [CTX, RMEM, SIZE]],
  ['skb_change_proto', INT, [CTX, ANY, ANY]],
  ['skb_change_type', INT, [CTX, ANY]],
  ['skb_under_cgroup', INT, [CTX, MAP, ANY]],
  ['get_hash_recalc', INT, [CTX]],
  ['get_current_task', INT, [], 'g'],
  ['current_task_under_cgroup', INT, [MAP, ANY]],
  ['skb_change_tail', INT, [CTX, ANY, ANY]],
  ['skb_pull_data', INT, [CTX, ANY]],
  ['csum_update', INT, [CTX, ANY]],
  ['set_hash_invalid', INT, [CTX]],
  ['get_numa_node_id', INT, []],
  ['skb_change_head', INT, [CTX, ANY, ANY]],
  ['xdp_adjust_head', INT, [CTX, ANY]],
  ['probe_read_str', INT, [UMEM, SIZE0, ANY], 'g'],
  ['get_socket_cookie', INT, [CTX]],
  ['get_socket_uid', INT, [CTX]],
  ['set_hash', INT, [CTX, ANY]],
  ['skb_adjust_room', INT, [CTX, ANY, ANY, ANY]],
  ['redirect_map', INT, [MAP, ANY, ANY]],
  ['sk_redirect_map', INT, [CTX, MAP, ANY, ANY]],
  ['xdp_adjust_meta', INT, [CTX, ANY]],
  ['perf_event_read_value', INT, [MAP, ANY, UMEM, SIZE], 'g'],
  ['xdp_adjust_tail', INT, [CTX, ANY]],
  ['skb_get_xfrm_state', INT, [CTX, ANY, UMEM, SIZE, ANY]],
  ['get_stack', INT, [CTX, UMEM, SIZE0, ANY], 'g'],
  ['skb_load_bytes_relative', INT, [CTX, ANY, UMEM, SIZE, ANY]],
  ['fib_lookup', INT, [CTX, WMEM, SIZE, ANY], 'g'],
  ['sk_redirect_hash', INT, [CTX, MAP, KEY, ANY]],
  ['lwt_push_encap', INT, [CTX, ANY, RMEM, SIZE]],
  ['lwt_seg6_store_bytes', INT, [CTX, ANY, RMEM, SIZE]],
  ['lwt_seg6_adjust_srh', INT, [CTX, ANY, ANY]],
  ['lwt_seg6_action', INT, [CTX, ANY, RMEM, SIZE]],
  ['skb_cgroup_id', INT, [CTX]],
  ['get_current_cgroup_id', INT, []],
  ['get_local_storage', A.RET_PTR_TO_MAP_VALUE, [MAP, ANY]],
  ['skb_ancestor_cgroup_id', INT, [CTX, ANY]],
  ['sk_lookup_tcp', A.RET_PTR_TO_SOCKET_OR_NULL, [CTX, RMEM, SIZE, ANY, ANY], 'p'],
  ['sk_lookup_udp', A.RET_PTR_TO_SOCKET_OR_NULL, [CTX, RMEM, SIZE, ANY, ANY], 'p'],
  ['sk_release', INT, [SOCK | A.OBJ_RELEASE]],
  ['map_push_elem', INT, [MAP, VALUE, ANY], 'p'],
  ['map_pop_elem', INT, [MAP, VALUE | A.MEM_UNINIT | A.MEM_WRITE]],
  ['map_peek_elem', INT, [MAP, VALUE | A.MEM_UNINIT | A.MEM_WRITE]],
  ['spin_lock', VOID, [A.ARG_PTR_TO_SPIN_LOCK]],
  ['spin_unlock', VOID, [A.ARG_PTR_TO_SPIN_LOCK]],
  ['sk_fullsock', A.RET_PTR_TO_SOCKET_OR_NULL, [SKC]],
  ['tcp_sock', A.RET_PTR_TO_TCP_SOCK_OR_NULL, [SKC]],
  ['skb_ecn_set_ce', INT, [CTX]],
  ['get_listener_sock', A.RET_PTR_TO_SOCKET_OR_NULL, [SKC]],
  ['skc_lookup_tcp', A.RET_PTR_TO_SOCK_COMMON_OR_NULL, [CTX, RMEM, SIZE, ANY, ANY], 'p'],
  ['tcp_check_syncookie', INT, [SOCK, RMEM, SIZE, RMEM, SIZE], 'pg'],
  ['strtol', INT, [RMEM, SIZE, ANY, LONG_OUT], '', { sizes: [0, 0, 0, 8] }],
  ['strtoul', INT, [RMEM, SIZE, ANY, LONG_OUT], '', { sizes: [0, 0, 0, 8] }],
  ['sk_storage_get', A.RET_PTR_TO_MAP_VALUE_OR_NULL, [MAP, SOCK, A.ARG_PTR_TO_MAP_VALUE_OR_NULL, ANY]],
  ['sk_storage_delete', INT, [MAP, SOCK]],
  ['send_signal', INT, [ANY]],
  ['tcp_gen_syncookie', INT, [SOCK, RMEM, SIZE, RMEM, SIZE], 'pg'],
  ['probe_read_user', INT, [UMEM, SIZE0, ANY], 'g'],
  ['probe_read_kernel', INT, [UMEM, SIZE0, ANY], 'g'],
  ['probe_read_user_str', INT, [UMEM, SIZE0, ANY], 'g'],
  ['probe_read_kernel_str', INT, [UMEM, SIZE0, ANY], 'g'],
  ['send_signal_thread', INT, [ANY]],
  ['jiffies64', INT, []],
  ['get_ns_current_pid_tgid', INT, [ANY, ANY, UMEM, SIZE]],
  ['get_netns_cookie', INT, [A.ARG_PTR_TO_CTX_OR_NULL]],
  ['get_current_ancestor_cgroup_id', INT, [ANY]],
  ['sk_assign', INT, [CTX, SOCK, ANY]],
  ['ktime_get_boot_ns', INT, []],
  ['sk_cgroup_id', INT, [SOCK]],
  ['sk_ancestor_cgroup_id', INT, [SOCK, ANY]],
  ['ringbuf_output', INT, [MAP, RMEM, SIZE0, ANY]],
  ['ringbuf_reserve', A.RET_PTR_TO_RINGBUF_MEM_OR_NULL, [MAP, A.ARG_CONST_ALLOC_SIZE_OR_ZERO, ANY]],
  ['ringbuf_submit', VOID, [A.ARG_PTR_TO_RINGBUF_MEM | A.OBJ_RELEASE, ANY]],
  ['ringbuf_discard', VOID, [A.ARG_PTR_TO_RINGBUF_MEM | A.OBJ_RELEASE, ANY]],
  ['ringbuf_query', INT, [MAP, ANY]],
  ['csum_level', INT, [CTX, ANY]],
  ['skc_to_tcp6_sock', A.RET_PTR_TO_BTF_ID_OR_NULL, [SOCK], '', sock('tcp6_sock')],
  ['skc_to_tcp_sock', A.RET_PTR_TO_BTF_ID_OR_NULL, [SOCK], '', sock('tcp_sock')],
  ['skc_to_tcp_timewait_sock', A.RET_PTR_TO_BTF_ID_OR_NULL, [SOCK], '', sock('tcp_timewait_sock')],
  ['skc_to_tcp_request_sock', A.RET_PTR_TO_BTF_ID_OR_NULL, [SOCK], '', sock('tcp_request_sock')],
  ['skc_to_udp6_sock', A.RET_PTR_TO_BTF_ID_OR_NULL, [SOCK], '', sock('udp6_sock')],
  ['get_task_stack', INT, [OBJ, UMEM, SIZE0, ANY], '', task],
  ['copy_from_user', INT, [UMEM, SIZE0, ANY], 's'],
  ['snprintf_btf', INT, [WMEM, SIZE, RMEM, SIZE, ANY]],
  ['skb_cgroup_classid', INT, [CTX]],
  ['redirect_neigh', INT, [ANY, RMEM_NULL, SIZE0, ANY]],
  ['per_cpu_ptr', A.RET_PTR_TO_MEM_OR_BTF_ID | A.PTR_MAYBE_NULL | A.MEM_RDONLY, [A.ARG_PTR_TO_PERCPU_BTF_ID, ANY]],
  ['this_cpu_ptr', A.RET_PTR_TO_MEM_OR_BTF_ID | A.MEM_RDONLY, [A.ARG_PTR_TO_PERCPU_BTF_ID]],
  ['redirect_peer', INT, [ANY, ANY]],
  ['task_storage_get', A.RET_PTR_TO_MAP_VALUE_OR_NULL, [MAP, A.ARG_PTR_TO_BTF_ID_OR_NULL, A.ARG_PTR_TO_MAP_VALUE_OR_NULL, ANY], '',
    { btf: [undefined, 'task_struct'] }],
  ['task_storage_delete', INT, [MAP, A.ARG_PTR_TO_BTF_ID_OR_NULL], '', { btf: [undefined, 'task_struct'] }],
  ['get_current_task_btf', A.RET_PTR_TO_BTF_ID_TRUSTED, [], 'g', { ret: 'task_struct' }],
  ['ktime_get_coarse_ns', INT, []],
  ['check_mtu', INT, [CTX, ANY, FIXED | A.MEM_WRITE | A.MEM_ALIGNED, ANY, ANY], 'g', { sizes: [0, 0, 4] }],
  ['for_each_map_elem', INT, [MAP, FN, STACK_NULL, ANY]],
  ['snprintf', INT, [A.ARG_PTR_TO_MEM_OR_NULL | A.MEM_WRITE, SIZE0, A.ARG_PTR_TO_CONST_STR, RMEM_NULL, SIZE0], 'g'],
  ['timer_init', INT, [TIMER, MAP, ANY], 'g'],
  ['timer_set_callback', INT, [TIMER, FN], 'g'],
  ['timer_start', INT, [TIMER, ANY, ANY], 'g'],
  ['timer_cancel', INT, [TIMER], 'g'],
  ['task_pt_regs', A.RET_PTR_TO_BTF_ID, [OBJ], 'g', { ...task, ret: 'pt_regs' }],
  ['get_branch_snapshot', INT, [UMEM, SIZE0, ANY], 'g'],
  ['trace_vprintk', INT, [RMEM, SIZE, RMEM_NULL, SIZE0], 'g'],
  ['skc_to_unix_sock', A.RET_PTR_TO_BTF_ID_OR_NULL, [SOCK], '', sock('unix_sock')],
  ['find_vma', INT, [OBJ, ANY, FN, STACK_NULL, ANY], '', task],
  ['loop', INT, [ANY, FN, STACK_NULL, ANY]],
  ['strncmp', INT, [RMEM, SIZE, A.ARG_PTR_TO_CONST_STR]],
  ['xdp_get_buff_len', INT, [CTX]],
  ['xdp_load_bytes', INT, [CTX, ANY, UMEM, SIZE]],
  ['xdp_store_bytes', INT, [CTX, ANY, UMEM, SIZE]],
  ['copy_from_user_task', INT, [UMEM, SIZE0, ANY, OBJ, ANY], 'sg', { btf: [undefined, undefined, undefined, 'task_struct'] }],
  ['skb_set_tstamp', INT, [CTX, ANY, ANY]],
  ['kptr_xchg', A.RET_PTR_TO_BTF_ID_OR_NULL, [A.ARG_KPTR_XCHG_DEST, A.ARG_PTR_TO_BTF_ID_OR_NULL | A.OBJ_RELEASE]],
  ['map_lookup_percpu_elem', A.RET_PTR_TO_MAP_VALUE_OR_NULL, [MAP, KEY, ANY], 'p'],
  ['skc_to_mptcp_sock', A.RET_PTR_TO_BTF_ID_OR_NULL, [SKC], '', sock('mptcp_sock')],
  ['dynptr_from_mem', INT, [UMEM, SIZE0, ANY, DYN_NEW | A.DYNPTR_TYPE_LOCAL]],
  ['ringbuf_reserve_dynptr', INT, [MAP, ANY, ANY, DYN_NEW | A.DYNPTR_TYPE_RINGBUF]],
  ['ringbuf_submit_dynptr', VOID, [DYN | A.DYNPTR_TYPE_RINGBUF | A.OBJ_RELEASE, ANY]],
  ['ringbuf_discard_dynptr', VOID, [DYN | A.DYNPTR_TYPE_RINGBUF | A.OBJ_RELEASE, ANY]],
  ['dynptr_read', INT, [UMEM, SIZE0, DYN | A.MEM_RDONLY, ANY, ANY]],
  ['dynptr_write', INT, [DYN | A.MEM_RDONLY, ANY, RMEM, SIZE0, ANY]],
  ['dynptr_data', A.RET_PTR_TO_DYNPTR_MEM_OR_NULL, [DYN | A.MEM_RDONLY, ANY, A.ARG_CONST_ALLOC_SIZE_OR_ZERO]],
  ['tcp_raw_gen_syncookie_ipv4', INT, [FIXED | A.MEM_RDONLY, RMEM, SIZE0], 'pg', { sizes: [20] }],
  ['tcp_raw_gen_syncookie_ipv6', INT, [FIXED | A.MEM_RDONLY, RMEM, SIZE0], 'pg', { sizes: [40] }],
  ['tcp_raw_check_syncookie_ipv4', INT, [FIXED | A.MEM_RDONLY, FIXED | A.MEM_RDONLY], 'pg', { sizes: [20, 20] }],
  ['tcp_raw_check_syncookie_ipv6', INT, [FIXED | A.MEM_RDONLY, FIXED | A.MEM_RDONLY], 'pg', { sizes: [40, 20] }],
  ['ktime_get_tai_ns', INT, []],
  ['user_ringbuf_drain', INT, [MAP, FN, STACK_NULL, ANY]],
  ['cgrp_storage_get', A.RET_PTR_TO_MAP_VALUE_OR_NULL, [MAP, A.ARG_PTR_TO_BTF_ID_OR_NULL, A.ARG_PTR_TO_MAP_VALUE_OR_NULL, ANY], '',
    { btf: [undefined, 'cgroup'] }],
  ['cgrp_storage_delete', INT, [MAP, A.ARG_PTR_TO_BTF_ID_OR_NULL], '', { btf: [undefined, 'cgroup'] }],
]

const SKB = A.ARG_PTR_TO_SKB
type RfcRow = readonly [name: keyof typeof RFC_HELPER, ret: number, args: readonly number[], extra?: Extra]
const rfcRows: readonly RfcRow[] = [
  ['skb_map_push', INT, [MAP, SKB, ANY]],
  ['skb_map_pop', A.RET_PTR_TO_SKB | A.PTR_MAYBE_NULL, [MAP, ANY]],
  ['flow_map_push', INT, [MAP, MAP, ANY]],
  ['flow_map_pop', INT, [MAP, ANY]],
  ['skb_tc_classify', INT, [SKB, ANY, ANY]],
  // The rank must be initialised memory, as ARG_PTR_TO_LONG had it then.
  ['packet_dequeue', A.RET_PTR_TO_BTF_ID_OR_NULL, [CTX, MAP, ANY, FIXED | A.MEM_WRITE | A.MEM_ALIGNED], { sizes: [0, 0, 0, 8], ret: 'xdp_md' }],
  ['packet_drop', INT, [CTX, OBJ | A.OBJ_RELEASE], { btf: [undefined, 'xdp_md'] }],
  ['schedule_iface_dequeue', INT, [CTX, ANY, ANY]],
]

const five = (args: readonly number[]): readonly number[] => [0, 1, 2, 3, 4].map(n => args[n] ?? A.ARG_DONTCARE)

function proto(id: number, name: string, ret: number, args: readonly number[], flags = '', extra: Extra = {}): Proto {
  return {
    id, name, ret, args: five(args), sizes: extra.sizes ?? [], pkt: flags.includes('p'), gpl: flags.includes('g'),
    fastcall: flags.includes('f'), sleeps: flags.includes('s'), retBtf: extra.ret, argBtf: extra.btf ?? [],
  }
}

const protos = new Map<number, Proto>()
for (const [name, ret, args, flags, extra] of rows) protos.set(FUNC[name], proto(FUNC[name], name, ret, args, flags, extra))
for (const [name, ret, args, extra] of rfcRows) protos.set(RFC_HELPER[name], proto(RFC_HELPER[name], name, ret, args, '', extra))

/** Where a type's own version of a helper differs from the row above: [helper, types, arguments]. */
const curr = proto(FUNC.get_cgroup_classid, 'get_cgroup_classid', INT, [])
const lookupAssign = proto(FUNC.sk_assign, 'sk_assign', INT, [CTX, A.ARG_PTR_TO_SOCKET_OR_NULL, ANY])
const sockCookie = proto(FUNC.get_socket_cookie, 'get_socket_cookie', INT, [SOCK])
const SCHED = [3, 4, 0x4011]
const LWT = [10, 11, 12, 19]

/** The prototype of a helper for a program type; undefined: this kernel has none for it. Whether the type may call it: allowed.ts. */
export function protoOf(id: number, progType: number): Proto | undefined {
  if (id === FUNC.get_cgroup_classid && !SCHED.includes(progType) && !LWT.includes(progType)) return curr
  if (id === FUNC.sk_assign && progType === 30) return lookupAssign
  if (id === FUNC.get_socket_cookie && (progType === 31 || progType === 21)) return sockCookie
  return protos.get(id)
}

/** All rows, for `feature probe` and for tests. */
export const allProtos = (): Iterable<Proto> => protos.values()

const rfcNames = new Map<number, string>(Object.entries(RFC_HELPER).map(([name, id]) => [id, name]))

/** func_id_name() with the proposals' helpers: `bpf_map_lookup_elem`, `unknown`. */
export function helperText(id: number): string {
  const rfc = rfcNames.get(id)
  const name = rfc ?? names.get(id)
  return name === undefined ? 'unknown' : `bpf_${name}`
}

const names = new Map<number, string>(Object.entries(FUNC).map(([name, id]) => [id, name]))
