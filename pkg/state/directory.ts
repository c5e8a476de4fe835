// A store in a directory: meta.log (header and commits), runs and segments below seg/, the writers' lock. Readers hold every file open from
// the start, so what they see is one committed state to the end, whatever writers and compactions do meanwhile.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { assert, InputError } from '../bytes/errors.js'
import { placeOf, type Backing } from './backing.js'
import { SortedCells, textOf, type Cell, type Layer } from './cells.js'
import { compact } from './compact.js'
import { attempt, codeOf, failure, makeFolders, removeQuietly, syncDir } from './disk.js'
import { LogFile } from './log-file.js'
import { sweepTemps, takeLock, type Lock } from './lock.js'
import { commitJson, FORMAT, formatLine, type Header } from './log.js'
import { runName } from './run.js'
import { segmentName, type Place, type SegmentLimits } from './segments.js'
import { closeView, loadView, readLog, type Numbers, type View } from './view.js'

/** Sizes that only tests change. */
export interface Limits extends SegmentLimits {
  /** The log's tail is folded into a run when it has this many bytes ... */
  readonly tail: number
  /** ... or lines. */
  readonly lines: number
  /** How long to wait for a living holder of the lock, in ms. */
  readonly wait: number
}

export const LIMITS: Limits = { tail: 4 << 10, lines: 150, segment: 16 << 20, garbage: 8 << 20, wait: 60_000 }

const OURS = /^(?:keys|data)\.\d+$/

export class DirectoryBacking implements Backing {
  readonly #dir: string
  readonly #limits: Limits
  readonly #numbers: Numbers = { next: 0 }
  #lock: Lock | undefined
  #view: View
  #log: LogFile
  /** A compaction that failed (disk full) is tried again when the tail is so many times the limit. */
  #patience = 1

  constructor(dir: string, mode: 'read' | 'write', limits: Limits) {
    this.#dir = dir
    this.#limits = limits
    if (mode === 'write') this.#lock = this.#take()
    try {
      this.#view = this.#load(mode === 'write')
    } catch (error) {
      this.#lock?.release()
      throw error
    }
    this.#log = openLog(dir, this.#view)
  }

  get generation(): number {
    return this.#view.generation
  }

  get writable(): boolean {
    return this.#lock !== undefined
  }

  find(key: string): string | null | undefined {
    const cell = this.#view.tail.get(key)
    if (cell !== undefined) return textOf(cell)
    for (const run of this.#view.runs) {
      const text = run.get(key)
      if (text !== undefined) return text
    }
    return undefined
  }

