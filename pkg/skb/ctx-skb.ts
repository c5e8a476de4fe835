// struct __sk_buff for every kind of program that sees one: net/core/filter.c, bpf_skb_is_valid_access(), bpf_convert_ctx_access() and the
// sk_filter_, tc_cls_act_, cg_skb_, lwt_, sk_skb_, flow_dissector_ variants. Conversions read as 6.18's do in `prog dump xlated`.
import type { Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'
import {
  addX, andK32, AX, chain, exact, goto_, jmpK, ldx, member, members, movK, movK32, restore, subX, word, type Context, type CtxField,
} from './ctx-types.js'
import { insn } from '../insn/insn.js'
import { BPF_CB, NET_DEVICE, QDISC_CB, SKB, SOCK } from './layout.js'

const SHARED_INFO = { gso_size: 4, gso_segs: 6, hwtstamps: 16 } as const
const NO_QUEUE_MAPPING = 0xffff
/** NR_CPUS + 1 */
const MIN_NAPI_ID = 0x101
const TC_AT_INGRESS = 4
const TSTAMP_TYPE = 3

const store = (size: number, off: number): NonNullable<CtxField['store']> => i => [restore(i, size, off)]
const sk = (size: number, off: number): CtxField['load'] => members([8, SKB.sk], [size, off])
const CB_DATA = SKB.cb + QDISC_CB.data

/** skb_end_pointer(), where the shared info lies: AX may be needed because dst may be src. */
function sharedInfo(size: number, off: number): CtxField['load'] {
  return (dst, src) => [ldx(4, AX, src, SKB.end), ldx(8, dst, src, SKB.head), addX(dst, AX), ldx(size, dst, dst, off)]
}

/** Received at ingress, the time is a receive time: programs that don't look at tstamp_type see 0 for a delivery time. */
function loadTstamp(dst: number, src: number): Insn[] {
  return [
    ldx(1, AX, src, SKB.tc_flags), jmpK(B.BPF_JSET, AX, TC_AT_INGRESS, 1, B.BPF_JMP32), goto_(4),
    jmpK(B.BPF_JSET, AX, TSTAMP_TYPE, 1, B.BPF_JMP32), goto_(2), movK(dst, 0), goto_(1), ldx(8, dst, src, SKB.tstamp),
  ]
}

function storeTstamp(i: Insn): Insn[] {
  return [
    ldx(1, AX, i.dst, SKB.tc_flags), jmpK(B.BPF_JSET, AX, TC_AT_INGRESS, 1, B.BPF_JMP32), goto_(2), andK32(AX, ~TSTAMP_TYPE),
    insn(B.BPF_STX | B.BPF_MEM | B.BPF_B, i.dst, AX, SKB.tc_flags, 0), restore(i, 8, SKB.tstamp),
  ]
}

/** NO_QUEUE_MAPPING is not a queue: such a store does nothing. */
function storeQueue(i: Insn): Insn[] {
  const write = restore(i, 2, SKB.queue_mapping)
  if (B.BPF_CLASS(i.code) === B.BPF_ST) return i.imm >>> 0 >= NO_QUEUE_MAPPING ? [goto_(0)] : [write]
  return [jmpK(B.BPF_JGE, i.src, NO_QUEUE_MAPPING, 1), write]
}

const ip6 = (name: string, off: number, at: number): CtxField[] =>
  [0, 4, 8, 12].map(n => exact(`${name}[${n / 4}]`, off + n, 4, 'scalar', sk(4, at + n)))

const fields: readonly CtxField[] = [
  word('len', 0, member(4, SKB.len)),
  word('pkt_type', 4, (dst, src) => [ldx(1, dst, src, SKB.pkt_type), andK32(dst, 7)], { target: 1 }),
  word('mark', 8, member(4, SKB.mark), { store: store(4, SKB.mark) }),
  word('queue_mapping', 12, member(2, SKB.queue_mapping), { target: 2, store: storeQueue }),
  word('protocol', 16, member(2, SKB.protocol), { target: 2 }),
  word('vlan_present', 20, (dst, src) => [ldx(4, dst, src, SKB.vlan_proto), jmpK(B.BPF_JEQ, dst, 0, 1), movK32(dst, 1)]),
  word('vlan_tci', 24, member(2, SKB.vlan_tci), { target: 2 }),
  word('vlan_proto', 28, member(2, SKB.vlan_proto), { target: 2 }),
  word('priority', 32, member(4, SKB.priority), { store: store(4, SKB.priority) }),
  word('ingress_ifindex', 36, member(4, SKB.skb_iif)),
  word('ifindex', 40, (dst, src) => [ldx(8, dst, src, SKB.dev), jmpK(B.BPF_JEQ, dst, 0, 1), ldx(4, dst, dst, NET_DEVICE.ifindex)]),
  word('tc_index', 44, member(2, SKB.tc_index), { target: 2, store: store(2, SKB.tc_index) }),
  {
    name: 'cb', off: 48, size: 20, kind: 'scalar', access: 'bytes', load: (dst, src, size, part) => [ldx(size, dst, src, CB_DATA + part)],
    store: (i, part) => [restore(i, B.sizeBytes(i.code), CB_DATA + part)],
  },
  word('hash', 68, member(4, SKB.hash)),
  word('tc_classid', 72, member(2, SKB.cb + QDISC_CB.tc_classid), { target: 2, store: store(2, SKB.cb + QDISC_CB.tc_classid) }),
  exact('data', 76, 4, 'pkt', member(8, SKB.data)),
  exact('data_end', 80, 4, 'pkt_end', member(8, SKB.cb + BPF_CB.data_end)),
  word('napi_id', 84, (dst, src) => [ldx(4, dst, src, SKB.napi_id), jmpK(B.BPF_JGE, dst, MIN_NAPI_ID, 1), movK(dst, 0)]),
  word('family', 88, sk(2, SOCK.family), { target: 2 }),
  exact('remote_ip4', 92, 4, 'scalar', sk(4, SOCK.daddr)),
  exact('local_ip4', 96, 4, 'scalar', sk(4, SOCK.rcv_saddr)),
  ...ip6('remote_ip6', 100, SOCK.v6_daddr),
  ...ip6('local_ip6', 116, SOCK.v6_rcv_saddr),
  word('remote_port', 132, (dst, src) => [...sk(2, SOCK.dport)(dst, src, 4, 0), insn(B.BPF_ALU | B.BPF_LSH | B.BPF_K, dst, 0, 0, 16)], { target: 2 }),
  word('local_port', 136, sk(2, SOCK.num), { target: 2 }),
  exact('data_meta', 140, 4, 'pkt_meta', member(8, SKB.cb + BPF_CB.data_meta)),
  exact('flow_keys', 144, 8, 'flow_keys', member(8, 0)),
  exact('tstamp', 152, 8, 'scalar', loadTstamp, { store: storeTstamp }),
  word('wire_len', 160, member(4, SKB.cb + QDISC_CB.pkt_len)),
  word('gso_segs', 164, sharedInfo(2, SHARED_INFO.gso_segs), { target: 2 }),
  exact('sk', 168, 8, 'sock_common_or_null', member(8, SKB.sk)),
  word('gso_size', 176, sharedInfo(2, SHARED_INFO.gso_size), { target: 2 }),
  exact('tstamp_type', 180, 1, 'scalar', (dst, src) => [ldx(1, dst, src, SKB.tc_flags), andK32(dst, TSTAMP_TYPE)]),
  exact('hwtstamp', 184, 8, 'scalar', sharedInfo(8, SHARED_INFO.hwtstamps)),
]

const SOCKET_FIELDS = [
  'family', 'remote_ip4', 'local_ip4', 'remote_ip6[0]', 'remote_ip6[1]', 'remote_ip6[2]', 'remote_ip6[3]', 'local_ip6[0]', 'local_ip6[1]',
  'local_ip6[2]', 'local_ip6[3]', 'remote_port', 'local_port',
]

const skDataEnd = exact('data_end', 80, 4, 'pkt_end', (dst, src) => [
  ldx(8, dst, src, SKB.data), ldx(4, AX, src, SKB.len), addX(dst, AX), ldx(4, AX, src, SKB.data_len), subX(dst, AX),
])
/** struct sk_skb_cb: its data comes first. */
const skCb: CtxField = {
  name: 'cb', off: 48, size: 20, kind: 'scalar', access: 'bytes', load: (dst, src, size, part) => [ldx(size, dst, src, SKB.cb + part)],
}

function skbContext(hidden: readonly string[], writable: readonly string[], ldAbs: boolean, own = fields): Context {
  return { name: '__sk_buff', size: 192, fields: own, hidden: new Set(hidden), writable: new Set(writable), ldAbs }
}

/** sk_filter_is_valid_access() */
export const socketFilter = skbContext(
  ['tc_classid', 'data', 'data_meta', 'data_end', 'tstamp', 'wire_len', 'hwtstamp', 'tstamp_type', 'flow_keys', ...SOCKET_FIELDS], ['cb'], true)

/** tc_cls_act_is_valid_access(); also what the skb of a sch_bpf context is. A classified packet always has a device. */
export const schedCls = skbContext(
  ['flow_keys', ...SOCKET_FIELDS], ['mark', 'tc_index', 'priority', 'tc_classid', 'cb', 'tstamp', 'queue_mapping'], true,
  fields.map(f => f.name !== 'ifindex' ? f : word('ifindex', 40, members([8, SKB.dev], [4, NET_DEVICE.ifindex]))))

/** cg_skb_is_valid_access() */
export const cgroupSkb = skbContext(
  ['tc_classid', 'data_meta', 'wire_len', 'tstamp_type', 'flow_keys'], ['mark', 'priority', 'cb', 'tstamp'], false)

/** lwt_is_valid_access() */
export const lwt = skbContext(
  ['tc_classid', 'data_meta', 'tstamp', 'wire_len', 'hwtstamp', 'tstamp_type', 'flow_keys', ...SOCKET_FIELDS], ['mark', 'priority', 'cb'], false)

/** sk_skb_is_valid_access(); data_end is computed and cb lies elsewhere, since the strparser needs skb->cb for itself. */
export const skSkb = skbContext(
  ['mark', 'tc_classid', 'data_meta', 'tstamp', 'wire_len', 'hwtstamp', 'tstamp_type', 'flow_keys'], ['tc_index', 'priority'], false,
  fields.map(f => (f.name === 'data_end' ? skDataEnd : f.name === 'cb' ? skCb : f)))

/** struct bpf_flow_dissector {flow_keys, skb, data, data_end} is what these programs are really given. */
export const FLOW_DISSECTOR = { size: 32, flow_keys: 0, skb: 8, data: 16, data_end: 24 } as const

/** flow_dissector_is_valid_access() */
export const flowDissector: Context = skbContext([], [], false, [
  exact('data', 76, 4, 'pkt', (dst, src) => chain(dst, src, [8, FLOW_DISSECTOR.data])),
  exact('data_end', 80, 4, 'pkt_end', (dst, src) => chain(dst, src, [8, FLOW_DISSECTOR.data_end])),
  exact('flow_keys', 144, 8, 'flow_keys', (dst, src) => chain(dst, src, [8, FLOW_DISSECTOR.flow_keys])),
])
