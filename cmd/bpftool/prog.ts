// `bpftool prog` (prog.c): the verbs.
import { InputError } from '../../pkg/bytes/errors.js'
import { runBpftoolVerb, type Context, type Entry } from '../../pkg/cli/index.js'
import { isPrefix, type Words } from '../../pkg/grammar/index.js'
import { EINVAL } from '../../pkg/uapi/errno.js'
import { exitOf, invalid, needs, unsupported } from './failure.js'
import { map, prog } from './handle.js'
import { pin } from './paths.js'
import { dumpProg } from './prog-dump.js'
import { loadProgs } from './prog-load.js'
import { runProg } from './prog-run.js'
import { showProgs } from './prog-show.js'
import { PROG_HELP, usage } from './usage.js'

function pinProg(context: Context, words: Words): void {
  needs(words, 3, exitOf(EINVAL))
  const kernel = context.write()
  const { id } = prog(context, kernel, words)
  pin(context, kernel, 'prog', id, words.take())
}

/** attach_type_strings[] of prog.c, with the older words that it takes as well. */
const ATTACH = ['sk_msg_verdict', 'sk_skb_verdict', 'sk_skb_stream_verdict', 'sk_skb_stream_parser', 'flow_dissector']
const OLD_ATTACH = ['msg_verdict', 'skb_verdict', 'stream_verdict', 'stream_parser']

const attachOr = (how: 'attach' | 'detach') => (context: Context, words: Words): never => {
  needs(words, 3, exitOf(EINVAL))
  const kernel = context.read()
  prog(context, kernel, words)
  const typed = words.take()
  const type = ATTACH.find((one) => one === typed) ?? OLD_ATTACH.find((one) => isPrefix(typed, one))
  if (type === undefined) throw invalid('invalid attach/detach type')
  if (type !== 'flow_dissector') {
    needs(words, 2, exitOf(EINVAL))
    map(context, kernel, words)
  }
  throw unsupported(`prog ${how} to ${type}`)
}

/** What bpf_printk left since it was last read; an emulated pipe does not wait for more. */
function tracelog(context: Context): void {
  const lines = context.write().request('trace.read', {})
  if (context.out.isJson) context.out.tree(null, lines)
  else for (const line of lines) context.out.text('%s\n', line)
}

/** In upstream's order: `p` is pin, `l` is list. */
export const PROG_VERBS: readonly Entry[] = [
  { word: 'show', run: showProgs },
  { word: 'list', run: showProgs },
  { word: 'help', run: () => { throw new InputError(usage(PROG_HELP).trimEnd(), 0) } },
  { word: 'dump', run: dumpProg },
  { word: 'pin', run: pinProg },
  { word: 'load', run: (context, words) => loadProgs(context, words, false) },
  { word: 'loadall', run: (context, words) => loadProgs(context, words, true) },
  { word: 'attach', run: attachOr('attach') },
  { word: 'detach', run: attachOr('detach') },
  { word: 'tracelog', run: tracelog },
  { word: 'run', run: runProg },
  { word: 'profile', run: () => { throw unsupported('prog profile') } },
]

export const runProgObject = (context: Context, words: Words): number => runBpftoolVerb(PROG_VERBS, usage(PROG_HELP), context, words)
