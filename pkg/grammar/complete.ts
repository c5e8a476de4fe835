// Completion from the keyword tables: which words can stand at the end of a half-written command line.
import { names } from './match.js'
import { findRow, isReachable } from './parse.js'
import type { Grammar, Row, Type } from './table.js'

/** What a machine can offer for values that only it knows. */
export type Source = { readonly devices: () => readonly string[] }

/** Candidates for the last of `words` (which may be ''); file names are left to the shell. */
export function complete<R>(grammar: Grammar<R>, words: readonly string[], source: Source): string[] {
  const partial = words.at(-1) ?? ''
  return walk(grammar, words.slice(0, -1), source).candidates.filter((word) => word.startsWith(partial))
}

type Walked = { readonly candidates: readonly string[]; readonly used: number }

function walk<R>(grammar: Grammar<R>, words: readonly string[], source: Source): Walked {
  const seen = new Set<string>()
  let at = 0
  while (at < words.length) {
    const row = findRow(grammar, words[at]!, seen)
    if (row === undefined) return { candidates: [], used: at }
    if (names(row, words[at]!, row.match ?? grammar.match)) at += 1
    seen.add(row.word)
    if (row.type !== undefined && at++ >= words.length) return { candidates: values(row.type, source), used: words.length }
    const sub = subGrammar(row, words[at - 1])
    if (sub === undefined) continue
    const inner = walk(sub, words.slice(at), source)
    at += inner.used
    if (at >= words.length) return { candidates: [...inner.candidates, ...(sub.open ? starts(grammar, seen, source) : [])], used: at }
  }
  return { candidates: starts(grammar, seen, source), used: at }
}

function subGrammar<R>(row: Row<R>, text: string | undefined): Grammar<unknown> | undefined {
  const value = row.type === undefined ? row.value ?? true : row.type.parse(text ?? '')
  const sub = typeof row.sub === 'function' ? row.sub(value as never, {} as R) : row.sub
  return sub as unknown as Grammar<unknown> | undefined
}

function starts<R>(grammar: Grammar<R>, seen: ReadonlySet<string>, source: Source): string[] {
  const free = grammar.rows.filter((row) => !row.hidden && !row.unsupported && !seen.has(row.word) && isReachable(row, seen) && !row.excludes?.some((word) => seen.has(word)))
  return free.flatMap((row) => [row.word, ...(row.bare && row.type ? values(row.type, source) : [])])
}

function values(type: Type<unknown>, source: Source): readonly string[] {
  return type.from === 'device' ? source.devices() : type.choices ?? []
}
