// Words through a keyword table into a request object.
import { InputError } from '../bytes/errors.js'
import { duparg, duparg2, EXIT_USAGE, incomplete, invarg, notSupported, whatIs } from './complaints.js'
import { matches, names } from './match.js'
import type { Grammar, Row } from './table.js'
import { usage } from './usage.js'
import { Words } from './words.js'

/** Reads words until they end (or, in an open grammar, until one isn't known here). `request` holds the defaults and is filled in. */
export function parse<R extends object>(grammar: Grammar<R>, words: Words | readonly string[], request: NoInfer<R>): R {
  const cursor = words instanceof Words ? words : new Words(words)
  const seen = new Set<string>()
  if (grammar.start !== undefined && !cursor.more) throw incomplete()
  while (cursor.more) {
    const typed = cursor.peek()!
    const row = findRow(grammar, typed, seen, cursor.left === 1)
    if (row === undefined) {
      if (grammar.start !== undefined && seen.size === 0) throw grammar.start(typed)
      if (isHelp(grammar, typed)) throw new InputError(usage(grammar).trimEnd(), grammar.helpStatus ?? EXIT_USAGE)
      if (grammar.open) break
      throw grammar.unknown?.(typed, request) ?? whatIs(typed, usage(grammar))
    }
    if (!isBareHere(grammar, row, typed)) cursor.take()
    readRow(grammar, row, typed, cursor, request, seen)
    if (row.last) break
  }
  return request
}

/** The row a word selects: by its spelling, else the bare row. An open grammar doesn't know a word that can't stand here any more. */
export function findRow<R>(grammar: Grammar<R>, typed: string, seen: ReadonlySet<string>, isLast = true): Row<R> | undefined {
  const spelled = grammar.rows.find((row) => names(row, typed, row.match ?? grammar.match) && (isLast || !row.final) && isReachable(row, seen))
  if (spelled !== undefined) return grammar.open && clash(spelled, seen) !== undefined ? undefined : spelled
  if (isHelp(grammar, typed)) return undefined
  return grammar.rows.find((row) => row.bare && !(grammar.open && seen.has(row.word)))
}

/** Whether what the row stands behind was there. */
export const isReachable = (row: { needs?: string }, seen: ReadonlySet<string>): boolean => row.needs === undefined || seen.has(row.needs)

/** The word already seen that forbids this row: itself, or one it excludes. */
function clash(row: { word: string; once?: true | 'either'; excludes?: readonly string[] }, seen: ReadonlySet<string>): string | undefined {
  if (row.once !== undefined && seen.has(row.word)) return row.word
  return row.excludes?.find((word) => seen.has(word))
}

function isHelp<R>(grammar: Grammar<R>, typed: string): boolean {
  return !grammar.open && matches(typed, 'help')
}

function isBareHere<R>(grammar: Grammar<R>, row: Row<R>, typed: string): boolean {
  return row.bare === true && !names(row, typed, row.match ?? grammar.match)
}

function readRow<R extends object>(
  grammar: Grammar<R>, row: Row<R>, typed: string, words: Words, request: R, seen: Set<string>,
): void {
  if (row.unsupported) throw notSupported(`${grammar.name} ${row.word}`)
  if (row.read !== undefined) return store(request, row.into, row.read(words), row.many)
  const text = row.type === undefined ? typed : words.take()
  refuseTwice(row, text, seen)
  seen.add(row.word)
  const value = row.type === undefined ? row.value ?? true : readValue(grammar, row, text)
  if (row.type !== undefined || row.sub === undefined) store(request, row.into, value, row.many)
  const sub = typeof row.sub === 'function' ? row.sub(value as never, request) : row.sub
  if (sub !== undefined) store(request, row.subInto ?? row.into, parse(sub as unknown as Grammar<object>, words, {}), row.many)
}

function refuseTwice<R>(row: Row<R>, text: string, seen: ReadonlySet<string>): void {
  if (clash(row, seen) === undefined) return
  throw row.twice?.(text) ?? (row.once === 'either' ? duparg2(row.word, text) : duparg(row.word, text))
}

function readValue<R>(grammar: Grammar<R>, row: Row<R>, text: string): unknown {
  const value = row.type?.parse(text)
  if (value !== undefined) return value
  throw row.type?.wrong?.(text, row.word) ?? grammar.wrong?.(text, row.word) ?? invarg(`Invalid "${row.word}" value\n`, text)
}

function store(request: object, key: string, value: unknown, many: true | undefined): void {
  const record = request as Record<string, unknown>
  record[key] = many ? [...((record[key] as unknown[] | undefined) ?? []), value] : value
}
