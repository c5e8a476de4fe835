// BPF_PROG_TEST_RUN: one program over one frame, without effects on devices. net/bpf/test_run.c, v6.18.
import { KernelError } from '../bytes/errors.js'
import { runXdp, prepareXdp, xdpMetaLen } from '../hook/xdp.js'
import { runClassifier } from '../hook/skb-run.js'
import type { HookProg } from '../hook/types.js'
import type { TestRun, TestRunResult } from '../request/bpf.js'
import { SKB } from '../skb/layout.js'
import { etherType, packetType, type LinkAddresses } from '../skb/eth-type.js'
import { clearSharedInfo } from '../skb/skb-gso.js'
import { CONSUMED, type Skbs } from '../skb/skb.js'
import { PROG_TYPE } from '../uapi/bpf.js'
import { RFC_PROG_TYPE } from '../uapi/rfc.js'
import { EFAULT, EINVAL, ENODEV, ENOMEM, ENOTSUPP } from '../uapi/errno.js'
import type { LiveRun } from '../datapath/index.js'
import { testDequeue } from './test-dequeue.js'
import { testFlowDissector } from './test-flow.js'
import { ownTestSock } from './test-sock.js'
import { testPhysDev } from './test-phys-dev.js'
import { readSkBuff, readXdpMd, writeSkBuff, writeXdpMd } from './test-ctx.js'
import { testLive } from './test-live.js'

const ETH_HLEN = 14
const ETH_P_IP = 0x0800
const ETH_P_IPV6 = 0x86dd
const IPV4_HLEN = 20
const IPV6_HLEN = 40
/** PAGE_SIZE less headroom and skb_shared_info: what one buffer takes. */
export const XDP_MAX_LINEAR = 4096 - 256 - 320

/** What a run needs of the machine. */
export interface TestRunHost {
  readonly skbs: Skbs
  prog(id: number): HookProg
  /** struct net_device of an interface, undefined: ENODEV. */
  device(ifindex: number): (LinkAddresses & { addr: number }) | undefined
  /** Real time in ns, for the duration line; constant 0 keeps runs repeatable. */
  stopwatch(): number
  live(prog: HookProg, run: LiveRun): void
  /** Does what a program left for later: turns of dequeue programs. */
  settle(): void
}

type Runner = (host: TestRunHost, prog: HookProg, request: TestRun, data: Uint8Array) => TestRunResult

/** BPF_F_TEST_XDP_LIVE_FRAMES */
const LIVE_FRAMES = 2

export const LOOPBACK = 1

/** Type -> how it is tried; a type that is not here answers ENOTSUPP, as in the kernel. */
const RUNNERS: ReadonlyMap<number, Runner> = new Map<number, Runner>([
  [PROG_TYPE.XDP, testXdp],
  ...[PROG_TYPE.SCHED_CLS, PROG_TYPE.SCHED_ACT].map((type): [number, Runner] => [type, (...a) => testSkb(...a, true)]),
  ...[PROG_TYPE.SOCKET_FILTER, PROG_TYPE.CGROUP_SKB, PROG_TYPE.LWT_IN, PROG_TYPE.LWT_OUT, PROG_TYPE.LWT_XMIT, PROG_TYPE.LWT_SEG6LOCAL]
    .map((type): [number, Runner] => [type, (...a) => testSkb(...a, false)]),
  [PROG_TYPE.FLOW_DISSECTOR, testFlowDissector],
  [RFC_PROG_TYPE.PHYS_DEV, testPhysDev],
])

export class TestRunner {
  readonly #host: TestRunHost

  constructor(host: TestRunHost) {
    this.#host = host
  }

  run(request: TestRun): TestRunResult {
    const prog = this.#host.prog(request.progId)
    if (prog.type === RFC_PROG_TYPE.DEQUEUE) return this.#settled(cut(request, testDequeue(this.#host, prog, request)))
    const runner = RUNNERS.get(prog.type)
    if (!runner) throw new KernelError(ENOTSUPP)
    const data = request.dataIn
    if (!data || data.length < ETH_HLEN) throw new KernelError(EINVAL)
    const result = runner(this.#host, prog, request, data)
    return this.#settled(cut(request, result))
  }

  #settled(result: TestRunResult): TestRunResult {
    this.#host.settle()
    return result
  }
}

/** A caller with too little room gets what fits and ENOSPC. */
function cut(request: TestRun, result: TestRunResult): TestRunResult {
  const { dataSizeOut } = request
  if (dataSizeOut === undefined || result.dataOut === undefined || result.dataOut.length <= dataSizeOut) return result
  return { ...result, dataOut: result.dataOut.slice(0, dataSizeOut), truncated: true }
}

