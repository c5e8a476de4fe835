// Kernel functions that congestion controls share: net/ipv4/tcp_cong.c, by RFC 5681. Nothing calls a congestion control here yet; what they
// do to a tcp_sock is what it will be.
import type { HelperEnv } from './env.js'
import type { KfuncTable } from './impl-kfunc.js'

/** struct tcp_sock, 6.18. is_cwnd_limited: bit 3. */
const TCP = { snd_cwnd: 1444, flags: 1463, snd_ssthresh: 1492, max_packets_out: 1772, snd_cwnd_cnt: 1932, snd_cwnd_clamp: 1936, prior_cwnd: 1948 } as const
const IS_CWND_LIMITED = 8

export function tcpKfuncs({ mem: { u32, u8 } }: HelperEnv): KfuncTable {
  const get = (tp: number, at: number): number => u32[(tp + at) >> 2]!
  const setCwnd = (tp: number, cwnd: number): void => {
    u32[(tp + TCP.snd_cwnd) >> 2] = Math.min(cwnd, get(tp, TCP.snd_cwnd_clamp))
  }
  const inSlowStart = (tp: number): boolean => get(tp, TCP.snd_cwnd) < get(tp, TCP.snd_ssthresh)
  /** tcp_is_cwnd_limited: while it grows fast, the window only has to be half used. */
  const isLimited = (tp: number): boolean => (u8[tp + TCP.flags]! & IS_CWND_LIMITED) !== 0
    || (inSlowStart(tp) && get(tp, TCP.snd_cwnd) < 2 * get(tp, TCP.max_packets_out))
  /** Up to the threshold; what is left of the acknowledged segments. */
  const slowStart = (tp: number, acked: number): number => {
    const before = get(tp, TCP.snd_cwnd)
    const cwnd = Math.min(before + (acked >>> 0), get(tp, TCP.snd_ssthresh))
    setCwnd(tp, cwnd)
    return ((acked >>> 0) - (cwnd - before)) | 0
  }
  /** One segment more for every `w` that were acknowledged. */
  const additive = (tp: number, w: number, acked: number): number => {
    const each = Math.max(1, w >>> 0)
    let cwnd = get(tp, TCP.snd_cwnd)
    let count = get(tp, TCP.snd_cwnd_cnt)
    if (count >= each) {
      count = 0
      cwnd += 1
    }
    count += acked >>> 0
    const more = Math.floor(count / each)
    u32[(tp + TCP.snd_cwnd_cnt) >> 2] = count - more * each
    setCwnd(tp, cwnd + more)
    return 0
  }
  return {
    tcp_slow_start: { ret: 'uint', call: slowStart },
    tcp_cong_avoid_ai: { ret: 'int', call: additive },
    tcp_reno_ssthresh: { ret: 'uint', call: (tp) => Math.max(get(tp, TCP.snd_cwnd) >>> 1, 2) },
    tcp_reno_undo_cwnd: { ret: 'uint', call: (tp) => Math.max(get(tp, TCP.snd_cwnd), get(tp, TCP.prior_cwnd)) | 0 },
    tcp_reno_cong_avoid: { ret: 'int', call: (tp, _ack, acked) => {
      if (!isLimited(tp)) return 0
      const left = inSlowStart(tp) ? slowStart(tp, acked) : acked
      return left === 0 ? 0 : additive(tp, get(tp, TCP.snd_cwnd), left)
    } },
  }
}
