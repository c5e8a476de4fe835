// Keyword tables. One row says how a word is spelled, what follows it and where the value goes; parsing, usage text and completion read the same
// rows. What a row can't say is done by its `sub` grammar, never by a hand-written argv loop.
import type { InputError } from '../bytes/errors.js'
import type { Match } from './match.js'
import type { Words } from './words.js'

/** What a value may look like. */
export type Type<V> = {
  /** In usage text: PACKETS, LLADDR, { on | off }. */
  readonly name: string
  /** undefined: no such value. */
  readonly parse: (text: string) => V | undefined
  /** The complaint; default: invarg 'Invalid "KEY" value'. */
  readonly wrong?: (text: string, key: string) => InputError
  /** Completion: the words possible, or whose they are. */
  readonly choices?: readonly string[]
  readonly from?: 'device' | 'file'
}

export type Row<R> = {
  readonly word: string
  readonly aliases?: readonly string[]
  readonly match?: Match
  /** A value of this type follows; without: a flag. */
  readonly type?: Type<unknown>
  /** Reads a value of several words, which `type` only names. */
  readonly read?: (words: Words) => unknown
  /** What a flag stores; default true. */
  readonly value?: unknown
  readonly into: keyof R & string
  /** A nested grammar takes the words behind; its request goes to `subInto` (no `type`: to `into`). A function picks it by the value just read. */
  readonly sub?: Grammar<never> | ((value: never, request: R) => Grammar<never> | undefined)
  readonly subInto?: keyof R & string
  /** A second time is 'duplicate "x"' (true) or 'either "x" is duplicate, or … garbage' ('either'). */
  readonly once?: true | 'either'
  /** Words that can't stand beside this one: complaint as for a duplicate. */
  readonly excludes?: readonly string[]
  /** Known only behind this word. */
  readonly needs?: string
  /** What is said instead when `once` or `excludes` is broken. */
  readonly twice?: (text: string) => InputError
  /** A word that no row knows is this row's value ('ip link set eth0 …' for 'dev eth0'). */
  readonly bare?: true
  /** Values gather in an array. */
  readonly many?: true
  /** Nothing may follow in this grammar. */
  readonly last?: true
  /** Known only as the last word of the line. */
  readonly final?: true
  /** The real tool has it, this one hasn't yet: refused by name. */
  readonly unsupported?: true
  /** Taken, but not told in usage and completion. */
  readonly hidden?: true
}

export type Grammar<R> = {
  /** 'ip link set': heads usage texts and refusals. */
  readonly name: string
  /** A nested grammar's name in the usage of the one outside, which explains it below: BPF. */
  readonly title?: string
  readonly match: Match
  readonly rows: readonly Row<R>[]
  /** A word that isn't here ends this grammar and is left to the one outside. */
  readonly open?: true
  /** An open grammar that must not be empty: the complaint about a first word that isn't its own. */
  readonly start?: (word: string) => InputError
  /** The complaint about a word that no row knows; default 'What is "x"?' and the usage. */
  readonly unknown?: (word: string, request: R) => InputError
  /** The complaint about a value that its type refuses. */
  readonly wrong?: (text: string, key: string) => InputError
  /** What stands before the rows in the usage text. */
  readonly head?: string
  /** Lines below the usage: what the capital words mean. */
  readonly where?: string
  /** What 'help' among the words ends with; default 255 as iproute2's usage(). */
  readonly helpStatus?: number
}

/** A grammar's rows written as a typed table: `grammar<Req>({ name, match, rows: [ … ] })`. */
export const grammar = <R>(it: Grammar<R>): Grammar<R> => it

/** A grammar as a row's `sub`: its request type is its own business. */
export const nested = <R>(it: Grammar<R>): Grammar<never> => it as unknown as Grammar<never>
