// One committed state as the files of a directory give it: the log's tail in memory, the runs and segments open.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../bytes/errors.js'
import { SortedCells } from './cells.js'
import { codeOf, damaged, failure, ifThere } from './disk.js'
import { LOG, parseLog, type Log } from './log.js'
import { Run, type RunRef } from './run.js'
import { Segments, type SegmentLimits, type Usage } from './segments.js'

export interface View {
  /** The log's bytes, to see later whether somebody committed. */
  readonly raw: Uint8Array
  readonly tail: SortedCells
  /** Newest first. */
  runs: readonly Run[]
  readonly segments: Segments
  generation: number
  /** Of the log: where its commits begin, where they end, how many there are. */
  start: number
  readonly end: number
  lines: number
}

/** Hands out the numbers of new files. */
export interface Numbers { next: number }

export interface Reading {
  readonly dir: string
  readonly limits: SegmentLimits
  /** Readers without the lock open all files at once and look again when one vanishes under them. */
  readonly locked: boolean
  readonly numbers: Numbers
}

/** How often a reader looks again when a compaction comes between its look at the log and its opening of the files. */
const TRIES = 8
/** And how often when what it read made no sense: a writer may have taken back a line that didn't fit on the disk. */
const DAMAGE_TRIES = 2

/** Reads the state; `raw` is the log when the caller has just read it. */
export function loadView(at: Reading): View {
  for (let tries = 1; ; tries++) {
    try {
      return readView(at)
    } catch (error) {
      const gone = codeOf(error) === 'ENOENT'
      if (at.locked || tries >= (gone ? TRIES : DAMAGE_TRIES)) throw unreadable(at.dir, error)
    }
  }
}

/** The log's bytes; empty when there is none. */
export function readLog(dir: string): Uint8Array {
  return ifThere(() => fs.readFileSync(join(dir, LOG))) ?? new Uint8Array(0)
}

export function closeView(view: View): void {
  for (const run of view.runs) run.close()
  view.segments.close()
}

function readView(at: Reading): View {
  const raw = ifThere(() => fs.readFileSync(join(at.dir, LOG)))
  if (raw === undefined) return emptyView(at)
  const log = parseLog(at.dir, raw)
  const usage = usageOf(log)
  at.numbers.next = Math.max(log.header.next, ...[...usage.keys()].map((n) => n + 1))
  const generation = log.header.generation + log.commits.length
  const rest = { raw, tail: tailOf(log), generation, start: log.start, end: log.end, lines: log.commits.length }
  return openView(at, log.header.runs, usage, rest)
}

/** No log: a machine that nobody wrote to yet. Runs without one are what is left of a state whose log was removed. */
function emptyView(at: Reading): View {
  const names = ifThere(() => fs.readdirSync(join(at.dir, 'seg'))) ?? []
  const left = names.find((name) => name.startsWith('keys.'))
  if (left !== undefined && fs.existsSync(join(at.dir, LOG))) return readView(at)
  if (left !== undefined) throw damaged(at.dir, LOG, 0, `the file is missing, though seg/${left} is there`)
  return openView(at, [], new Map(), { raw: new Uint8Array(0), tail: new SortedCells(), generation: 0, start: 0, end: 0, lines: 0 })
}

function tailOf(log: Log): SortedCells {
  const tail = new SortedCells()
  for (const commit of log.commits) {
    for (const [key, json] of Object.entries(commit.set)) tail.set(key, { json })
    for (const key of commit.delete) tail.set(key, null)
  }
  return tail
}

function usageOf(log: Log): Map<number, Usage> {
  const usage = new Map<number, Usage>()
  for (const line of [log.header, ...log.commits]) for (const [n, used] of Object.entries(line.segments)) usage.set(Number(n), used)
  return usage
}

function openView(at: Reading, refs: readonly RunRef[], usage: Map<number, Usage>, rest: Omit<View, 'runs' | 'segments'>): View {
  const runs: Run[] = []
  const segments = new Segments(at.dir, usage, at.limits, () => at.numbers.next++)
  try {
    for (const ref of refs) runs.push(new Run(at.dir, ref))
    if (!at.locked) segments.openAll()
    return { ...rest, runs, segments }
  } catch (error) {
    for (const run of runs) run.close()
    segments.close()
    throw error
  }
}

function unreadable(dir: string, error: unknown): unknown {
  if (error instanceof InputError || codeOf(error) !== 'ENOENT') return failure(error, `cannot read state directory ${dir}`)
  const path = (error as NodeJS.ErrnoException).path ?? dir
  return damaged(dir, path.slice(dir.length).replace(/^\/+/, ''), 0, 'the file is missing')
}
