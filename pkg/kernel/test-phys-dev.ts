// BPF_PROG_TEST_RUN of a PHYS_DEV program: its own number is the result, the frame comes back as it went in (the PHYS_DEV RFC of 2016).
import { runPhysDevProg } from '../hook/phys-dev.js'
import type { HookProg } from '../hook/types.js'
import type { TestRun, TestRunResult } from '../request/bpf.js'
import { CONSUMED } from '../skb/skb.js'
import { KernelError } from '../bytes/errors.js'
import { EINVAL, ENOMEM } from '../uapi/errno.js'
import { timed, type TestRunHost } from './test-run.js'

export function testPhysDev(host: TestRunHost, prog: HookProg, request: TestRun, data: Uint8Array): TestRunResult {
  if (request.ctxIn || request.flags || request.batchSize || request.cpu) throw new KernelError(EINVAL)
  const skb = host.skbs.alloc(data)
  if (skb === 0) throw new KernelError(ENOMEM)
  try {
    const outcome = timed(host, request.repeat, () => runPhysDevProg(host.skbs, skb, prog).verdict)
    return { ...outcome, dataOut: host.skbs.bytes(skb) }
  } finally {
    host.skbs.free(skb, CONSUMED)
  }
}
