// -batch FILE (lib/utils.c: getcmdline, makeargs, do_batch): a command a line, '#' comments, quotes, a backslash joins lines. Each line is a
// transaction of its own. Unlike iproute2, a word its parser would leave the process for is a failed line like any other, with its number.
import { InputError } from '../bytes/errors.js'
import type { Io } from './io.js'

export type BatchLine = { readonly words: readonly string[]; readonly number: number }

/** Runs the file's lines by `run`; stops at the first that fails unless forced. */
export function runBatch(name: string, force: boolean, io: Io, run: (words: readonly string[]) => number): number {
  let status = 0
  for (const line of batchLines(readBatch(name, io))) {
    if (run(line.words) === 0) continue
    io.stderr(`Command failed ${name}:${line.number}\n`)
    status = 1
    if (!force) break
  }
  return status
}

/** The text of a batch file, '-' being standard input. */
export function readBatch(name: string, io: Io): string {
  if (name === '-') return io.stdin()
  try {
    return new TextDecoder().decode(io.readFile(name))
  } catch {
    throw new InputError(`Cannot open file "${name}" for reading: No such file or directory`, 1)
  }
}

/** Lines with words in them, numbered as an editor does (a joined line by its last). */
export function* batchLines(text: string): Generator<BatchLine> {
  const raw = text.split('\n')
  for (let at = 0; at < raw.length; at++) {
    let line = raw[at]!.replace(/#.*/, '')
    while (line.endsWith('\\') && at + 1 < raw.length) line = `${line.slice(0, -1)}${raw[++at]!.replace(/#.*/, '')}`
    const words = splitWords(line)
    if (words.length > 0) yield { words, number: at + 1 }
  }
}

/** Words apart by blanks; a word that begins with a quote goes to its twin. */
export function splitWords(line: string): string[] {
  const words: string[] = []
  for (const found of line.matchAll(/(["'])(.*?)\1|(["'])|(\S+)/g)) {
    if (found[3] !== undefined) throw new InputError('Unterminated quoted string', 1)
    words.push(found[2] ?? found[4] ?? '')
  }
  return words
}
