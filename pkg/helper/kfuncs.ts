// Kernel functions that programs call by BTF id: net/core/filter.c, net/core/xdp.c, kernel/bpf/helpers.c, bpf_iter.c (BTF_KFUNCS_START sets).
// One row a function. Columns: name | arguments | result | flags | program types (none: all)
//   arguments  int  ctx  any  k (a constant)  iter_new iter_next iter_destroy  dynptr  dynptr_new:TYPE (or clone)
//              irq_save irq_restore (a flag on the stack) irq_lock irq_unlock res_lock res_unlock (the resilient lock's)
//              btf:STRUCT release:STRUCT (a trusted pointer; one that is given away)  mem_opt (memory or NULL, its constant size behind it)  szk  out:BYTES (memory that the function writes)
//              type (a struct of the program's)  obj  list_head list_node
//   result     obj  node (owned)  node_held  int  zero  void  mem:BYTES_or_null  slice slice_rdwr  kern_ctx  cast
//   flags      p moves packet data  d only in programs bound to a device  f may fail: two paths, errno or 0  l r: locks and unlocks RCU  + -: disables and enables preemption
import { PROG_TYPE } from '../uapi/bpf.js'

export interface Kfunc {
  readonly name: string
  readonly args: readonly string[]
  readonly ret: string
  readonly params: number
  readonly iterNext: boolean
  readonly callback: boolean
  readonly changesPktData: boolean
  readonly deviceBound: boolean
  /** Branches into failure and success. */
  readonly mayFail: boolean
  readonly rcu: 'lock' | 'unlock' | undefined
  readonly preempt: 'disable' | 'enable' | undefined
  /** Program types that may call it; undefined: all. */
  readonly types: readonly number[] | undefined
}

const XDP = [PROG_TYPE.XDP]
const SKB = [
  PROG_TYPE.SCHED_CLS, PROG_TYPE.SCHED_ACT, PROG_TYPE.SK_SKB, PROG_TYPE.SOCKET_FILTER, PROG_TYPE.LWT_OUT, PROG_TYPE.LWT_IN, PROG_TYPE.LWT_XMIT,
  PROG_TYPE.LWT_SEG6LOCAL, PROG_TYPE.NETFILTER, PROG_TYPE.CGROUP_SKB,
]
const OPS = [PROG_TYPE.STRUCT_OPS]
const NONE: readonly number[] = []

