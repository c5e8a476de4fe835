// Frames of a test run that are real ones: their verdicts are acted on (net/bpf/test_run.c: xdp_test_run_batch, v6.18). Each repetition starts from
// the frame as it was given; the kernel's come out of a pool and may show a program its own edits.
import { NOTE_NONE, type HookProg } from '../hook/types.js'
import { prepareXdp, runXdp, xdpMetaLen } from '../hook/xdp.js'
import { XDP } from '../uapi/bpf.js'
import { SKB } from '../skb/layout.js'
import { HEADROOM, PRIV } from '../skb/skb.js'
import type { Core } from './core.js'
import { drain } from './engine.js'
import type { Port } from './port.js'
import { buildSkb, dropXdp, netifReceive } from './receive.js'
import { redirectFrame, xdpTransmit } from './redirect.js'

export interface LiveRun {
  /** Metadata, then the frame. */
  readonly data: Uint8Array
  readonly meta: number
  readonly ifindex: number
  readonly queue: number
  readonly repeat: number
  readonly batch: number
}

/** After each batch the stack gets what passed, and softirqs run. */
export function runLive(core: Core, prog: HookProg, run: LiveRun): void {
  const port = core.port(run.ifindex)
  for (let left = run.repeat; port && left > 0; left -= run.batch) {
    const passed: number[] = []
    for (let n = Math.min(left, run.batch); n > 0; n -= 1) runFrame(core, port, prog, run, passed)
    for (const skb of passed) {
      buildSkb(core, port, skb, run.queue)
      netifReceive(core, port, skb)
    }
    drain(core)
  }
}

function runFrame(core: Core, port: Port, prog: HookProg, run: LiveRun, passed: number[]): void {
  const { skbs } = core
  const skb = newFrame(core, run)
  if (skb === 0) return
  core.host.note.kind = NOTE_NONE
  prepareXdp(skbs, skb, core.devStruct(port), run.queue, run.meta)
  const action = runXdp(skbs, skb, prog)
  switch (action) {
    case XDP.PASS:
      skbs.set32(skb, PRIV.meta, xdpMetaLen(skbs))
      passed.push(skb)
      return
    case XDP.TX: return xdpTransmit(core, port, skb, 'XDP_TX')
    case XDP.REDIRECT: return redirectFrame(core, port, skb)
    default: return dropXdp(core, port, skb, action)
  }
}

function newFrame(core: Core, { data, meta }: LiveRun): number {
  const { skbs } = core
  core.frames += 1
  core.bytes += data.length - meta
  const skb = skbs.alloc(data)
  if (skb === 0) {
    skbs.ends.set('NOMEM', (skbs.ends.get('NOMEM') ?? 0) + 1)
    return 0
  }
  skbs.set32(skb, PRIV.frame, core.frames)
  skbs.pull(skb, meta)
  skbs.set16(skb, SKB.mac_header, HEADROOM + meta)
  return skb
}
