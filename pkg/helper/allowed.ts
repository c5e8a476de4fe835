// Which program type may call which helper, as Linux 6.18 answers with CAP_SYS_ADMIN: recorded from the kernel by loading one call
// a type and helper (test/oracle/helpers.ts compares). EVERY holds for all types; each type adds its own.
import { PROG_TYPE } from '../uapi/bpf.js'
import { RFC_HELPER } from './protos.js'

const EVERY: readonly number[] = [
  1, 2, 3, 5, 6, 7, 8, 12, 14, 15, 16, 17, 22, 35, 37, 42, 55, 80, 87, 88, 89, 93, 94, 105, 106, 109, 112, 113, 114,
  115, 117, 118, 120, 123, 125, 130, 131, 132, 133, 134, 141, 148, 149, 153, 154, 156, 157, 158, 164, 165, 169, 170,
  171, 172, 175, 176, 177, 180, 181, 182, 191, 194, 195, 197, 198, 199, 200, 201, 202, 203, 208, 209, 210, 211,
]

const OWN: ReadonlyMap<number, readonly number[]> = new Map([
  [PROG_TYPE.SOCKET_FILTER, [25, 26, 46, 47, 68, 122, 136, 137, 138, 139, 140, 160, 178, 196]],
  [PROG_TYPE.KPROBE, [4, 25, 27, 45, 67, 173, 174]],
  [PROG_TYPE.SCHED_CLS, [
    9, 10, 11, 13, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 30, 31, 32, 33, 34, 38, 39, 40, 41, 43, 46, 47, 48, 50,
    66, 68, 69, 79, 83, 84, 85, 86, 95, 96, 97, 98, 99, 100, 107, 108, 110, 122, 124, 135, 136, 137, 138, 139,
    140, 151, 152, 155, 160, 163, 178, 192, 196, 204, 205, 206, 207,
  ]],
  [PROG_TYPE.SCHED_ACT, [
    9, 10, 11, 13, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 30, 31, 32, 33, 34, 38, 39, 40, 41, 43, 46, 47, 48, 50,
    66, 68, 69, 79, 83, 84, 85, 86, 95, 96, 97, 98, 99, 100, 107, 108, 110, 122, 124, 135, 136, 137, 138, 139,
    140, 151, 152, 155, 160, 163, 178, 192, 196, 204, 205, 206, 207,
  ]],
  [PROG_TYPE.TRACEPOINT, [4, 25, 27, 45, 67, 173, 174]],
  [PROG_TYPE.XDP, [
    23, 25, 28, 44, 51, 54, 65, 69, 84, 85, 86, 99, 100, 110, 136, 137, 138, 139, 140, 160, 163, 178, 188, 189,
    190, 196, 204, 205, 206, 207,
  ]],
  [PROG_TYPE.PERF_EVENT, [4, 25, 27, 45, 56, 67, 119, 173, 174]],
  [PROG_TYPE.CGROUP_SKB, [
    25, 26, 46, 47, 68, 79, 81, 83, 84, 85, 86, 95, 96, 97, 98, 99, 107, 108, 122, 128, 129, 136, 137, 138, 139,
    140, 160, 178, 196,
  ]],
  [PROG_TYPE.CGROUP_SOCK, [25, 46, 81, 107, 122, 160, 186, 187]],
  [PROG_TYPE.LWT_IN, [24, 25, 26, 28, 33, 34, 39, 73, 136, 137, 138, 139, 140, 160, 178, 196]],
  [PROG_TYPE.LWT_OUT, [24, 25, 26, 28, 33, 34, 39, 136, 137, 138, 139, 140, 160, 178, 196]],
  [PROG_TYPE.LWT_XMIT, [
    9, 10, 11, 13, 20, 21, 23, 24, 25, 26, 28, 29, 30, 33, 34, 38, 39, 40, 41, 43, 73, 135, 136, 137, 138, 139,
    140, 160, 178, 196,
  ]],
  [PROG_TYPE.SOCK_OPS, [
    25, 46, 49, 53, 57, 59, 70, 81, 96, 107, 108, 122, 136, 137, 138, 139, 140, 142, 143, 144, 160, 178, 196,
  ]],
  [PROG_TYPE.SK_SKB, [
    9, 25, 26, 38, 39, 43, 46, 47, 50, 52, 72, 84, 85, 86, 99, 136, 137, 138, 139, 140, 160, 178, 196,
  ]],
  [PROG_TYPE.CGROUP_DEVICE, [25, 81]],
  [PROG_TYPE.SK_MSG, [25, 60, 61, 62, 63, 71, 90, 91, 107, 108, 122, 136, 137, 138, 139, 140, 160, 178, 196]],
  [PROG_TYPE.RAW_TRACEPOINT, [4, 25, 27, 45, 67, 173, 174]],
  [PROG_TYPE.CGROUP_SOCK_ADDR, [
    25, 46, 49, 57, 64, 81, 84, 85, 86, 99, 107, 108, 122, 136, 137, 138, 139, 140, 160, 178, 186, 187, 196,
  ]],
  [PROG_TYPE.LWT_SEG6LOCAL, [24, 25, 26, 28, 33, 34, 39, 74, 75, 76, 136, 137, 138, 139, 140, 160, 178, 196]],
  [PROG_TYPE.SK_REUSEPORT, [26, 46, 68, 82, 160]],
  [PROG_TYPE.FLOW_DISSECTOR, [26, 136, 137, 138, 139, 140, 160, 178, 196]],
  [PROG_TYPE.CGROUP_SYSCTL, [25, 81, 101, 102, 103, 104, 160, 186, 187]],
  [PROG_TYPE.CGROUP_SOCKOPT, [25, 81, 96, 107, 108, 122, 186, 187]],
  [PROG_TYPE.SK_LOOKUP, [25, 86, 124, 136, 137, 138, 139, 140, 160, 178, 196]],
  [PROG_TYPE.SYSCALL, [
    4, 25, 27, 45, 46, 67, 107, 108, 111, 121, 136, 137, 138, 139, 140, 147, 162, 166, 167, 168, 173, 178, 179,
    188, 196,
  ]],
  [PROG_TYPE.NETFILTER, []],
  // Kinds of tables add their own: helper/struct-ops.ts.
  [PROG_TYPE.STRUCT_OPS, []],
])

