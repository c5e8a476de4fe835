// R1: the early driver filter (spec/phys_dev.md section 5). The place is here; no program can be attached yet.
import type { Core } from './core.js'
import type { Port } from './port.js'
import { Bug } from '../bytes/errors.js'

/** true: the frame goes on. */
export function runPhysDev(_core: Core, port: Port, _skb: number): boolean {
  throw new Bug(`${port.dev.name} has a phys_dev program, which nothing attaches yet`)
}
