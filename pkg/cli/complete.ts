// `NAME --get-yargs-completions WORDS…`, what a completion script of yargs asks: options, objects and verbs from the program's tables, then the
// keyword table of the verb.
import { complete, type Grammar } from '../grammar/index.js'
import { select } from '../grammar/match.js'
import type { Io } from './io.js'
import type { Entry, Program } from './program.js'

export const COMPLETE_WORD = '--get-yargs-completions'

/** Candidates for the last word, a line each. */
export function printCompletions(program: Program, words: readonly string[], io: Io): void {
  const line = words[0] === program.name ? words.slice(1) : words
  const found = candidates(program, line, () => deviceNames(io))
  if (found.length > 0) io.stdout(`${[...new Set(found)].join('\n')}\n`)
}

/** Candidates for the last of these words. */
export function candidates(program: Program, words: readonly string[], devices: () => readonly string[]): string[] {
  const partial = words.at(-1) ?? ''
  let at = 0
  while (at < words.length - 1 && words[at]!.startsWith('-')) at += optionWidth(program, words[at]!)
  if (partial.startsWith('-') && at >= words.length - 1) return optionWords(program).filter((word) => word.startsWith(partial))
  let table = program.objects
  for (; at < words.length - 1; at++) {
    const entry: Entry | undefined = select(table, words[at]!)
    if (entry?.verbs === undefined) return entry?.words === undefined ? [] : ofGrammar(entry.words, words.slice(at + 1), devices)
    table = entry.verbs
  }
  return [...table.map(({ word }) => word), 'help'].filter((word) => word.startsWith(partial))
}

function ofGrammar(grammar: Grammar<never>, words: readonly string[], devices: () => readonly string[]): string[] {
  return complete(grammar as unknown as Grammar<object>, words, { devices })
}

const optionWords = (program: Program): string[] => (program.options?.rows ?? []).map(({ word }) => word)

function optionWidth(program: Program, word: string): number {
  return program.options?.rows.find((row) => row.word.startsWith(word))?.value === undefined ? 1 : 2
}

/** A machine that can't be opened offers nothing; completion never complains. */
function deviceNames(io: Io): string[] {
  try {
    const kernel = io.openKernel('read')
    const names = kernel.request('link.get', {}).map(({ name }) => name)
    kernel.close()
    return names
  } catch {
    return []
  }
}
