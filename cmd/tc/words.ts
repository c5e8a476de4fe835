// Words that qdisc, class and filter commands share (tc/tc_util.c, tc/tc_qdisc.c …): where a thing hangs, and how a request is flagged.
import { InputError } from '../../pkg/bytes/errors.js'
import { DEVICE, EXIT_USAGE, string, type Row } from '../../pkg/grammar/index.js'
import { makeHandle, TC_H_CLSACT, TC_H_MIN_EGRESS, TC_H_MIN_INGRESS } from '../../pkg/units/index.js'

export const TC_H_FILTER_INGRESS = makeHandle(TC_H_CLSACT >>> 16, TC_H_MIN_INGRESS)
export const TC_H_FILTER_EGRESS = makeHandle(TC_H_CLSACT >>> 16, TC_H_MIN_EGRESS)

/** What add, change, replace and link mean to the kernel. */
export const FLAGS = {
  add: { create: true, excl: true, replace: false },
  change: { create: false, excl: false, replace: false },
  replace: { create: true, excl: false, replace: true },
  link: { create: false, excl: false, replace: true },
  /** tc filter replace, append */
  create: { create: true, excl: false, replace: false },
} as const

export type Flags = (typeof FLAGS)[keyof typeof FLAGS]

/** The word a kind starts with ends the command's own words. */
export const KIND: Row<{ kind?: string }> = { word: '', type: string('KIND'), into: 'kind', bare: true, last: true }

export const DEV: Row<{ dev?: string }> = { word: 'dev', type: DEVICE, into: 'dev', once: true }

/** tc's sentence about a second place for the same thing. */
export const whereTwice = (text: string): InputError => new InputError(`Error: ${text}`, EXIT_USAGE)

/** A member that is there only when it has a value. */
export function some<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V }
}
