// libbpf's section_defs[] (tools/lib/bpf/libbpf.c, v1.6) and the sections of the proposals: what a program is, by where it lies.
import { ATTACH_TYPE as A, PROG_F, PROG_TYPE as T } from '../uapi/bpf.js'
import { RFC_ATTACH_TYPE as RA, RFC_PROG_TYPE as R } from '../uapi/rfc.js'

export interface SectionDef {
  /** A trailing + allows the bare word and anything behind `word/`. */
  readonly section: string
  readonly type: number
  readonly attach: number
  readonly flags: number
}

const SLEEPABLE = PROG_F.SLEEPABLE
const FRAGS = PROG_F.XDP_HAS_FRAGS

/** section, program type, expected attach type, load flags. */
const rows: readonly (readonly [string, number, number, number?])[] = [
  ['socket', T.SOCKET_FILTER, 0],
  ['sk_reuseport/migrate', T.SK_REUSEPORT, A.SK_REUSEPORT_SELECT_OR_MIGRATE],
  ['sk_reuseport', T.SK_REUSEPORT, A.SK_REUSEPORT_SELECT],
  ['kprobe+', T.KPROBE, 0],
  ['uprobe+', T.KPROBE, 0],
  ['uprobe.s+', T.KPROBE, 0, SLEEPABLE],
  ['kretprobe+', T.KPROBE, 0],
  ['uretprobe+', T.KPROBE, 0],
  ['uretprobe.s+', T.KPROBE, 0, SLEEPABLE],
  ['kprobe.multi+', T.KPROBE, A.TRACE_KPROBE_MULTI],
  ['kretprobe.multi+', T.KPROBE, A.TRACE_KPROBE_MULTI],
  ['kprobe.session+', T.KPROBE, A.TRACE_KPROBE_SESSION],
  ['uprobe.multi+', T.KPROBE, A.TRACE_UPROBE_MULTI],
  ['uretprobe.multi+', T.KPROBE, A.TRACE_UPROBE_MULTI],
  ['uprobe.session+', T.KPROBE, A.TRACE_UPROBE_SESSION],
  ['uprobe.multi.s+', T.KPROBE, A.TRACE_UPROBE_MULTI, SLEEPABLE],
  ['uretprobe.multi.s+', T.KPROBE, A.TRACE_UPROBE_MULTI, SLEEPABLE],
  ['uprobe.session.s+', T.KPROBE, A.TRACE_UPROBE_SESSION, SLEEPABLE],
  ['ksyscall+', T.KPROBE, 0],
  ['kretsyscall+', T.KPROBE, 0],
  ['usdt+', T.KPROBE, 0],
  ['usdt.s+', T.KPROBE, 0, SLEEPABLE],
  ['tc/ingress', T.SCHED_CLS, A.TCX_INGRESS],
  ['tc/egress', T.SCHED_CLS, A.TCX_EGRESS],
  ['tcx/ingress', T.SCHED_CLS, A.TCX_INGRESS],
  ['tcx/egress', T.SCHED_CLS, A.TCX_EGRESS],
  ['tc', T.SCHED_CLS, 0],
  ['classifier', T.SCHED_CLS, 0],
  ['action', T.SCHED_ACT, 0],
  ['netkit/primary', T.SCHED_CLS, A.NETKIT_PRIMARY],
  ['netkit/peer', T.SCHED_CLS, A.NETKIT_PEER],
  ['tracepoint+', T.TRACEPOINT, 0],
  ['tp+', T.TRACEPOINT, 0],
  ['raw_tracepoint+', T.RAW_TRACEPOINT, 0],
  ['raw_tp+', T.RAW_TRACEPOINT, 0],
  ['raw_tracepoint.w+', T.RAW_TRACEPOINT_WRITABLE, 0],
  ['raw_tp.w+', T.RAW_TRACEPOINT_WRITABLE, 0],
  ['tp_btf+', T.TRACING, A.TRACE_RAW_TP],
  ['fentry+', T.TRACING, A.TRACE_FENTRY],
  ['fmod_ret+', T.TRACING, A.MODIFY_RETURN],
  ['fexit+', T.TRACING, A.TRACE_FEXIT],
  ['fentry.s+', T.TRACING, A.TRACE_FENTRY, SLEEPABLE],
  ['fmod_ret.s+', T.TRACING, A.MODIFY_RETURN, SLEEPABLE],
  ['fexit.s+', T.TRACING, A.TRACE_FEXIT, SLEEPABLE],
  ['freplace+', T.EXT, 0],
  ['lsm+', T.LSM, A.LSM_MAC],
  ['lsm.s+', T.LSM, A.LSM_MAC, SLEEPABLE],
  ['lsm_cgroup+', T.LSM, A.LSM_CGROUP],
  ['iter+', T.TRACING, A.TRACE_ITER],
  ['iter.s+', T.TRACING, A.TRACE_ITER, SLEEPABLE],
  ['syscall', T.SYSCALL, 0, SLEEPABLE],
  ['xdp.frags/devmap', T.XDP, A.XDP_DEVMAP, FRAGS],
  ['xdp/devmap', T.XDP, A.XDP_DEVMAP],
  ['xdp.frags/cpumap', T.XDP, A.XDP_CPUMAP, FRAGS],
  ['xdp/cpumap', T.XDP, A.XDP_CPUMAP],
  ['xdp.frags', T.XDP, A.XDP, FRAGS],
  ['xdp', T.XDP, A.XDP],
  ['perf_event', T.PERF_EVENT, 0],
  ['lwt_in', T.LWT_IN, 0],
  ['lwt_out', T.LWT_OUT, 0],
  ['lwt_xmit', T.LWT_XMIT, 0],
  ['lwt_seg6local', T.LWT_SEG6LOCAL, 0],
  ['sockops', T.SOCK_OPS, A.CGROUP_SOCK_OPS],
  ['sk_skb/stream_parser', T.SK_SKB, A.SK_SKB_STREAM_PARSER],
  ['sk_skb/stream_verdict', T.SK_SKB, A.SK_SKB_STREAM_VERDICT],
  ['sk_skb/verdict', T.SK_SKB, A.SK_SKB_VERDICT],
  ['sk_skb', T.SK_SKB, 0],
  ['sk_msg', T.SK_MSG, A.SK_MSG_VERDICT],
  ['lirc_mode2', T.LIRC_MODE2, A.LIRC_MODE2],
  ['flow_dissector', T.FLOW_DISSECTOR, A.FLOW_DISSECTOR],
  ['cgroup_skb/ingress', T.CGROUP_SKB, A.CGROUP_INET_INGRESS],
  ['cgroup_skb/egress', T.CGROUP_SKB, A.CGROUP_INET_EGRESS],
  ['cgroup/skb', T.CGROUP_SKB, 0],
  ['cgroup/sock_create', T.CGROUP_SOCK, A.CGROUP_INET_SOCK_CREATE],
  ['cgroup/sock_release', T.CGROUP_SOCK, A.CGROUP_INET_SOCK_RELEASE],
  ['cgroup/sock', T.CGROUP_SOCK, A.CGROUP_INET_SOCK_CREATE],
  ['cgroup/post_bind4', T.CGROUP_SOCK, A.CGROUP_INET4_POST_BIND],
  ['cgroup/post_bind6', T.CGROUP_SOCK, A.CGROUP_INET6_POST_BIND],
  ['cgroup/bind4', T.CGROUP_SOCK_ADDR, A.CGROUP_INET4_BIND],
  ['cgroup/bind6', T.CGROUP_SOCK_ADDR, A.CGROUP_INET6_BIND],
  ['cgroup/connect4', T.CGROUP_SOCK_ADDR, A.CGROUP_INET4_CONNECT],
  ['cgroup/connect6', T.CGROUP_SOCK_ADDR, A.CGROUP_INET6_CONNECT],
  ['cgroup/connect_unix', T.CGROUP_SOCK_ADDR, A.CGROUP_UNIX_CONNECT],
  ['cgroup/sendmsg4', T.CGROUP_SOCK_ADDR, A.CGROUP_UDP4_SENDMSG],
  ['cgroup/sendmsg6', T.CGROUP_SOCK_ADDR, A.CGROUP_UDP6_SENDMSG],
  ['cgroup/sendmsg_unix', T.CGROUP_SOCK_ADDR, A.CGROUP_UNIX_SENDMSG],
  ['cgroup/recvmsg4', T.CGROUP_SOCK_ADDR, A.CGROUP_UDP4_RECVMSG],
  ['cgroup/recvmsg6', T.CGROUP_SOCK_ADDR, A.CGROUP_UDP6_RECVMSG],
  ['cgroup/recvmsg_unix', T.CGROUP_SOCK_ADDR, A.CGROUP_UNIX_RECVMSG],
  ['cgroup/getpeername4', T.CGROUP_SOCK_ADDR, A.CGROUP_INET4_GETPEERNAME],
  ['cgroup/getpeername6', T.CGROUP_SOCK_ADDR, A.CGROUP_INET6_GETPEERNAME],
  ['cgroup/getpeername_unix', T.CGROUP_SOCK_ADDR, A.CGROUP_UNIX_GETPEERNAME],
  ['cgroup/getsockname4', T.CGROUP_SOCK_ADDR, A.CGROUP_INET4_GETSOCKNAME],
  ['cgroup/getsockname6', T.CGROUP_SOCK_ADDR, A.CGROUP_INET6_GETSOCKNAME],
  ['cgroup/getsockname_unix', T.CGROUP_SOCK_ADDR, A.CGROUP_UNIX_GETSOCKNAME],
  ['cgroup/sysctl', T.CGROUP_SYSCTL, A.CGROUP_SYSCTL],
  ['cgroup/getsockopt', T.CGROUP_SOCKOPT, A.CGROUP_GETSOCKOPT],
  ['cgroup/setsockopt', T.CGROUP_SOCKOPT, A.CGROUP_SETSOCKOPT],
  ['cgroup/dev', T.CGROUP_DEVICE, A.CGROUP_DEVICE],
  ['struct_ops+', T.STRUCT_OPS, 0],
  ['struct_ops.s+', T.STRUCT_OPS, 0, SLEEPABLE],
  ['sk_lookup', T.SK_LOOKUP, A.SK_LOOKUP],
  ['netfilter', T.NETFILTER, A.NETFILTER],
  // The proposals: names of the posted samples first.
  ['dequeue+', R.DEQUEUE, 0],
  ['xdp_dequeue', R.DEQUEUE, 0],
  ['sch_bpf/enqueue', R.SCHED_QDISC, RA.QDISC_ENQUEUE],
  ['sch_bpf/dequeue', R.SCHED_QDISC, RA.QDISC_DEQUEUE],
  ['qdisc/enqueue', R.SCHED_QDISC, RA.QDISC_ENQUEUE],
  ['qdisc/dequeue', R.SCHED_QDISC, RA.QDISC_DEQUEUE],
  ['qdisc/reset', R.SCHED_QDISC, RA.QDISC_RESET],
  ['qdisc/init', R.SCHED_QDISC, RA.QDISC_INIT],
]

/** Words that begin a section: phys_dev1 of the PHYS_DEV sample. */
const PREFIXES: readonly SectionDef[] = [{ section: 'phys_dev', type: R.PHYS_DEV, attach: 0, flags: 0 }]

export const SECTION_DEFS: readonly SectionDef[] = rows.map(([section, type, attach, flags = 0]) => ({ section, type, attach, flags }))

/** The row of a section; exact names first, then as libbpf before 1.0 did: any section that begins with a known word. */
export function sectionDef(name: string): SectionDef | undefined {
  return SECTION_DEFS.find(def => matches(def.section, name))
    ?? PREFIXES.find(def => name.startsWith(def.section))
    ?? SECTION_DEFS.find(def => name.startsWith(def.section.replace('+', '')))
}

function matches(pattern: string, name: string): boolean {
  if (!pattern.endsWith('+')) return name === pattern
  const word = pattern.slice(0, -1)
  return name === word || name.startsWith(`${word}/`)
}
