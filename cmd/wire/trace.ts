// `wire trace { send … | replay … }`: the way of every frame, step by step.
import type { Context } from '../../pkg/cli/index.js'
import { matches, type Words } from '../../pkg/grammar/index.js'
import { summarize } from '../../pkg/packet/index.js'
import type { Writer } from '../../pkg/print/index.js'
import type { TraceStep, WireFrame } from '../../pkg/request/wire.js'
import { replayRequest } from './replay.js'
import { sendRequest } from './send.js'
import { printCounts } from './summary.js'
import { seconds } from './words.js'

export function runTrace(context: Context, words: Words): void {
  const request = requestOf(context, words)
  const { trace = [], ...summary } = context.write().request('wire.send', { ...request, trace: true })
  const { out: w } = context
  w.object(null, () => {
    w.array('frames', () => printFrames(w, request.frames, trace))
    w.object('summary', () => printCounts(w, summary))
    w.shown('now', ' time %s\n', summary.now, seconds(summary.now))
  })
}

/** `send` may be left out. */
function requestOf(context: Context, words: Words): ReturnType<typeof sendRequest> {
  const word = words.peek() ?? ''
  if (word !== 'rx' && matches(word, 'replay')) return replayRequest(context, (words.take(), words))
  if (matches(word, 'send')) words.take()
  return sendRequest(context, words)
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
