// Usage text of a keyword table, in iproute2's brackets: neighbours that fill the same field, or take the same nested words, are alternatives.
import type { Grammar, Row } from './table.js'

const WIDTH = 78

/** 'Usage: HEAD [ word VALUE ] …', wrapped, then what the capital words mean. */
export function usage<R>(grammar: Grammar<R>): string {
  const titled = [...new Set(shownRows(grammar).map(subOf).filter((sub) => sub?.title !== undefined))]
  const explained = titled.map((sub) => `\n${explain(sub!)}`).join('')
  return `${wrap(`Usage: ${grammar.head ?? grammar.name}`, synopsis(grammar), 8)}${explained}${grammar.where ?? ''}`
}

/** 'BPF := { object-file FILE [ section NAME ] | … }' of a titled grammar. */
export function explain<R>(grammar: Grammar<R>): string {
  const choices = shownRows(grammar).filter((row) => row.needs === undefined).map((row) => {
    const behind = shownRows(grammar).filter(({ needs }) => needs === row.word).map((one) => ` [ ${piece(one)} ]`)
    return piece(row) + behind.join('')
  })
  return wrap(`${grammar.title ?? grammar.name} :=`, ['{', ...choices.flatMap((choice, i) => (i === 0 ? [choice] : ['|', choice])), '}'], 8)
}

/** The bracketed pieces of a grammar. */
export function synopsis<R>(grammar: Grammar<R>): string[] {
  const groups: Row<R>[][] = []
  for (const row of shownRows(grammar)) {
    const last = groups.at(-1)
    if (last !== undefined && isAlternative(last[0]!, row)) last.push(row)
    else groups.push([row])
  }
  return groups.map((rows) => `[ ${group(rows)} ]`)
}

const shownRows = <R>(grammar: Grammar<R>): readonly Row<R>[] => grammar.rows.filter((row) => !row.hidden && !row.unsupported)

function isAlternative<R>(first: Row<R>, row: Row<R>): boolean {
  const sub = subOf(row)
  return !row.many && !first.bare && (first.into === row.into || (sub !== undefined && sub === subOf(first)))
}

const subOf = <R>(row: Row<R>): Grammar<never> | undefined => (typeof row.sub === 'object' ? row.sub : undefined)

function group<R>(rows: readonly Row<R>[]): string {
  const [first] = rows
  if (rows.length === 1) return piece(first!)
  const sub = subOf(first!)
  if (sub?.title === undefined) return `{ ${rows.map(piece).join(' | ')} }`
  return `{ ${rows.map(({ word }) => word).join(' | ')} } ${sub.title}`
}

function piece<R>(row: Row<R>): string {
  const word = row.word === '' ? row.type?.name ?? '' : row.bare ? `{ ${row.type?.name ?? ''} | ${row.word} ${row.type?.name ?? ''} }` : row.word
  const value = row.type === undefined || row.bare ? '' : ` ${row.type.name}`
  return word + value + nestedPiece(row)
}

function nestedPiece<R>(row: Row<R>): string {
  const sub = subOf(row)
  if (sub !== undefined) return ` ${sub.title ?? synopsis(sub).join(' ')}`
  return row.sub === undefined ? '' : ' [ ARGS ]'
}

/** Pieces behind a head, broken at the width and indented. */
export function wrap(head: string, pieces: readonly string[], indent: number): string {
  let text = head
  let column = head.length
  for (const piece of pieces) {
    if (column + 1 + piece.length > WIDTH) {
      text += `\n${' '.repeat(indent - 1)}`
      column = indent - 1
    }
    text += ` ${piece}`
    column += 1 + piece.length
  }
  return `${text}\n`
}
