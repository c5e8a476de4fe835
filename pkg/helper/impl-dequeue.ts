// Helpers of dequeue programs (RFC of July 2022): frames out of a map, dropped, and a turn asked for. What a program gets as struct xdp_md is the
// frame's sk_buff, whose data_end and data_meta lie in its cb.
import { EINVAL, ENOENT } from '../uapi/errno.js'
import { RFC_FUNC } from '../uapi/rfc.js'
import { argHi, type HelperEnv, type HelperTable } from './env.js'

export function dequeueHelpers(env: HelperEnv): HelperTable {
  return {
    [RFC_FUNC.packet_dequeue]: { ret: 'uint', wide: 1 << 2, call: (_ctx, map, flags, rank) => dequeue(env, map, flags | argHi(env, 2), rank) },
    [RFC_FUNC.packet_drop]: {
      ret: 'int',
      call: (_ctx, packet) => {
        env.net.dropPacket(packet)
        return 0
      },
    },
    [RFC_FUNC.schedule_iface_dequeue]: { ret: 'int', call: (_ctx, ifindex, flags) => (flags !== 0 ? -EINVAL : env.net.scheduleDequeue(ifindex)) },
  }
}

function dequeue(env: HelperEnv, addr: number, flags: number, rank: number): number {
  const queue = env.mapAt(addr).frames
  const frame = flags !== 0 || !queue ? 0 : queue.dequeue()
  if (frame === 0) return noPacket(env, rank, flags !== 0 ? -EINVAL : -ENOENT)
  env.mem.i32[rank >> 2] = queue!.rankLow
  env.mem.i32[(rank >> 2) + 1] = queue!.rankHigh
  env.skbs.computeDataPointers(frame)
  return frame
}

function noPacket({ mem }: HelperEnv, rank: number, error: number): number {
  mem.i32[rank >> 2] = error
  mem.i32[(rank >> 2) + 1] = -1
  return 0
}
