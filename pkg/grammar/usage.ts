// Usage text of a keyword table, in iproute2's brackets: neighbours that fill the same field are alternatives.
import type { Grammar, Row } from './table.js'

const WIDTH = 78

/** 'Usage: HEAD [ word VALUE ] …', wrapped, then what the capital words mean. */
export function usage<R>(grammar: Grammar<R>): string {
  return `${wrap(`Usage: ${grammar.head ?? grammar.name}`, synopsis(grammar), 8)}${grammar.where ?? ''}`
}

/** The bracketed pieces of a grammar. */
export function synopsis<R>(grammar: Grammar<R>): string[] {
  const groups: Row<R>[][] = []
  for (const row of grammar.rows) {
    if (row.hidden || row.unsupported) continue
    const last = groups.at(-1)
    if (last?.[0]?.into === row.into && !row.many && !last[0].bare) last.push(row)
    else groups.push([row])
  }
  return groups.map((rows) => (rows.length === 1 ? `[ ${piece(rows[0]!)} ]` : `[ { ${rows.map(piece).join(' | ')} } ]`))
}

function piece<R>(row: Row<R>): string {
  const word = row.word === '' ? row.type?.name ?? '' : row.bare ? `{ ${row.type?.name ?? ''} | ${row.word} ${row.type?.name ?? ''} }` : row.word
  const value = row.type === undefined || row.bare ? '' : ` ${row.type.name}`
  const sub = typeof row.sub === 'object' ? ` ${synopsis(row.sub).join(' ')}` : row.sub === undefined ? '' : ' [ ARGS ]'
  return word + value + sub
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
