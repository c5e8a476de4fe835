// One attempt to load a program, with everything that bpf(2) gets for it: what a case becomes, for our verifier and for a real kernel.
import type { MapCreate, ProgLoad } from '../../pkg/request/bpf.js'

/** Maps are named by their place in `maps`, counted from 1: in instructions, `innerMapId` and `values`. */
export interface Load {
  readonly maps: readonly MapCreate[]
  readonly btf: Uint8Array | undefined
  readonly values: readonly { readonly map: number, readonly bytes: Uint8Array, readonly frozen: boolean }[]
  readonly prog: ProgLoad
}

/** What came of it. `line` is the telling one: the last of the log in front of the statistics, '' where there is none. */
export interface Verdict {
  readonly errno: number
  readonly line: string
  /** Accepted ones: instructions that were processed. */
  readonly insns: number
  readonly log: string
}

/** Behind a telling line that lacks its newline, too. */
const COUNTS = /processed \d+ insns \(limit.*$/m
const STATISTICS = /^(processed \d+ insns|verification time|stack depth|insns_cnt|subprog |func#)/

/** Finds the telling line and the count in a log of level 1. */
export function verdictOf(errno: number, log: string): Verdict {
  const lines = log.replace(COUNTS, '').split('\n').filter(line => line !== '')
  const insns = Number(/processed (\d+) insns/.exec(log)?.[1] ?? 0)
  const line = errno === 0 ? '' : lines.filter(one => !STATISTICS.test(one)).at(-1) ?? ''
  return { errno, line: line.trim(), insns, log }
}
