// Kinds of qdisc, one record each, as tc's struct qdisc_util: words after the kind, and how options are shown.
import { InputError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import { EXIT_USAGE, notSupported, type Words } from '../../pkg/grammar/index.js'
import type { Qdisc, TcClass } from '../../pkg/request/rtnl.js'
import { bpf } from './q-bpf.js'
import { bfifo, pfifo, pfifoHeadDrop } from './q-fifo.js'
import { clsact, ingress } from './q-ingress.js'
import { pfifoFast } from './q-prio.js'

export type QdiscKind = {
  readonly kind: string
  /** TCA_OPTIONS from words; without: 'does not support option parsing'. */
  readonly parse?: (context: Context, words: Words, isChange: boolean) => unknown
  /** The options of a dump. */
  readonly print?: (context: Context, options: unknown, qdisc: Qdisc) => void
  /** Behind the counters of -s. */
  readonly printStats?: (context: Context, options: unknown) => void
  /** Classes of this kind may be made by hand, with these words. */
  readonly parseClass?: (context: Context, words: Words) => unknown
  readonly printClass?: (context: Context, options: unknown, cls: TcClass) => void
}

const KINDS: readonly QdiscKind[] = [pfifo, bfifo, pfifoHeadDrop, pfifoFast, ingress, clsact, bpf]

/** Linux has them, this machine hasn't: refused by name, whatever words follow. */
const ABSENT = [
  'atm', 'cake', 'cbq', 'cbs', 'choke', 'codel', 'drr', 'dsmark', 'etf', 'ets', 'fq', 'fq_codel', 'fq_pie', 'gred', 'hfsc', 'hhf', 'htb', 'mqprio',
  'multiq', 'netem', 'pie', 'plug', 'prio', 'qfq', 'red', 'rr', 'sfb', 'sfq', 'skbprio', 'taprio', 'tbf',
]

export const qdiscKind = (kind: string): QdiscKind | undefined => KINDS.find((one) => one.kind === kind)

/** Options of a kind from the words behind it; undefined without words. */
export function parseQdiscOptions(context: Context, kind: string, words: Words, isChange: boolean): unknown {
  if (ABSENT.includes(kind)) throw notSupported(`qdisc ${kind}`)
  const record = qdiscKind(kind)
  if (record?.parse !== undefined) return record.parse(context, words, isChange)
  if (!words.more) return undefined
  if (record !== undefined) throw new InputError(`qdisc '${kind}' does not support option parsing`, EXIT_USAGE)
  throw new InputError(`Unknown qdisc "${kind}", hence option "${words.take()}" is unparsable`, 1)
}

export function parseClassOptions(context: Context, kind: string, words: Words): unknown {
  if (ABSENT.includes(kind)) throw notSupported(`class ${kind}`)
  const record = qdiscKind(kind)
  if (record?.parseClass === undefined) throw new InputError(`Error: Qdisc "${kind}" is classless.`, 1)
  return record.parseClass(context, words)
}
