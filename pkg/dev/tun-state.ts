// What a tun device has beyond a net_device (struct tun_struct, drivers/net/tun.c).

export interface TunState {
  mode: 'tun' | 'tap'
  pi: boolean
  vnetHdr: boolean
  multiQueue: boolean
  /** Queues somebody reads: every emulated device has its wire. */
  numQueues: number
  persist: boolean
  user?: number
  group?: number
  /** Program ids, 0: none. */
  steering: number
  fallback: boolean
  filter: number
  /** Flow hash -> queue it was last written to from user space (tun_flow_update). */
  flows: Map<number, number>
}

/** MAX_TAP_QUEUES */
export const MAX_TAP_QUEUES = 256
/** TUN_FLOW: flows remembered, the oldest go first. */
const MAX_FLOWS = 4096

/** Remembers that user space wrote a packet of this flow to `queue`. */
export function learnFlow(tun: TunState, hash: number, queue: number): void {
  tun.flows.delete(hash)
  tun.flows.set(hash, queue)
  if (tun.flows.size > MAX_FLOWS) for (const oldest of tun.flows.keys()) return void tun.flows.delete(oldest)
}
