// bpf_fib_lookup and bpf_check_mtu: net/core/filter.c
import { NET_DEVICE, SKB, XDP_BUFF, XDP_RXQ } from '../skb/layout.js'
import { EAFNOSUPPORT, EINVAL, ENODEV } from '../uapi/errno.js'
import { FUNC, PROG_TYPE } from '../uapi/bpf.js'
import { argHi, type DeviceView, type FibAnswer, type FibQuery, type HelperEnv, type HelperTable } from './env.js'
import { xdpLength } from './impl-xdp.js'

/** struct bpf_fib_lookup */
const FIB = {
  family: 0, l4_protocol: 1, sport: 2, dport: 4, tot_len: 6, ifindex: 8, tos: 12, src: 16, dst: 32, vlan_proto: 48, tbid: 48, vlan_tci: 50,
  smac: 52, mark: 52, dmac: 58, size: 64,
} as const
const AF_INET = 2
const AF_INET6 = 10
/** BPF_FIB_LOOKUP_DIRECT, OUTPUT, SKIP_NEIGH, TBID, SRC, MARK */
const DIRECT = 1
const SKIP_NEIGH = 4
const TBID = 8
const SRC = 16
const MARK = 32
const FLAGS = 63
const RET_SUCCESS = 0
const RET_FRAG_NEEDED = 8
/** BPF_MTU_CHK_SEGS; BPF_MTU_CHK_RET_FRAG_NEEDED */
const CHK_SEGS = 1
const CHK_FRAG_NEEDED = 1

export function fibHelpers(env: HelperEnv): HelperTable {
  return {
    [FUNC.fib_lookup]: { ret: 'int', call: (ctx, params, size, flags) => fibLookup(env, ctx, params, size, flags) },
    [FUNC.check_mtu]: {
      ret: 'int', wide: 1 << 4, call: (ctx, ifindex, mtuLen, diff, flags) => checkMtu(env, ctx, ifindex, mtuLen, diff, flags | argHi(env, 4)),
    },
  }
}

function isXdp(env: HelperEnv): boolean {
  return env.run.progType === PROG_TYPE.XDP
}

function fibLookup(env: HelperEnv, ctx: number, params: number, size: number, flags: number): number {
  if (size < FIB.size || (flags & ~FLAGS) !== 0) return -EINVAL
  const family = env.mem.u8[params + FIB.family]!
  if (family !== AF_INET && family !== AF_INET6) return -EAFNOSUPPORT
  const query = read(env, params, family, flags)
  const dev = env.net.device(query.ifindex)
  if (!dev) return -ENODEV
  const answer = env.net.fibLookup(query)
  write(env, params, family, flags, answer)
  return answer.result === RET_SUCCESS ? tooLong(env, ctx, params, answer, query.length) : answer.result
}

function read({ mem }: HelperEnv, params: number, family: 2 | 10, flags: number): FibQuery {
  const { view, u8 } = mem
  const bytes = family === AF_INET ? 4 : 16
  const tos = family === AF_INET ? u8[params + FIB.tos]! : view.getUint32(params + FIB.tos, false)
  return {
    family, flags, tos, protocol: u8[params + FIB.l4_protocol]!, ifindex: view.getUint32(params + FIB.ifindex, true),
    sport: view.getUint16(params + FIB.sport, false), dport: view.getUint16(params + FIB.dport, false),
    length: view.getUint16(params + FIB.tot_len, true),
    src: u8.slice(params + FIB.src, params + FIB.src + bytes), dst: u8.slice(params + FIB.dst, params + FIB.dst + bytes),
    mark: flags & MARK ? view.getUint32(params + FIB.mark, true) : 0,
    table: flags & DIRECT && flags & TBID ? view.getUint32(params + FIB.tbid, true) : 0,
  }
}

function write({ mem }: HelperEnv, params: number, family: number, flags: number, answer: FibAnswer): void {
  const { view, u8 } = mem
  if (answer.mtu !== undefined) view.setUint16(params + FIB.tot_len, answer.mtu, true)
  if (answer.ifindex !== undefined) view.setUint32(params + FIB.ifindex, answer.ifindex, true)
  if (answer.metric !== undefined) view.setUint32(params + FIB.tos, answer.metric, true)
  if (answer.gateway) u8.set(answer.gateway, params + FIB.dst)
  if (answer.gateway && family === AF_INET && answer.gateway.length === 16) u8[params + FIB.family] = AF_INET6
  if (answer.src && flags & SRC) u8.set(answer.src, params + FIB.src)
  if (answer.result !== RET_SUCCESS || (flags & SKIP_NEIGH) !== 0) return
  if (answer.dmac) u8.set(answer.dmac, params + FIB.dmac)
  if (answer.smac) u8.set(answer.smac, params + FIB.smac)
  view.setUint32(params + FIB.vlan_proto, 0, true)
}

/** The frame itself is held against the device when the program names no length. */
function tooLong(env: HelperEnv, ctx: number, params: number, answer: FibAnswer, length: number): number {
  const dev = env.net.device(answer.ifindex ?? 0)
  if (length !== 0 || isXdp(env) || !dev) return RET_SUCCESS
  if (env.skbs.len(ctx) <= dev.mtu + dev.hardHeaderLen) return RET_SUCCESS
  env.mem.view.setUint16(params + FIB.tot_len, dev.mtu, true)
  return RET_FRAG_NEEDED
}

function checkMtu(env: HelperEnv, ctx: number, ifindex: number, mtuLen: number, diff: number, flags: number): number {
  const { view } = env.mem
  const given = view.getUint32(mtuLen, true)
  if ((flags & ~(isXdp(env) ? 0 : CHK_SEGS)) !== 0 || ((flags & CHK_SEGS) !== 0 && (diff !== 0 || given !== 0))) return -EINVAL
  const dev = env.net.device(ifindex === 0 ? ownIfindex(env, ctx) : ifindex)
  if (!dev) return -ENODEV
  const length = (given === 0 ? frameLength(env, ctx) : given + dev.hardHeaderLen) + diff
  view.setUint32(mtuLen, dev.mtu, true)
  return fits(length, dev) ? 0 : CHK_FRAG_NEEDED
}

function fits(length: number, dev: DeviceView): boolean {
  return length <= dev.mtu + dev.hardHeaderLen
}

function frameLength(env: HelperEnv, ctx: number): number {
  return isXdp(env) ? xdpLength(env, ctx) : env.skbs.len(ctx)
}

/** ifindex of the device that the context is on. */
function ownIfindex({ mem, run }: HelperEnv, ctx: number): number {
  const at = (addr: number): number => mem.u32[addr >> 2]!
  const dev = run.progType === PROG_TYPE.XDP ? at(at(ctx + XDP_BUFF.rxq) + XDP_RXQ.dev) : at(ctx + SKB.dev)
  return dev === 0 ? 0 : at(dev + NET_DEVICE.ifindex)
}
