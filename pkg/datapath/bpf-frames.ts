// Frames that BPF programs hold in maps and objects, in the state: each comes back at the address it had, since pointers to it lie in memory
// that came back unchanged.
import { claimSkb, recordSkb, type SkbRecord } from '../skb/record.js'
import type { Core } from './core.js'

const KEY = 'net/bpf-frames'
const BLOB = 'frames/bpf'

interface HeldFrame extends SkbRecord {
  at: number
  ifindex: number
}

/** Before any other frame is made. */
export function loadBpfFrames(core: Core): void {
  const rows = (core.host.records.get(KEY) as HeldFrame[] | undefined) ?? []
  const held = core.schedEnv.bpf
  if (rows.length === 0 || !held) return
  const blob = core.host.records.getBlob(BLOB) ?? new Uint8Array()
  const places = rows.map((row) => row.at)
  core.skbs.keepOff(places.reduce((a, b) => Math.min(a, b)), places.reduce((a, b) => Math.max(a, b)))
  const { made } = core.skbs
  let from = 0
  for (const row of rows) {
    const skb = claimSkb(core.skbs, row.at, row, blob.subarray(from, from + row.len))
    from += row.len
    if (skb === 0) continue
    held.own(skb, 1)
    core.loadedFrames += 1
  }
  core.skbs.made = made
  for (const { at, ifindex } of rows) {
    const port = core.port(ifindex)
    if (port) core.setDev(at, port)
    core.socks.own(at)
  }
}

/** How many there are. */
export function saveBpfFrames(core: Core): number {
  const held = core.schedEnv.bpf ? core.skbs.owned() : []
  const { records } = core.host
  if (held.length === 0) {
    if (records.get(KEY) === undefined) return 0
    records.put(KEY, undefined)
    records.putBlob(BLOB, undefined)
    return 0
  }
  const rows = held.map((skb): HeldFrame => ({ at: skb, ifindex: core.devOf(skb).dev.ifindex, ...recordSkb(core.skbs, skb) }))
  records.put(KEY, rows)
  records.putBlob(BLOB, Buffer.concat(held.map((skb) => core.skbs.bytes(skb))))
  return held.length
}