  layers(): readonly Layer[] {
    return [this.#view.tail, ...this.#view.runs]
  }

  append(bytes: Uint8Array, crc?: number): Place {
    return this.#view.segments.append(bytes, crc)
  }

  read(place: Place): Uint8Array {
    return this.#view.segments.read(place)
  }

  discard(): void {
    this.#view.segments.discard()
  }

  commit(changes: SortedCells): void {
    assert(this.writable, 'commit to a store opened for reading')
    const view = this.#view
    const usage = view.segments.changed(this.#liveBy(changes.entries()))
    view.segments.flush()
    view.segments.syncAppended()
    const texts = [...changes.entries()].map(([key, cell]) => [key, textOf(cell)] as const)
    this.#writeCommit(formatLine(commitJson(view.generation + 1, texts, Object.fromEntries(usage))))
    view.segments.accept(usage)
    for (const [key, text] of texts) view.tail.set(key, text)
    view.generation += 1
    this.#maintain()
  }

  /** Takes the lock; everything is read anew when somebody committed since this reader looked. */
  promote(): void {
    if (this.#lock !== undefined) return
    const lock = this.#take()
    try {
      const raw = attempt(`cannot read state directory ${this.#dir}`, () => readLog(this.#dir))
      if (Buffer.compare(raw, this.#view.raw) !== 0) this.#reload()
    } catch (error) {
      lock.release()
      throw error
    }
    this.#lock = lock
  }

  close(): void {
    closeView(this.#view)
    this.#log.close()
    this.#lock?.release()
    this.#lock = undefined
  }

  #take(): Lock {
    attempt(`cannot create state directory ${this.#dir}`, () => makeFolders(this.#dir))
    return takeLock(this.#dir, this.#limits.wait)
  }

  #load(locked: boolean): View {
    return loadView({ dir: this.#dir, limits: this.#limits, locked, numbers: this.#numbers })
  }

  #reload(): void {
    const fresh = this.#load(true)
    closeView(this.#view)
    this.#view = fresh
    this.#log = openLog(this.#dir, fresh)
  }

  /** The first commit makes the log, header and all; every other one is a line more. */
  #writeCommit(line: Uint8Array): void {
    if (this.#log.end > 0) this.#log.append(line)
    else {
      const header = formatHeader({ format: FORMAT, generation: 0, next: this.#numbers.next, runs: [], segments: {} })
      this.#log.replace(Buffer.concat([header, line]))
      this.#view.start = header.length
    }
    this.#view.lines += 1
  }

  /** By how much the cells move the live bytes of each segment, against what is committed. */
  #liveBy(cells: Iterable<readonly [string, Cell]>): Map<number, number> {
    const by = new Map<number, number>()
    const add = (place: Place | undefined, sign: number): void => {
      if (place !== undefined) by.set(place[0], (by.get(place[0]) ?? 0) + sign * place[2])
    }
    for (const [key, cell] of cells) {
      const place = placeOf(key, textOf(cell))
      if (place === undefined && cell !== null) continue
      add(placeOf(key, this.find(key)), -1)
      add(place, 1)
    }
    return by
  }

  /** Folds a long tail and piled-up garbage away. The commit stands whether this succeeds or not, so a full disk only puts it off. */
  #maintain(): void {
    const view = this.#view
    const { tail, lines } = this.#limits
    const long = this.#log.end - view.start > tail * this.#patience || view.lines > lines * this.#patience
    const victims = view.segments.victims()
    if (!long && (victims.size === 0 || this.#patience > 1)) return
    try {
      this.#compact(victims)
      this.#patience = 1
    } catch (error) {
      if (!(error instanceof InputError) && codeOf(error) === undefined) throw failure(error, this.#dir)
      view.segments.discard()
      this.#patience *= 2
    }
  }

  #compact(victims: ReadonlySet<number>): void {
    const view = this.#view
    const tailBytes = this.#log.end - view.start
    const at = { ...view, dir: this.#dir, tailBytes, takeNumber: () => this.#numbers.next++ }
    const folded = compact(at, victims, (cells) => this.#liveBy(cells))
    const runs = folded.runs.map((run) => run.ref)
    try {
      syncDir(join(this.#dir, 'seg'))
      const { generation } = view
      this.#log.replace(formatHeader({ format: FORMAT, generation, next: this.#numbers.next, runs, segments: folded.usage }))
    } catch (error) {
      folded.abandon()
      throw error
    }
    folded.accept()
    view.tail.clear()
    view.runs = folded.runs
    view.start = this.#log.end
    view.lines = 0
    this.#sweep()
  }

  /** Removes files that the log doesn't name: what a compaction left behind, or a crash. */
  #sweep(): void {
    const { runs, segments } = this.#view
    const named = new Set([...runs.map((run) => runName(run.ref.n)), ...[...segments.usage.keys()].map(segmentName)])
    for (const file of fs.readdirSync(join(this.#dir, 'seg'))) {
      if (OURS.test(file) && !named.has(`seg/${file}`)) removeQuietly(join(this.#dir, 'seg', file))
    }
    sweepTemps(this.#dir)
  }
}

function openLog(dir: string, view: View): LogFile {
  return new LogFile(dir, view.end, view.raw.length > view.end)
}

function formatHeader(header: Header): Uint8Array {
  return formatLine(JSON.stringify(header))
}
