// struct bpf_sock and bpf_tcp_sock behind socket pointers: net/core/filter.c, bpf_sock_is_valid_access(), bpf_sock_convert_ctx_access().
import * as B from '../insn/opcode.js'
import { exact, jmpK, ldx, member, movK, word, type Context, type CtxField } from './ctx-types.js'
import { SOCK } from './layout.js'

const NO_QUEUE_MAPPING = 0xffff

const ip6 = (name: string, off: number, at: number): CtxField[] =>
  [0, 4, 8, 12].map(n => word(`${name}[${n / 4}]`, off + n, member(4, at + n)))

/** NO_QUEUE_MAPPING reads as -1. */
const rxQueue: CtxField['load'] = (dst, src) =>
  [ldx(2, dst, src, SOCK.rx_queue_mapping), jmpK(B.BPF_JNE, dst, NO_QUEUE_MAPPING, 1), movK(dst, -1)]

const whole = (name: string, off: number, load: CtxField['load']): CtxField => exact(name, off, 4, 'scalar', load)

const fields: readonly CtxField[] = [
  whole('bound_dev_if', 0, member(4, SOCK.bound_dev_if)),
  word('family', 4, member(2, SOCK.family), { target: 2 }),
  word('type', 8, member(2, SOCK.type), { target: 2 }),
  word('protocol', 12, member(2, SOCK.protocol), { target: 2 }),
  whole('mark', 16, member(4, SOCK.mark)),
  whole('priority', 20, member(4, SOCK.priority)),
  word('src_ip4', 24, member(4, SOCK.rcv_saddr)),
  ...ip6('src_ip6', 28, SOCK.v6_rcv_saddr),
  word('src_port', 44, member(2, SOCK.num), { target: 2 }),
  { ...word('dst_port', 48, member(2, SOCK.dport)), target: 2 },
  word('dst_ip4', 52, member(4, SOCK.daddr)),
  ...ip6('dst_ip6', 56, SOCK.v6_daddr),
  word('state', 72, member(1, SOCK.state), { target: 1 }),
  word('rx_queue_mapping', 76, rxQueue, { target: 2 }),
]

const context = (name: string, size: number, rows: readonly CtxField[], hidden: readonly string[]): Context =>
  ({ name, size, fields: rows, writable: new Set(), hidden: new Set(hidden), ldAbs: false })

export const bpfSock = context('bpf_sock', 80, fields, [])
/** A sock_common has no members of a full socket. */
export const bpfSockCommon = context('bpf_sock', 80, fields, ['type', 'protocol', 'mark', 'priority'])

/** Words at 0..55 and 72..115, two 64-bit counters between them. No TCP runs here, so such a pointer is never other than NULL. */
const tcp: CtxField[] = []
for (let off = 0; off < 116; off += 4) {
  if (off === 72 || off === 80) tcp.push(exact(`tcp${off}`, off, 8, 'scalar', (dst, src) => [ldx(8, dst, src, off)]))
  else if (off !== 76 && off !== 84) tcp.push(whole(`tcp${off}`, off, (dst, src) => [ldx(4, dst, src, off)]))
}
export const bpfTcpSock = context('bpf_tcp_sock', 116, tcp, [])

/** struct xdp_sock */
export const XDP_SOCK = { size: 1088, queue_id: 880 } as const
/** xdp_sock_is_valid_access() */
export const bpfXdpSock = context('bpf_xdp_sock', 4, [whole('queue_id', 0, member(4, XDP_SOCK.queue_id))], [])
