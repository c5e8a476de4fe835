// BPF_PROG_TEST_RUN with BPF_F_TEST_XDP_LIVE_FRAMES: net/bpf/test_run.c, bpf_prog_test_run_xdp, v6.18.
import { KernelError } from '../bytes/errors.js'
import type { HookProg } from '../hook/types.js'
import type { TestRun, TestRunResult } from '../request/bpf.js'
import { E2BIG, EINVAL, ENODEV, ENOMEM } from '../uapi/errno.js'
import { readXdpMd } from './test-ctx.js'
import { LOOPBACK, XDP_MAX_LINEAR, type TestRunHost } from './test-run.js'

/** NAPI_POLL_WEIGHT; TEST_XDP_MAX_BATCH */
const BATCH = 64
const MAX_BATCH = 256

/** The result says nothing: what the program answers is done. */
export function testLive(host: TestRunHost, prog: HookProg, request: TestRun, data: Uint8Array): TestRunResult {
  const batch = request.batchSize || BATCH
  if (batch > MAX_BATCH) throw new KernelError(E2BIG)
  if (request.cpu || request.dataSizeOut !== undefined) throw new KernelError(EINVAL)
  const md = request.ctxIn ? readXdpMd(request.ctxIn, data.length) : undefined
  if (data.length - (md?.data ?? 0) > XDP_MAX_LINEAR) throw new KernelError(ENOMEM, 'not supported yet: test runs over frames of several fragments')
  const ifindex = md?.ingressIfindex || LOOPBACK
  if (!host.device(ifindex)) throw new KernelError(ENODEV)
  const start = host.stopwatch()
  const repeat = Math.max(1, request.repeat ?? 1)
  host.live(prog, { data, meta: md?.data ?? 0, ifindex, queue: md?.rxQueueIndex ?? 0, repeat, batch })
  return { retval: 0, duration: Math.round((host.stopwatch() - start) / repeat) }
}
