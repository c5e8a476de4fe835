// Kinds of filter, one record each, as tc's struct filter_util.
import { InputError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import { notSupported, type Words } from '../../pkg/grammar/index.js'
import type { Filter } from '../../pkg/request/rtnl.js'
import { bpf } from './f-bpf.js'
import { u32 } from './f-u32.js'

export type FilterKind = {
  readonly kind: string
  readonly parse: (context: Context, words: Words) => unknown
  /** How this kind writes a handle; default: a number. */
  readonly handle?: (text: string) => number | undefined
  /** The handle and all behind it. */
  readonly print: (context: Context, filter: Filter) => void
}

const KINDS: readonly FilterKind[] = [bpf, u32]

const ABSENT = ['basic', 'cgroup', 'flow', 'flower', 'fw', 'matchall', 'route', 'rsvp', 'rsvp6', 'tcindex']

export const filterKind = (kind: string): FilterKind | undefined => KINDS.find((one) => one.kind === kind)

export function parseFilterOptions(context: Context, kind: string, words: Words): unknown {
  if (ABSENT.includes(kind)) throw notSupported(`filter ${kind}`)
  const record = filterKind(kind)
  if (record !== undefined) return record.parse(context, words)
  if (words.more) throw new InputError(`Unknown filter "${kind}", hence option "${words.take()}" is unparsable`, 1)
  return undefined
}
