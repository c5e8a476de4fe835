// meta.log, the only commit point: a header line that says which files make up the state, then one line per commit, each `CRC32 JSON`.
// A last line without its newline was never acknowledged (the process died in write) and counts as absent; anything else that is off is damage.
import { InputError } from '../bytes/errors.js'
import { crc32 } from './crc.js'
import { damaged } from './disk.js'
import type { RunRef } from './run.js'
import type { Usage } from './segments.js'
import type { Json } from './store.js'

/** The newest format this program writes and reads; fixtures/state keeps a state of every one. */
export const FORMAT = 1
export const LOG = 'meta.log'

export interface Header {
  readonly format: number
  /** Commits made so far. */
  readonly generation: number
  /** First number that no file has had yet. */
  readonly next: number
  /** Newest first. */
  readonly runs: readonly RunRef[]
  readonly segments: { readonly [n: string]: Usage }
}

export interface Commit {
  readonly generation: number
  readonly set: { readonly [key: string]: Json }
  readonly delete: readonly string[]
  readonly segments: { readonly [n: string]: Usage }
}

/** A log as it was read; END: where the next line goes. */
export interface Log { readonly header: Header; readonly commits: readonly Commit[]; readonly start: number; readonly end: number }

const NEWLINE = 10
const CRC_DIGITS = 8

/** One line of the log. */
export function formatLine(json: string): Uint8Array {
  const line = Buffer.from(`00000000 ${json}\n`)
  line.write(hex(crc32(line.subarray(CRC_DIGITS + 1, -1))), 0, 'latin1')
  return line
}

/** The JSON of a commit; values come as text, so that they are made only once. */
export function commitJson(generation: number, cells: Iterable<readonly [string, string | null]>, segments: Commit['segments']): string {
  const set: string[] = []
  const gone: string[] = []
  for (const [key, text] of cells) {
    if (text === null) gone.push(JSON.stringify(key))
    else set.push(`${JSON.stringify(key)}:${text}`)
  }
  return `{"generation":${generation},"set":{${set.join()}},"delete":[${gone.join()}],"segments":${JSON.stringify(segments)}}`
}

/** Reads the bytes of a log. */
export function parseLog(dir: string, bytes: Uint8Array): Log {
  const lines = splitLines(dir, bytes)
  const first = lines.next()
  if (first.done === true) throw damaged(dir, LOG, 0, 'no header')
  const header = checkHeader(dir, first.value.json)
  const commits: Commit[] = []
  let end = first.value.end
  for (const { at, json, end: next } of lines) {
    const commit = json as Commit
    if (commit.generation !== header.generation + commits.length + 1) throw damaged(dir, LOG, at, 'a commit is missing')
    commits.push(commit)
    end = next
  }
  return { header, commits, start: first.value.end, end }
}

function* splitLines(dir: string, bytes: Uint8Array): IterableIterator<{ at: number; json: unknown; end: number }> {
  let at = 0
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
    const json = lineJson(bytes.subarray(at, end))
    if (json === undefined) throw damaged(dir, LOG, at, 'wrong checksum')
    yield { at, json, end: end + 1 }
    at = end + 1
  }
  // A line that is whole but for another byte in place of its newline was not cut short by a crash.
  if (lineJson(bytes.subarray(at, -1)) !== undefined && at < bytes.length) throw damaged(dir, LOG, bytes.length - 1, 'no newline')
}

/** The object on a line, undefined when its checksum differs. */
function lineJson(line: Uint8Array): unknown {
  if (line.length < CRC_DIGITS + 3 || line[CRC_DIGITS] !== 0x20) return undefined
  const body = Buffer.from(line.buffer, line.byteOffset + CRC_DIGITS + 1, line.length - CRC_DIGITS - 1)
  const digits = Buffer.from(line.buffer, line.byteOffset, CRC_DIGITS).toString('latin1')
  if (digits !== hex(crc32(body))) return undefined
  try {
    const json: unknown = JSON.parse(body.toString())
    return typeof json === 'object' && json !== null ? json : undefined
  } catch {
    return undefined
  }
}

function checkHeader(dir: string, json: unknown): Header {
  const header = json as Header
  if (typeof header.format !== 'number') throw damaged(dir, LOG, 0, 'no header')
  if (header.format > FORMAT) {
    throw new InputError(`state directory ${dir} has format ${header.format}, this hookpoint reads formats up to ${FORMAT}: use a newer one`)
  }
  if (!Array.isArray(header.runs) || typeof header.segments !== 'object') throw damaged(dir, LOG, 0, 'no header')
  return header
}

function hex(crc: number): string {
  return crc.toString(16).padStart(CRC_DIGITS, '0')
}
