// BPF_PROG_TEST_RUN of a dequeue program (RFC of July 2022): one run for the loopback device; the packet that it returns is shown and freed.
import { KernelError } from '../bytes/errors.js'
import { runDequeue } from '../hook/dequeue.js'
import type { HookProg } from '../hook/types.js'
import type { TestRun, TestRunResult } from '../request/bpf.js'
import { PRIV } from '../skb/skb.js'
import { EINVAL } from '../uapi/errno.js'
import { LOOPBACK, type TestRunHost } from './test-run.js'

export function testDequeue({ skbs, stopwatch }: TestRunHost, prog: HookProg, request: TestRun): TestRunResult {
  if (request.dataIn?.length || request.ctxIn?.length || (request.repeat ?? 0) > 1) throw new KernelError(EINVAL)
  const start = stopwatch()
  const skb = runDequeue(skbs, prog, LOOPBACK)
  const duration = Math.round(stopwatch() - start)
  if (skb === 0) return { retval: 0, duration, dataOut: new Uint8Array() }
  skbs.push(skb, skbs.get32(skb, PRIV.meta))
  const dataOut = skbs.bytes(skb)
  skbs.free(skb, 'TEST_RUN')
  return { retval: 1, duration, dataOut }
}
