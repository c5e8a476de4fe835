// Kernel functions that programs call by BTF id: net/core/filter.c, kernel/bpf/helpers.c, net/core/xdp.c (BTF_KFUNCS_START sets).
// One row a function; its prototype is read from the kernel's BTF. Flags in kernel spelling, by letter:
//   a KF_ACQUIRE  r KF_RELEASE  n KF_RET_NULL  t KF_TRUSTED_ARGS  i KF_ITER_NEW  x KF_ITER_NEXT  d KF_ITER_DESTROY  c calls a callback
//   p changes packet data
import { PROG_TYPE } from '../uapi/bpf.js'

export interface Kfunc {
  readonly name: string
  readonly params: number
  readonly acquire: boolean
  readonly release: boolean
  readonly retNull: boolean
  readonly trustedArgs: boolean
  readonly iterNew: boolean
  readonly iterNext: boolean
  readonly iterDestroy: boolean
  readonly callback: boolean
  readonly changesPktData: boolean
  /** Program types that may call it; undefined: all. */
  readonly types: readonly number[] | undefined
}

const TC = [PROG_TYPE.SCHED_CLS, PROG_TYPE.SCHED_ACT]
const XDP = [PROG_TYPE.XDP]
const SKB = [
  ...TC, PROG_TYPE.SK_SKB, PROG_TYPE.SOCKET_FILTER, PROG_TYPE.LWT_OUT, PROG_TYPE.LWT_IN, PROG_TYPE.LWT_XMIT, PROG_TYPE.LWT_SEG6LOCAL,
  PROG_TYPE.NETFILTER, PROG_TYPE.CGROUP_SKB,
]

const rows: readonly (readonly [name: string, params: number, flags: string, types?: readonly number[]])[] = [
  ['bpf_iter_num_new', 3, 'i'],
  ['bpf_iter_num_next', 1, 'xn'],
  ['bpf_iter_num_destroy', 1, 'd'],
  ['bpf_rcu_read_lock', 0, ''],
  ['bpf_rcu_read_unlock', 0, ''],
  ['bpf_dynptr_from_skb', 3, 't', SKB],
  ['bpf_dynptr_from_xdp', 3, '', XDP],
  ['bpf_dynptr_slice', 4, 'n'],
  ['bpf_dynptr_slice_rdwr', 4, 'n'],
  ['bpf_dynptr_adjust', 3, ''],
  ['bpf_dynptr_is_null', 1, ''],
  ['bpf_dynptr_is_rdonly', 1, ''],
  ['bpf_dynptr_size', 1, ''],
  ['bpf_dynptr_clone', 2, ''],
  ['bpf_xdp_metadata_rx_timestamp', 2, 't', XDP],
  ['bpf_xdp_metadata_rx_hash', 3, 't', XDP],
  ['bpf_xdp_metadata_rx_vlan_tag', 3, 't', XDP],
  ['bpf_cast_to_kern_ctx', 1, ''],
  ['bpf_rdonly_cast', 2, ''],
]

const kfuncs = new Map<string, Kfunc>(rows.map(([name, params, flags, types]) => [name, {
  name, params, acquire: flags.includes('a'), release: flags.includes('r'), retNull: flags.includes('n'), trustedArgs: flags.includes('t'),
  iterNew: flags.includes('i'), iterNext: flags.includes('x'), iterDestroy: flags.includes('d'), callback: flags.includes('c'),
  changesPktData: flags.includes('p'), types,
}]))

export const kfuncNamed = (name: string): Kfunc | undefined => kfuncs.get(name)
