// What the store's tests share: scratch directories, seeded random numbers, and sizes so small that every path is taken.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type t from 'tap'
import type { Limits } from '../../pkg/state/directory.js'

/** Sizes at which a handful of commits fold the tail, start new segments and carry over live data. */
export const SMALL: Partial<Limits> = { tail: 600, lines: 6, segment: 40_000, garbage: 60_000 }

/** A directory that goes with the test. */
export function scratch(test: typeof t | { teardown: typeof t.teardown }): string {
  const dir = mkdtempSync(join(tmpdir(), 'hookpoint-state-'))
  test.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A seeded generator (mulberry32) of integers below N. */
export function random(seed: number): (n: number) => number {
  let state = seed >>> 0
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n
  }
}