/** Runs `once` as often as asked; average real ns of a run. */
export function timed(host: TestRunHost, repeat: number | undefined, once: () => number): { retval: number; duration: number } {
  const times = Math.max(1, repeat ?? 1)
  const start = host.stopwatch()
  let retval = 0
  for (let i = 0; i < times; i += 1) retval = once()
  return { retval: retval >>> 0, duration: Math.round((host.stopwatch() - start) / times) }
}

function testXdp(host: TestRunHost, prog: HookProg, request: TestRun, data: Uint8Array): TestRunResult {
  if (request.flags === LIVE_FRAMES) return testLive(host, prog, request, data)
  if ((request.flags ?? 0) !== 0 || request.batchSize || request.cpu) throw new KernelError(EINVAL)
  const md = request.ctxIn ? readXdpMd(request.ctxIn, data.length) : undefined
  const meta = md?.data ?? 0
  if (data.length - meta > XDP_MAX_LINEAR) throw new KernelError(ENOMEM, 'not supported yet: test runs over frames of several fragments')
  const device = host.device(md?.ingressIfindex || LOOPBACK)
  if (!device) throw new KernelError(ENODEV)
  const skb = host.skbs.alloc(data)
  host.skbs.pull(skb, meta)
  try {
    prepareXdp(host.skbs, skb, device.addr, md?.rxQueueIndex ?? 0, meta)
    const outcome = timed(host, request.repeat, () => runXdp(host.skbs, skb, prog))
    const metaOut = xdpMetaLen(host.skbs)
    host.skbs.push(skb, metaOut)
    const dataOut = host.skbs.bytes(skb)
    return { ...outcome, dataOut, ...(md ? { ctxOut: writeXdpMd(md, metaOut, dataOut.length) } : {}) }
  } finally {
    host.skbs.free(skb, CONSUMED)
  }
}

function testSkb(host: TestRunHost, prog: HookProg, request: TestRun, data: Uint8Array, l2: boolean): TestRunResult {
  if (((request.flags ?? 0) & ~4) !== 0 || request.batchSize || request.cpu || lacksHeader(data)) throw new KernelError(EINVAL)
  const ctx = request.ctxIn ? readSkBuff(request.ctxIn) : undefined
  const device = host.device(ctx?.ifindex || LOOPBACK)
  if (!device) throw new KernelError(ENODEV)
  const skb = host.skbs.alloc(data)
  if (skb === 0) throw new KernelError(EFAULT)
  try {
    prepareSkb(host.skbs, skb, device, l2)
    ownTestSock(host.skbs, skb)
    if (ctx) ctx.store(host.skbs, skb)
    const outcome = timed(host, request.repeat, () => runClassifier(host.skbs, skb, prog))
    if (!l2) zeroHeader(host.skbs, skb)
    return { ...outcome, dataOut: host.skbs.bytes(skb), ...(ctx ? { ctxOut: writeSkBuff(host.skbs, skb, ctx) } : {}) }
  } finally {
    clearSharedInfo(host.skbs, skb)
    host.skbs.free(skb, CONSUMED)
  }
}

/** A frame that says IP holds a whole IP header. */
function lacksHeader(data: Uint8Array): boolean {
  const type = (data[12]! << 8) | data[13]!
  const header = type === ETH_P_IP ? IPV4_HLEN : type === ETH_P_IPV6 ? IPV6_HLEN : 0
  return data.length < ETH_HLEN + header
}

/** eth_type_trans, and the MAC header back in front for types that see it. */
function prepareSkb(skbs: Skbs, skb: number, dev: LinkAddresses & { addr: number }, l2: boolean): void {
  const at = skbs.data(skb)
  skbs.set32(skb, SKB.dev, dev.addr)
  skbs.set16(skb, SKB.protocol, etherType(skbs.u8, at, skbs.len(skb)))
  skbs.u8[skb + SKB.pkt_type] = packetType(skbs.u8, at, dev)
  skbs.set16(skb, SKB.mac_header, at - skbs.head(skb))
  skbs.set16(skb, SKB.network_header, at - skbs.head(skb) + ETH_HLEN)
  if (!l2) skbs.pull(skb, ETH_HLEN)
}

/** The header of a type that never saw it is given back as zeros. */
function zeroHeader(skbs: Skbs, skb: number): void {
  if (!skbs.push(skb, ETH_HLEN)) return
  const at = skbs.data(skb)
  skbs.u8.fill(0, at, at + ETH_HLEN)
}

