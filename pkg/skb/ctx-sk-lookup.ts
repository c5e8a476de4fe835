// struct bpf_sk_lookup on a bpf_sk_lookup_kern: net/core/filter.c, sk_lookup_is_valid_access(), sk_lookup_convert_ctx_access().
import * as B from '../insn/opcode.js'
import { exact, jmpK, ldx, member, movK32, word, type Context, type CtxField } from './ctx-types.js'

/** struct bpf_sk_lookup_kern */
export const SK_LOOKUP_KERN = {
  size: 48, family: 0, protocol: 2, sport: 4, dport: 6, v4_saddr: 8, v4_daddr: 12, v6_saddr: 16, v6_daddr: 24, selected_sk: 32,
  ingress_ifindex: 40, no_reuseport: 44,
} as const
const K = SK_LOOKUP_KERN

const ip6 = (name: string, off: number, pointer: number): CtxField[] => [0, 4, 8, 12].map(n =>
  word(`${name}[${n / 4}]`, off + n, (dst, src) => [ldx(8, dst, src, pointer), jmpK(B.BPF_JEQ, dst, 0, 1), ldx(4, dst, dst, n)]))

export const skLookup: Context = {
  name: 'bpf_sk_lookup', size: 72, writable: new Set(), hidden: new Set(), ldAbs: false,
  fields: [
    exact('sk', 0, 8, 'sock_or_null', member(8, K.selected_sk)),
    word('family', 8, member(2, K.family), { target: 2 }),
    word('protocol', 12, member(2, K.protocol), { target: 2 }),
    word('remote_ip4', 16, member(4, K.v4_saddr)),
    ...ip6('remote_ip6', 20, K.v6_saddr),
    { ...word('remote_port', 36, member(2, K.sport)), size: 2, wide: 4 },
    { ...word('remote_port_pad', 38, dst => [movK32(dst, 0)]), size: 2 },
    word('local_ip4', 40, member(4, K.v4_daddr)),
    ...ip6('local_ip6', 44, K.v6_daddr),
    word('local_port', 60, member(2, K.dport), { target: 2 }),
    word('ingress_ifindex', 64, member(4, K.ingress_ifindex)),
  ],
}
