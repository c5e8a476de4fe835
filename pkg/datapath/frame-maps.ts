// Frames that wait in maps: linked there while this process runs, in the records between processes.
import type { FrameQueue, FrameStore } from '../map/types.js'
import { recordSkb, restoreSkb, type SkbRecord } from '../skb/record.js'
import { PRIV } from '../skb/skb.js'
import { FrameReader } from '../sched/record.js'
import type { Core } from './core.js'

/** Place in the map's order, bytes of metadata in front of the frame, the frame. */
type Row = [place: number, meta: number, frame: SkbRecord]

const rowsKey = (id: number): string => `mapframes/${id}`
const bytesKey = (id: number): string => `mapbytes/${id}`

export class FrameMaps implements FrameStore {
  readonly #core: Core
  readonly #queues = new Map<number, FrameQueue>()
  /** What the records hold, as text. */
  readonly #saved = new Map<number, string>()

  constructor(core: Core) {
    this.#core = core
  }

  adopt(mapId: number, queue: FrameQueue): void {
    const { skbs, host: { records } } = this.#core
    this.#queues.set(mapId, queue)
    const rows = records.get(rowsKey(mapId)) as Row[] | undefined
    if (!rows) return
    this.#saved.set(mapId, JSON.stringify(rows))
    const reader = new FrameReader(records.getBlob(bytesKey(mapId)))
    const { made, held } = skbs
    for (const [place, meta, record] of rows) {
      const skb = restoreSkb(skbs, record, reader.next(record.len))
      if (skb === 0) continue
      skbs.pull(skb, meta)
      skbs.set32(skb, PRIV.meta, meta)
      queue.put(place, skb)
    }
    skbs.made = made
    this.#core.loadedFrames += skbs.held - held
  }

  release(mapId: number): void {
    this.#queues.delete(mapId)
    if (this.#saved.delete(mapId)) this.#put(mapId, undefined, undefined)
  }

  free(frame: number, reason: string): void {
    this.#core.drop(frame, undefined, reason)
  }

  /** Puts what changed; the number of frames in all maps that are in memory. */
  save(): number {
    let held = 0
    for (const [mapId, queue] of this.#queues) held += this.#saveMap(mapId, queue)
    return held
  }

  #saveMap(mapId: number, queue: FrameQueue): number {
    const { skbs } = this.#core
    const rows: Row[] = []
    const frames: Uint8Array[] = []
    for (const [place, skb] of queue.waiting()) {
      const meta = skbs.get32(skb, PRIV.meta)
      skbs.push(skb, meta)
      rows.push([place, meta, recordSkb(skbs, skb)])
      frames.push(skbs.bytes(skb))
      skbs.pull(skb, meta)
    }
    const text = rows.length > 0 ? JSON.stringify(rows) : ''
    if (text !== (this.#saved.get(mapId) ?? '')) {
      this.#put(mapId, rows.length > 0 ? (JSON.parse(text) as Row[]) : undefined, Buffer.concat(frames))
      this.#saved.set(mapId, text)
    }
    return rows.length
  }

  #put(mapId: number, rows: Row[] | undefined, bytes: Uint8Array | undefined): void {
    const { records } = this.#core.host
    records.put(rowsKey(mapId), rows)
    records.putBlob(bytesKey(mapId), rows ? new Uint8Array(bytes ?? []) : undefined)
  }
}
