// `wire trace { send … | replay … }`: the way of every frame, step by step.
import { InputError } from '../../pkg/bytes/errors.js'
import type { Context, Entry } from '../../pkg/cli/index.js'
import { nested, select, type Words } from '../../pkg/grammar/index.js'
import { summarize } from '../../pkg/packet/index.js'
import type { Writer } from '../../pkg/print/index.js'
import type { TraceStep, WireFrame } from '../../pkg/request/wire.js'
import { REPLAY, replayRequest } from './replay.js'
import { SEND, sendRequest } from './send.js'
import { printCounts } from './summary.js'
import { seconds } from './words.js'

type Sent = ReturnType<typeof sendRequest>

/** `send` is meant where neither word stands. */
const sources = [
  { word: 'send', request: sendRequest, words: nested(SEND) },
  { word: 'replay', request: replayRequest, words: nested(REPLAY) },
] as const

export const TRACE_VERBS: readonly Entry[] = sources.map(({ word, request, words }) => ({ word, words, run: (context, rest) => trace(context, request(context, rest)) }))

const TRACE_USAGE = `Usage: wire trace [ send ] dev DEV { rx | tx } ...
       wire trace replay FILE dev DEV { rx | tx } ...
Words are those of "wire send" and "wire replay".`

export function runTrace(context: Context, words: Words): void {
  if (words.peek() === 'help') throw new InputError(TRACE_USAGE, 0)
  const verb = words.peek() === 'rx' ? undefined : select(TRACE_VERBS, words.peek() ?? '')
  if (verb === undefined) return trace(context, sendRequest(context, words))
  words.take()
  verb.run(context, words)
}

function trace({ out: w, write }: Context, request: Sent): void {
  const { trace: steps = [], ...summary } = write().request('wire.send', { ...request, trace: true })
  w.object(null, () => {
    w.array('frames', () => printFrames(w, request.frames, steps))
    w.object('summary', () => printCounts(w, summary))
    w.shown('now', ' time %s\n', summary.now, seconds(summary.now))
  })
}

function printFrames(w: Writer, frames: readonly WireFrame[], trace: readonly TraceStep[]): void {
  const steps = new Map<number, TraceStep[]>(frames.map((_, n) => [n, []]))
  for (const step of trace) steps.get(step.frame)?.push(step)
  const widths = [Math.max(0, ...trace.map(({ dev }) => dev.length)), Math.max(0, ...trace.map(({ hook }) => hook.length))] as const
  for (const [n, frame] of frames.entries()) {
    w.object(null, () => {
      w.uint('frame', 'frame %u: ', n)
      w.string('packet', '%s\n', summarize(frame.bytes))
      w.array('steps', () => { for (const step of steps.get(n) ?? []) w.object(null, () => printStep(w, step, widths)) })
    })
  }
}

function printStep(w: Writer, { at, dev, hook, text }: TraceStep, [devWidth, hookWidth]: readonly [number, number]): void {
  w.shown('at', '  %s ', at, seconds(at))
  w.string('dev', `%-${devWidth}s `, dev)
  w.string('hook', `%-${hookWidth}s `, hook)
  w.string('text', '%s\n', text)
}
