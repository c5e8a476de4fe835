// Test runs of flow dissectors: net/bpf/test_run.c, bpf_prog_test_run_flow_dissector(); net/core/flow_dissector.c, bpf_flow_dissect(), v6.18.
import { KernelError } from '../bytes/errors.js'
import type { HookProg } from '../hook/types.js'
import { CONTEXTS } from '../mem/layout.js'
import type { TestRun, TestRunResult } from '../request/bpf.js'
import { FLOW_DISSECTOR } from '../skb/ctx-skb.js'
import { CONSUMED } from '../skb/skb.js'
import { EINVAL } from '../uapi/errno.js'
import { timed, type TestRunHost } from './test-run.js'

const CTX = CONTEXTS + 0x800
/** struct bpf_flow_keys */
const KEYS = CONTEXTS + 0x840
const KEYS_SIZE = 56
const KEY = { nhoff: 0, thoff: 2, n_proto: 10, flags: 48 } as const
/** BPF_FLOW_DISSECTOR_F_PARSE_1ST_FRAG, …_STOP_AT_FLOW_LABEL, …_STOP_AT_ENCAP */
const FLAGS = 7
const ETH_HLEN = 14

/** data_out and ctx_out are the keys that the program found; ctx_in may hold flags. */
export function testFlowDissector(host: TestRunHost, prog: HookProg, request: TestRun, data: Uint8Array): TestRunResult {
  if ((request.flags ?? 0) !== 0 || request.batchSize || request.cpu) throw new KernelError(EINVAL)
  const flags = givenFlags(request.ctxIn)
  const { skbs } = host
  const skb = skbs.alloc(data)
  try {
    const at = skbs.data(skb)
    const outcome = timed(host, request.repeat, () => dissect(host, prog, at, data.length, flags))
    const keys = skbs.u8.slice(KEYS, KEYS + KEYS_SIZE)
    return { ...outcome, dataOut: keys, ...(request.ctxIn ? { ctxOut: keys } : {}) }
  } finally {
    skbs.free(skb, CONSUMED)
  }
}

function givenFlags(bytes: Uint8Array | undefined): number {
  if (!bytes) return 0
  const keys = new Uint8Array(KEYS_SIZE)
  keys.set(bytes.subarray(0, KEYS_SIZE))
  const flags = new DataView(keys.buffer).getUint32(KEY.flags, true)
  const rest = bytes.some((byte, at) => byte !== 0 && (at < KEY.flags || at >= KEY.flags + 4))
  if (rest || (flags & ~FLAGS) !== 0) throw new KernelError(EINVAL)
  return flags
}

function dissect({ skbs }: TestRunHost, prog: HookProg, at: number, length: number, flags: number): number {
  const { u8, u16, u32 } = skbs
  u8.fill(0, KEYS, KEYS + KEYS_SIZE)
  u16[(KEYS + KEY.n_proto) >> 1] = u8[at + 12]! | (u8[at + 13]! << 8)
  u16[(KEYS + KEY.nhoff) >> 1] = ETH_HLEN
  u16[(KEYS + KEY.thoff) >> 1] = ETH_HLEN
  u32[(KEYS + KEY.flags) >> 2] = flags
  u8.fill(0, CTX, CTX + FLOW_DISSECTOR.size)
  u32[(CTX + FLOW_DISSECTOR.flow_keys) >> 2] = KEYS
  u32[(CTX + FLOW_DISSECTOR.data) >> 2] = at
  u32[(CTX + FLOW_DISSECTOR.data_end) >> 2] = at + length
  const result = prog.run(CTX)
  const clamp = (field: number, least: number): number => (u16[(KEYS + field) >> 1] = Math.max(least, Math.min(u16[(KEYS + field) >> 1]!, length)))
  clamp(KEY.thoff, clamp(KEY.nhoff, ETH_HLEN))
  return result
}
