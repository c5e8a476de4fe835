// Abbreviations, exactly as the real tools take them: the first entry of a table that the word is a prefix of. Table order is contract.

/** iproute2's matches() == 0: a non-empty prefix. */
export function matches(prefix: string, word: string): boolean {
  return prefix !== '' && word.startsWith(prefix)
}

/** bpftool's is_prefix(): the empty string is a prefix of everything. */
export function isPrefix(prefix: string, word: string): boolean {
  return word.startsWith(prefix)
}

export type Match = 'prefix' | 'whole'

/** Whether a typed word names a table entry, by its word or one of its aliases. */
export function names(entry: { readonly word: string; readonly aliases?: readonly string[] }, typed: string, how: Match): boolean {
  const one = (word: string): boolean => (how === 'prefix' ? matches(typed, word) : typed === word)
  return one(entry.word) || (entry.aliases?.some(one) ?? false)
}

/** The first entry the word selects. */
export function select<E extends { readonly word: string; readonly aliases?: readonly string[]; readonly match?: Match }>(
  table: readonly E[], typed: string, how: Match = 'prefix',
): E | undefined {
  return table.find((entry) => names(entry, typed, entry.match ?? how))
}
