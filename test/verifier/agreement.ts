// How a verdict compares with the recorded one, and the list of the cases that are known to differ.
import { existsSync, readFileSync } from 'node:fs'
import { vmlinuxBtf } from '../../pkg/btf/index.js'
import { InputError } from '../../pkg/bytes/errors.js'
import { errnoName } from '../../pkg/uapi/errno.js'
import { caseFiles, caseFolder, readCases, type Case } from './cases.js'
import type { Verdict } from './load.js'
import { objectCases } from './object-cases.js'
import { ourVerdict } from './ours.js'

/** `ok 12` or `EACCES R0 !read_ok`: as cases carry it. */
export function verdictText(verdict: Verdict): string {
  if (verdict.errno === 0) return `ok ${verdict.insns}`
  const name = verdict.errno < 0 ? 'CRASH' : errnoName(verdict.errno as Parameters<typeof errnoName>[0])
  return `${name} ${verdict.line}`.trim()
}

/** unsound: accepted here only. strict: refused here only. words: both refuse, another errno or line. */
export type Difference = 'same' | 'unsound' | 'strict' | 'words'

export function differenceOf(recorded: string, ours: string): Difference {
  const [theirs, mine] = [recorded.startsWith('ok '), ours.startsWith('ok ')]
  if (theirs !== mine) return mine ? 'unsound' : 'strict'
  return theirs || recorded === ours ? 'same' : 'words'
}

export const allCases = (): Case[] => [...caseFiles().flatMap(readCases), ...objectCases()]

/** Our verdict; what the loader refuses before there is a program to verify is `UNLOADED` and its words. */
export function oursText(one: Case): string {
  try {
    return verdictText(ourVerdict(one.load(vmlinuxBtf())))
  } catch (error) {
    if (error instanceof InputError) return `UNLOADED ${error.message}`
    throw error
  }
}

/** fixtures/verifier/disagreements.txt: `CASE => reason`, one a line; may only shrink. */
export function knownDisagreements(): Map<string, string> {
  const file = `${caseFolder()}/disagreements.txt`
  if (!existsSync(file)) return new Map()
  const rows = readFileSync(file, 'utf8').split('\n').filter(line => line.includes(' => ') && !line.startsWith('#')).map(line => line.split(' => '))
  return new Map(rows.map(([name = '', reason = '']) => [name, reason]))
}

export function byTheme<T>(all: readonly T[], themeOf: (one: T) => string): Map<string, T[]> {
  const out = new Map<string, T[]>()
  for (const one of all) out.set(themeOf(one), [...out.get(themeOf(one)) ?? [], one])
  return out
}
