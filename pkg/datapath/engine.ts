// The machine's heartbeat: softirqs until none is pending, timers in order, the clock in between (README.md, the walk of a packet).
import { treeOf } from '../sched/common.js'
import { NOTE_NONE } from '../hook/types.js'
import { prepareXdp, runXdp } from '../hook/xdp.js'
import { XDP } from '../uapi/bpf.js'
import { PRIV } from '../skb/skb.js'
import type { Timer } from './clock.js'
import type { Core } from './core.js'
import { serve } from './dequeue.js'
import { runScheduled } from './qdisc-run.js'
import { buildSkb, netifReceive, receiveFrame } from './receive.js'
import { redirectFrame } from './redirect.js'
import { POLL_WEIGHT, type CpuWork } from './softirq.js'
import { wireDone } from './nic-ring.js'

/** Until no CPU has anything pending. */
export function drain(core: Core): void {
  const { cpu } = core
  core.softirq.futile = 0
  for (let any = true; any; ) {
    any = false
    for (let i = 0; i < core.softirq.cpus.length; i += 1) {
      if (!core.softirq.pending(i)) continue
      any = true
      core.setCpu(i)
      runCpu(core, core.softirq.cpus[i]!)
    }
  }
  core.setCpu(cpu)
}

function runCpu(core: Core, work: CpuWork): void {
  pollRings(core, work)
  cpumapFrames(core, work)
  processBacklog(core, work)
  for (let left = work.dequeue.length; left > 0; left -= 1) serve(core, work.dequeue.shift()!)
  for (let left = work.output.length; left > 0; left -= 1) runScheduled(core, work.output.shift()!)
}

function pollRings(core: Core, work: CpuWork): void {
  for (let left = work.polls.length; left > 0; left -= 1) {
    const ring = work.polls.shift()!
    ring.scheduled = false
    for (let budget = POLL_WEIGHT; budget > 0 && ring.frames.qlen > 0; budget -= 1) {
      receiveFrame(core, ring.port, ring.frames.shift(), ring.queue)
    }
    if (ring.frames.qlen > 0) core.softirq.poll(core.cpu, ring)
  }
}

/** cpu_map_kthread_run: the entry's program, then the stack. */
function cpumapFrames(core: Core, work: CpuWork): void {
  for (let skb = work.cpumap.shift(); skb !== 0; skb = work.cpumap.shift()) {
    const port = core.devOf(skb)
    const prog = core.host.prog(core.skbs.get32(skb, PRIV.order))
    if (prog) {
      core.host.note.kind = NOTE_NONE
      prepareXdp(core.skbs, skb, core.devStruct(port), 0)
      const action = runXdp(core.skbs, skb, prog)
      if (action === XDP.REDIRECT) redirectFrame(core, port, skb)
      else if (action !== XDP.PASS) core.drop(skb, port.dev, 'XDP_DROP')
      if (action !== XDP.PASS) continue
    }
    buildSkb(core, port, skb, 0)
    netifReceive(core, port, skb)
  }
}

function processBacklog(core: Core, work: CpuWork): void {
  for (let budget = POLL_WEIGHT; budget > 0; budget -= 1) {
    const skb = work.backlog.shift()
    if (skb === 0) return
    netifReceive(core, core.devOf(skb), skb)
  }
}

/** Fires what is due up to and including `at`, and leaves the clock there. */
export function runUntil(core: Core, at: number): void {
  for (let timer = core.clock.peek(); timer && timer.at <= at; timer = core.clock.peek()) fire(core, timer)
  core.clock.now = Math.max(core.clock.now, at)
}

/** Timers that fire while no frame moves before the machine is called idle: a program that throttles for ever never is. */
const FUTILE_LIMIT = 20_000

/** Runs until only timers remain that no frame waits for. */
export function runIdle(core: Core): void {
  let futile = 0
  let moved = progress(core)
  while (core.clock.busy && futile < FUTILE_LIMIT) {
    fire(core, core.clock.peek()!)
    const now = progress(core)
    futile = now === moved ? futile + 1 : 0
    moved = now
  }
  if (futile >= FUTILE_LIMIT) core.host.log('frames wait for a qdisc that throttles without end')
}

const progress = (core: Core): number => core.skbs.made * 2 - core.skbs.held

function fire(core: Core, timer: Timer): void {
  core.clock.now = Math.max(core.clock.now, timer.at)
  core.clock.cancel(timer)
  core.setCpu(timer.cpu)
  dispatch(core, timer)
  drain(core)
}

function dispatch(core: Core, timer: Timer): void {
  const other = core.timerHandlers.get(timer.kind)
  if (other) return other(timer)
  const port = core.port(timer.ifindex)
  if (!port) return
  if (timer.kind === 'wire') return wireDone(core, port)
  // qdisc_watchdog: the qdisc of the tx queue that it belongs to runs.
  const q = port.sched.queues.find((root) => treeOf(root).some((each) => each.handle === timer.id))
  if (q) core.softirq.schedule(core.cpu, q)
}