type Row = readonly [name: string, args: string, ret: string, flags?: string, types?: readonly number[]]
const rows: readonly Row[] = [
  ['bpf_iter_num_new',              'iter_new int int',           'int'],
  ['bpf_iter_num_next',             'iter_next',                  'mem:4_or_null'],
  ['bpf_iter_num_destroy',          'iter_destroy',               'void'],
  ['bpf_rcu_read_lock',             '',                           'void', 'l'],
  ['bpf_rcu_read_unlock',           '',                           'void', 'r'],
  ['bpf_preempt_disable',           '',                           'void', '+'],
  ['bpf_preempt_enable',            '',                           'void', '-'],
  ['bpf_local_irq_save',            'irq_save',                   'void'],
  ['bpf_local_irq_restore',         'irq_restore',                'void'],
  ['bpf_res_spin_lock',             'res_lock',                   'zero', 'f'],
  ['bpf_res_spin_unlock',           'res_unlock',                 'void'],
  ['bpf_res_spin_lock_irqsave',     'res_lock_irq irq_lock',      'zero', 'f'],
  ['bpf_res_spin_unlock_irqrestore', 'res_unlock_irq irq_unlock', 'void'],
  ['bpf_strcmp',                    'any any',                    'int'],
  ['bpf_strcasecmp',                'any any',                    'int'],
  ['bpf_strchr',                    'any int',                    'int'],
  ['bpf_strchrnul',                 'any int',                    'int'],
  ['bpf_strnchr',                   'any int int',                'int'],
  ['bpf_strrchr',                   'any int',                    'int'],
  ['bpf_strlen',                    'any',                        'int'],
  ['bpf_strnlen',                   'any int',                    'int'],
  ['bpf_strspn',                    'any any',                    'int'],
  ['bpf_strcspn',                   'any any',                    'int'],
  ['bpf_strstr',                    'any any',                    'int'],
  ['bpf_strnstr',                   'any any int',                'int'],
  ['bpf_dynptr_from_skb',           'ctx int dynptr_new:skb',     'int',  '',  [...SKB, PROG_TYPE.STRUCT_OPS]],
  ['bpf_dynptr_from_xdp',           'ctx int dynptr_new:xdp',     'int',  '',  XDP],
  ['bpf_dynptr_slice',              'dynptr int mem_opt szk',     'slice'],
  ['bpf_dynptr_slice_rdwr',         'dynptr int mem_opt szk',     'slice_rdwr'],
  ['bpf_dynptr_adjust',             'dynptr int int',             'int'],
  ['bpf_dynptr_clone',              'dynptr dynptr_new:clone',    'int'],
  ['bpf_dynptr_copy',               'dynptr int dynptr int int',  'int'],
  ['bpf_dynptr_memset',             'dynptr int int int',         'int'],
  ['bpf_dynptr_is_null',            'dynptr',                     'int'],
  ['bpf_dynptr_is_rdonly',          'dynptr',                     'int'],
  ['bpf_dynptr_size',               'dynptr',                     'int'],
  ['bpf_xdp_metadata_rx_timestamp', 'ctx out:8',                  'int',  'd', XDP],
  ['bpf_xdp_metadata_rx_hash',      'ctx out:4 out:4',            'int',  'd', XDP],
  ['bpf_xdp_metadata_rx_vlan_tag',  'ctx out:2 out:2',            'int',  'd', XDP],
  ['bpf_cast_to_kern_ctx',          'ctx',                        'kern_ctx'],
  ['bpf_rdonly_cast',               'any k',                      'cast'],
  ['bpf_obj_new_impl',              'type any',                   'obj'],
  ['bpf_obj_drop_impl',             'obj any',                    'void'],
  ['bpf_list_push_front_impl',      'list_head list_node any any', 'int'],
  ['bpf_list_push_back_impl',       'list_head list_node any any', 'int'],
  ['bpf_list_pop_front',            'list_head',                  'node'],
  ['bpf_list_pop_back',             'list_head',                  'node'],
  ['bpf_list_front',                'list_head',                  'node_held'],
  ['bpf_list_back',                 'list_head',                  'node_held'],
  ['bpf_skb_get_hash',              'btf:sk_buff',                'int',  '',  OPS],
  ['bpf_kfree_skb',                 'release:sk_buff',            'void', '',  OPS],
  ['bpf_qdisc_skb_drop',            'release:sk_buff btf:bpf_sk_buff_ptr', 'void', '', OPS],
  ['bpf_qdisc_watchdog_schedule',   'btf:Qdisc int int',          'void', '',  OPS],
  ['bpf_qdisc_bstats_update',       'btf:Qdisc btf:sk_buff',      'void', '',  OPS],
  ['bpf_qdisc_init_prologue',       'btf:Qdisc any',              'int',  '',  NONE],
  ['bpf_qdisc_reset_destroy_epilogue', 'btf:Qdisc',               'void', '',  NONE],
  ['tcp_reno_ssthresh',             'btf:sock',                   'int',  '',  OPS],
  ['tcp_reno_cong_avoid',           'btf:sock int int',           'void', '',  OPS],
  ['tcp_reno_undo_cwnd',            'btf:sock',                   'int',  '',  OPS],
  ['tcp_slow_start',                'btf:tcp_sock int',           'int',  '',  OPS],
  ['tcp_cong_avoid_ai',             'btf:tcp_sock int int',       'void', '',  OPS],
  ['bpf_sock_destroy',              'any',                        'int',  '',  NONE],
  ['bpf_get_file_xattr',            'any any any',                'int',  '',  NONE],
  ['bpf_cpumask_create',            '',                           'int',  '',  NONE],
]

const kfuncs = new Map<string, Kfunc>(rows.map(([name, text, ret, flags = '', types]) => {
  const args = text === '' ? [] : text.split(' ')
  return [name, {
    name, args, ret, params: args.length, iterNext: args[0] === 'iter_next', callback: false, changesPktData: flags.includes('p'),
    deviceBound: flags.includes('d'), mayFail: flags.includes('f'), rcu: flags.includes('l') ? 'lock' : flags.includes('r') ? 'unlock' : undefined,
    preempt: flags.includes('+') ? 'disable' : flags.includes('-') ? 'enable' : undefined, types,
  } satisfies Kfunc]
}))

export const kfuncNamed = (name: string): Kfunc | undefined => kfuncs.get(name)
