// What `wire` asks: the other end of every emulated device. Frames are whole Ethernet frames without FCS; times are virtual ns.

export interface WireFrame {
  bytes: Uint8Array
  /** ns since the first frame of this request; frames come in ascending order. */
  at: number
  mark?: number
  priority?: number
  /** A local socket's identity for tx: frames of equal `flow` share one socket (the XPS RFC of 2019: socket cache). */
  flow?: { id: number; tcp: boolean; oooOkay?: boolean }
  rxQueue?: number
}

/** Where the frames of one request, or of the whole machine since boot, are or went. */
export interface WireSummary {
  frames: number
  bytes: number
  /** Left a device to the wire. */
  transmitted: number
  /** Reached the local stack (or a tun queue's reader). */
  delivered: number
  /** Wait in a qdisc, ring or map. */
  queued: number
  /** Reason (kernel SKB_DROP_REASON_* word or XDP_DROP …) -> count */
  dropped: Record<string, number>
  /** Virtual ns when the machine came to rest. */
  now: number
}

export interface CaptureInfo {
  dev: string
  direction: 'rx' | 'tx' | 'all'
  file: string
  packets: number
}

export interface WireDevice {
  dev: string
  /** bits per second, 0: no limit */
  rate: number
  latency: number
  ring: number
  busyUntil: number
  inRing: number
  queued: { qdisc: string; handle: number; packets: number; bytes: number }[]
}

/** One step of a frame's way, for `wire trace`. */
export interface TraceStep {
  at: number
  frame: number
  dev: string
  hook: string
  text: string
}

export interface WireRequests {
  'wire.send': [{ dev: string; direction: 'rx' | 'tx'; cpu?: number; frames: WireFrame[]; hold?: boolean; trace?: boolean }, WireSummary & { trace?: TraceStep[] }]
  'wire.run': [{ until: 'idle' } | { for: number }, WireSummary]
  'wire.time': [Record<string, never>, { now: number }]
  /** xdpRing: frames that XDP transmits may have waiting. */
  'wire.set': [{ dev: string; rate?: number; latency?: number; ring?: number; xdpRing?: number }, void]
  'wire.capture.add': [{ dev: string; direction: 'rx' | 'tx' | 'all'; file: string }, void]
  'wire.capture.del': [{ dev: string; direction?: 'rx' | 'tx' | 'all'; file?: string }, void]
  'wire.capture.show': [{ dev?: string }, CaptureInfo[]]
  'wire.show': [{ dev?: string }, { devices: WireDevice[]; total: WireSummary }]
  /** For the library: frames that left `dev` (tx), or reached the stack, since the last take. */
  'wire.take': [{ dev: string; from: 'tx' | 'stack' }, { bytes: Uint8Array; at: number; queue: number }[]]
}
