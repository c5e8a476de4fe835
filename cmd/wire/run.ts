// `wire run { for TIME | until idle }` and `wire time`: the virtual clock.
import type { Context } from '../../pkg/cli/index.js'
import { grammar, incomplete, oneOf, parse, TIME64, type Words } from '../../pkg/grammar/index.js'
import { printSummary } from './summary.js'
import { seconds, wrongValue } from './words.js'

type RunWords = { for?: bigint; until?: 'idle' }

export const RUN = grammar<RunWords>({
  name: 'wire run', match: 'whole', helpStatus: 0, wrong: wrongValue, rows: [
    { word: 'for', type: TIME64, into: 'for', once: true, excludes: ['until'] },
    { word: 'until', type: oneOf(['idle']), into: 'until', once: true, excludes: ['for'] },
  ],
})

export const TIME = grammar<Record<never, never>>({ name: 'wire time', match: 'whole', helpStatus: 0, rows: [] })

export function runRun(context: Context, words: Words): void {
  const { for: time, until } = parse(RUN, words, {})
  if (time === undefined && until === undefined) throw incomplete()
  const summary = context.write().request('wire.run', time === undefined ? { until: 'idle' } : { for: Number(time) })
  printSummary(context.out, summary)
}

export function runTime({ out, read }: Context, words: Words): void {
  parse(TIME, words, {})
  const { now } = read().request('wire.time', {})
  out.object(null, () => out.shown('now', '%s\n', now, seconds(now)))
}
