// R1: the early driver filter (the PHYS_DEV RFC of 2016). What it drops is not counted as received.
import { DROP, INVALID, PASS, physDevVerdict, runPhysDevProg } from '../hook/phys-dev.js'
import type { Core } from './core.js'
import type { Port } from './port.js'

/** true: the frame goes on. */
export function runPhysDev(core: Core, port: Port, skb: number): boolean {
  const { dev } = port
  const state = dev.physDev
  const prog = state && core.host.prog(state.prog)
  if (!prog) return true
  const { verdict, aborted } = runPhysDevProg(core.skbs, skb, prog)
  const meaning = physDevVerdict(prog.dialect, verdict)
  if (core.trace) core.step(skb, dev, 'phys_dev', `${aborted ? 'load past the end, ' : ''}${meaning} ${verdict} prog ${prog.id}`)
  const { stats } = state
  stats.runs += 1
  if (aborted) stats.aborts += 1
  if (meaning === INVALID) {
    stats.invalids += 1
    if (!state.warned) core.host.log(`${dev.name}: phys_dev program ${prog.id} returned ${verdict}, which is no verdict: expect packet loss`)
    state.warned = true
  }
  if (meaning === PASS) {
    stats.passes += 1
    return true
  }
  if (meaning === DROP) stats.drops += 1
  dev.stats.rxDropped += 1
  core.drop(skb, dev, 'PHYS_DEV_DROP')
  return false
}
