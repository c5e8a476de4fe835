// Objects that the emulated machine has nothing of: perf lists nothing, the others say so.
import { InputError } from '../../pkg/bytes/errors.js'
import { runBpftoolVerb, type Context, type Entry } from '../../pkg/cli/index.js'
import type { Words } from '../../pkg/grammar/index.js'
import { unsupported } from './failure.js'
import { PERF_HELP, usage, type Help } from './usage.js'

const nothing = ({ out }: Context): void => out.tree(null, [])
const helpOf = (help: Help): Entry => ({ word: 'help', run: () => { throw new InputError(usage(help).trimEnd(), 0) } })

export const PERF_VERBS: readonly Entry[] = [{ word: 'show', run: nothing }, { word: 'list', run: nothing }, helpOf(PERF_HELP)]

export const runPerf = (context: Context, words: Words): number => runBpftoolVerb(PERF_VERBS, usage(PERF_HELP), context, words)

/** A whole object that is not there. */
export const absent = (word: string): Entry => ({ word, run: () => { throw unsupported(`bpftool ${word}`) } })
