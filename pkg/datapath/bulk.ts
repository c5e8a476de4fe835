// A device's bulk queues, one a CPU (net/core/devmap.c or dev.c: struct xdp_dev_bulk_queue): frames on their way to ndo_xdp_xmit.
import { SkbQueue } from '../skb/queue.js'
import type { Core } from './core.js'
import type { BulkQueue, Port } from './port.js'

export function bulkOf(core: Core, port: Port, cpu: number): BulkQueue {
  return (port.bulk[cpu] ??= { frames: new SkbQueue(core.skbs), listed: false, waits: false })
}

/** The device asks for a turn of its dequeue program on this CPU; asking twice is asking once. */
export function listDequeue(core: Core, port: Port, cpu: number): void {
  const bulk = bulkOf(core, port, cpu)
  bulk.waits = false
  if (bulk.listed) return
  bulk.listed = true
  core.softirq.cpus[cpu]!.dequeue.push(port)
}

/** The ring has room again. */
export function wakeDequeue(core: Core, port: Port): void {
  port.bulk.forEach((bulk, cpu) => {
    if (bulk?.waits) listDequeue(core, port, cpu)
  })
}

/** The device goes down or away. */
export function dropBulk(core: Core, port: Port): void {
  for (const bulk of port.bulk) {
    if (!bulk) continue
    for (let skb = bulk.frames.shift(); skb !== 0; skb = bulk.frames.shift()) core.drop(skb, port.dev, 'DEV_READY')
    bulk.waits = false
  }
}