/** Types of the proposals (listing numbers of prog types), by the type whose helpers they may call, and what they add. */
const RFC: ReadonlyMap<number, readonly [number, readonly number[]]> = new Map([
  [0x4011, [PROG_TYPE.SCHED_CLS, [
    RFC_HELPER.skb_map_push, RFC_HELPER.skb_map_pop, RFC_HELPER.flow_map_push, RFC_HELPER.flow_map_pop, RFC_HELPER.skb_tc_classify,
  ]]],
  [0x4001, [PROG_TYPE.NETFILTER, [RFC_HELPER.packet_dequeue, RFC_HELPER.packet_drop, RFC_HELPER.schedule_iface_dequeue]]],
  [0x4021, [PROG_TYPE.UNSPEC, [1, 2, 3, 5, 6, 7, 8, 12]]],
])

/** What the proposals add to types that Linux has. */
const ADDED: ReadonlyMap<number, readonly number[]> = new Map([[PROG_TYPE.XDP, [RFC_HELPER.schedule_iface_dequeue]]])

const sets = new Map<number, ReadonlySet<number>>()

/** The helpers that programs of a type may call. */
export function helpersOf(progType: number): ReadonlySet<number> {
  let set = sets.get(progType)
  if (set === undefined) sets.set(progType, (set = build(progType)))
  return set
}

function build(progType: number): ReadonlySet<number> {
  const rfc = RFC.get(progType)
  if (rfc !== undefined) return new Set([...(rfc[0] === PROG_TYPE.UNSPEC ? [] : build(rfc[0])), ...rfc[1]])
  const own = OWN.get(progType)
  return new Set(own === undefined ? [] : [...EVERY, ...own, ...(ADDED.get(progType) ?? [])])
}

/** get_func_proto() finds one. */
export const mayCall = (progType: number, helper: number): boolean => helpersOf(progType).has(helper)
