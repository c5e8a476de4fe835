// Sockets: an emulated machine has only those that its wire commands open to send, so lookups find none. net/core/filter.c
import { SOCK, SKB } from '../skb/layout.js'
import { EINVAL, ENOENT, EOPNOTSUPP } from '../uapi/errno.js'
import { FUNC } from '../uapi/bpf.js'
import { setResult, type HelperEnv, type HelperTable } from './env.js'

/** What overflowuid is by default: a frame without a socket belongs to nobody. */
const OVERFLOW_UID = 65534
const INIT_NET_COOKIE = 1
const TCP_LISTEN = 10
const IPPROTO_TCP = 6

export function sockHelpers(env: HelperEnv): HelperTable {
  const { mem } = env
  const none = { ret: 'uint', call: () => 0 } as const
  const sockOf = (skb: number): number => mem.u32[(skb + SKB.sk) >> 2]!
  return {
    [FUNC.get_socket_cookie]: { ret: 'wide', call: (skb) => cookie(env, sockOf(skb)) },
    [FUNC.get_socket_uid]: { ret: 'uint', call: (skb) => (sockOf(skb) === 0 ? OVERFLOW_UID : env.task().uid) },
    [FUNC.get_netns_cookie]: { ret: 'uint', call: () => INIT_NET_COOKIE },
    [FUNC.sk_lookup_tcp]: none,
    [FUNC.sk_lookup_udp]: none,
    [FUNC.skc_lookup_tcp]: none,
    [FUNC.sk_release]: { ret: 'int', call: () => 0 },
    [FUNC.sk_fullsock]: { ret: 'uint', call: (sk) => sk },
    [FUNC.tcp_sock]: { ret: 'uint', call: (sk) => (sk !== 0 && mem.view.getUint16(sk + SOCK.protocol, true) === IPPROTO_TCP ? sk : 0) },
    [FUNC.get_listener_sock]: { ret: 'uint', call: (sk) => (sk !== 0 && mem.u8[sk + SOCK.state] === TCP_LISTEN ? sk : 0) },
    [FUNC.sk_assign]: { ret: 'int', call: (_skb, sk) => (sk === 0 ? -EINVAL : -EOPNOTSUPP) },
    [FUNC.tcp_check_syncookie]: { ret: 'int', call: () => -ENOENT },
    [FUNC.tcp_gen_syncookie]: { ret: 'int', call: () => -ENOENT },
    [FUNC.skc_to_tcp6_sock]: none,
    [FUNC.skc_to_tcp_sock]: none,
    [FUNC.skc_to_tcp_timewait_sock]: none,
    [FUNC.skc_to_tcp_request_sock]: none,
    [FUNC.skc_to_udp6_sock]: none,
    [FUNC.skc_to_unix_sock]: none,
    [FUNC.skc_to_mptcp_sock]: none,
  }
}

function cookie(env: HelperEnv, sk: number): number {
  if (sk === 0) return setResult(env, 0, 0)
  const { i32 } = env.mem
  return setResult(env, i32[(sk + SOCK.cookie) >> 2]!, i32[(sk + SOCK.cookie + 4) >> 2]!)
}
