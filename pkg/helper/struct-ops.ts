// What programs of each kind of struct_ops table may do: members, arguments, writes, kernel functions. One record a kind
// (struct bpf_verifier_ops and check_member: net/ipv4/bpf_tcp_ca.c, net/sched/bpf_qdisc.c).
import { FUNC } from '../uapi/bpf.js'

/** Part of a kernel struct that programs may write: a member, by its path, up to its end or up to another length. */
export interface Writable {
  readonly struct: string
  readonly member: string
  readonly size?: number
}

export interface TableProgs {
  readonly name: string
  /** Members that programs may be; undefined: all but `refused`. */
  readonly members?: readonly string[]
  readonly refused: readonly string[]
  /** Arguments whose type is another one than the prototype says, by member and index. */
  readonly argTypes: Readonly<Record<string, Readonly<Record<number, string>>>>
  /** A pointer to the first struct is one to the second. */
  readonly promote: Readonly<Record<string, string>>
  /** Arguments that come as references, which a program must give away: __ref of the kernel's stubs. */
  readonly refs: Readonly<Record<string, readonly number[]>>
  readonly writable: readonly Writable[]
  /** What a store elsewhere is told, by whether the struct is one of the writable ones. */
  readonly refuseWrite: (struct: string, off: number) => string
  /** Kernel functions of this kind, and the members that may call them. */
  readonly kfuncs: Readonly<Record<string, readonly string[] | 'all'>>
  /** Helpers besides the base set. */
  readonly helpers: readonly number[]
}

const CONG = 'all'

const tcp: TableProgs = {
  name: 'tcp_congestion_ops', refused: ['get_info'], argTypes: {}, refs: {},
  promote: { sock: 'tcp_sock' },
  writable: [
    { struct: 'sock', member: 'sk_pacing_rate' }, { struct: 'sock', member: 'sk_pacing_status' },
    { struct: 'inet_connection_sock', member: 'icsk_ca_priv' }, { struct: 'inet_connection_sock', member: 'icsk_ack.pending' },
    { struct: 'tcp_sock', member: 'snd_cwnd' }, { struct: 'tcp_sock', member: 'snd_cwnd_cnt' }, { struct: 'tcp_sock', member: 'snd_cwnd_stamp' },
    { struct: 'tcp_sock', member: 'snd_ssthresh' }, { struct: 'tcp_sock', member: 'ecn_flags' },
    { struct: 'tcp_sock', member: 'app_limited' },
  ],
  refuseWrite: (struct, off) => (struct === 'tcp_sock' ? `no write support to tcp_sock at off ${off}` : 'only read is supported'),
  kfuncs: {
    tcp_reno_ssthresh: CONG, tcp_reno_cong_avoid: CONG, tcp_reno_undo_cwnd: CONG, tcp_slow_start: CONG, tcp_cong_avoid_ai: CONG,
    cubictcp_init: CONG, cubictcp_recalc_ssthresh: CONG, cubictcp_cong_avoid: CONG, cubictcp_state: CONG, cubictcp_cwnd_event: CONG,
    cubictcp_acked: CONG, bbr_init: CONG, bbr_main: CONG, bbr_sndbuf_expand: CONG, bbr_undo_cwnd: CONG, bbr_cwnd_event: CONG,
    bbr_ssthresh: CONG, bbr_min_tso_segs: CONG, bbr_set_state: CONG,
  },
  helpers: [FUNC.tcp_send_ack, FUNC.sk_storage_get, FUNC.sk_storage_delete, FUNC.setsockopt, FUNC.getsockopt],
}

const qdisc: TableProgs = {
  name: 'Qdisc_ops', members: ['enqueue', 'dequeue', 'init', 'reset', 'destroy'], refused: [], promote: {},
  argTypes: { enqueue: { 2: 'bpf_sk_buff_ptr' } },
  refs: { enqueue: [0] },
  writable: [
    { struct: 'Qdisc', member: 'limit' }, { struct: 'Qdisc', member: 'q.qlen' }, { struct: 'Qdisc', member: 'qstats' },
    { struct: 'sk_buff', member: 'tstamp' },
    // struct qdisc_skb_cb's data, behind its 8 bytes of the core's own.
    { struct: 'sk_buff', member: 'cb+8', size: 20 },
  ],
  refuseWrite: (struct, off) => (struct === 'Qdisc' || struct === 'sk_buff' ? `no write support to ${struct} at off ${off}` : 'only read is supported'),
  kfuncs: {
    bpf_skb_get_hash: 'all', bpf_kfree_skb: 'all', bpf_dynptr_from_skb: 'all', bpf_qdisc_skb_drop: ['enqueue'],
    bpf_qdisc_watchdog_schedule: ['enqueue', 'dequeue'], bpf_qdisc_bstats_update: ['dequeue'],
    bpf_qdisc_init_prologue: [], bpf_qdisc_reset_destroy_epilogue: [],
  },
  helpers: [],
}

const kinds: ReadonlyMap<string, TableProgs> = new Map([tcp, qdisc].map(kind => [kind.name, kind]))

export const tableProgs = (name: string): TableProgs | undefined => kinds.get(name)
