// Compaction: the log's tail becomes a run, swallowing older runs that are not much bigger (so every key is rewritten a logarithmic number of
// times), and the live parts of segments that are mostly garbage move on. Nothing changes for readers until the new log is in place.
import { join } from 'node:path'
import { BLOBS, PAGES, placeOf } from './backing.js'
import { merged, SortedCells, textOf, withPrefix, type Cell } from './cells.js'
import { makeFolders, removeQuietly } from './disk.js'
import { Run, runName, writeRun } from './run.js'
import type { Segments, Usage } from './segments.js'

export interface Folding {
  readonly dir: string
  readonly tail: SortedCells
  readonly tailBytes: number
  readonly runs: readonly Run[]
  readonly segments: Segments
  readonly takeNumber: () => number
}

export interface Folded {
  readonly runs: readonly Run[]
  readonly usage: { readonly [n: string]: Usage }
  /** The new log is in place: lets go of what it no longer names. */
  accept(): void
  /** It is not: removes what was made. */
  abandon(): void
}

/** Runs up to this many times the size of what is folded are folded in. */
const GROWTH = 4

/** Writes the files of the folded state and says what the new header must name. */
export function compact(at: Folding, victims: ReadonlySet<number>, liveBy: (cells: Iterable<[string, Cell]>) => Map<number, number>): Folded {
  const moved = carry(at, victims)
  const changed = at.segments.changed(liveBy(moved.entries()))
  at.segments.flush()
  at.segments.syncAppended()
  const split = foldable(at)
  const [fold, stay] = [at.runs.slice(0, split), at.runs.slice(split)]
  makeFolders(join(at.dir, 'seg'))
  const ref = writeRun(at.dir, at.takeNumber(), merged([moved, at.tail, ...fold], ''), stay.length === 0)
  const made = ref === undefined ? [] : [new Run(at.dir, ref)]
  const usage = new Map([...at.segments.usage, ...changed])
  const empty = [...usage].filter(([, used]) => used.live === 0).map(([n]) => n)
  for (const n of empty) usage.delete(n)
  return {
    runs: [...made, ...stay],
    usage: Object.fromEntries(usage),
    accept: () => {
      at.segments.accept(changed)
      at.segments.forget(empty)
      for (const run of fold) run.close()
    },
    abandon: () => {
      for (const run of made) run.close()
      for (const run of made) removeQuietly(join(at.dir, runName(run.ref.n)))
    },
  }
}

/** How many of the runs (newest first) the tail swallows. */
function foldable(at: Folding): number {
  let size = at.tailBytes
  let count = 0
  for (const run of at.runs) {
    if (run.ref.bytes > GROWTH * size) break
    size += run.ref.bytes
    count += 1
  }
  return count
}

/** Appends the live payload of the victims to other segments; the cells that say where it is now. */
function carry(at: Folding, victims: ReadonlySet<number>): SortedCells {
  const moved = new SortedCells()
  if (victims.size === 0) return moved
  at.segments.leave(victims)
  for (const prefix of [BLOBS, PAGES]) {
    for (const [key, cell] of withPrefix([at.tail, ...at.runs], prefix)) {
      const place = placeOf(key, textOf(cell))
      if (place === undefined || !victims.has(place[0])) continue
      moved.set(key, JSON.stringify(at.segments.append(at.segments.read(place), place[3])))
    }
  }
  return moved
}
