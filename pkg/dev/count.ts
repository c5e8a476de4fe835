// What a driver counts of a frame it has taken: for the queue, and for the device (struct rtnl_link_stats64).
import type { NetDev } from './types.js'

export function countTx(dev: NetDev, queue: number, bytes: number): void {
  const counters = dev.tx[queue]!
  counters.packets += 1
  counters.bytes += bytes
  dev.stats.txPackets += 1
  dev.stats.txBytes += bytes
}
