// `wire replay FILE dev DEV { rx | tx } [ cpu N ] [ speed X ] [ count N ] [ hold ]`: a capture's frames at the capture's own times.
import { resolve } from 'node:path'
import type { Context, Io } from '../../pkg/cli/index.js'
import { grammar, invarg, parse, type Type, type Words } from '../../pkg/grammar/index.js'
import { CaptureReader, FrameBatch, MIN_WINDOW } from '../../pkg/packet/index.js'
import type { Request } from '../../pkg/request/kernel.js'
import type { WireFrame } from '../../pkg/request/wire.js'
import { strtod } from '../../pkg/units/index.js'
import { socketOf } from './packet.js'
import { printSummary } from './summary.js'
import { placeOf, placeRows, positive, wrongValue, type Direction, type PlaceWords } from './words.js'

type ReplayWords = PlaceWords & { speed?: number; count?: number; hold?: true }

const SPEED: Type<number> = {
  name: 'X', choices: ['max'],
  parse: (text) => {
    const number = text === 'max' ? { value: Infinity, rest: '' } : strtod(text)
    return number !== undefined && number.rest === '' && number.value > 0 ? number.value : undefined
  },
  wrong: (text) => invarg('speed is a factor above 0, or "max"', text),
}

export const REPLAY = grammar<ReplayWords>({
  name: 'wire replay', head: 'wire replay FILE', match: 'whole', helpStatus: 0, wrong: wrongValue, rows: [
    ...placeRows,
    { word: 'speed', type: SPEED, into: 'speed', once: true },
    { word: 'count', type: positive('N'), into: 'count', once: true },
    { word: 'hold', into: 'hold' },
  ],
})

/** Also the words behind `wire trace replay`. */
export function replayRequest(context: Context, words: Words): Request<'wire.send'> {
  const file = words.peek() === 'help' ? '' : words.take()
  const { speed = 1, count = Infinity, hold, ...asked } = parse(REPLAY, words, {})
  const kernel = context.write()
  const { link: _, ...place } = placeOf(kernel, asked)
  const { frames, cut } = readFrames(pathOf(context.io, file), place.direction, count, speed)
  if (cut > 0) context.note(`${file}: ${cut} frames were cut when they were captured, and are sent without their ends`)
  return { ...place, frames, ...(hold ? { hold } : {}) }
}

export function runReplay(context: Context, words: Words): void {
  const request = replayRequest(context, words)
  printSummary(context.out, context.write().request('wire.send', request))
}

/** The path as typed where that reaches the file, so that complaints name it so. */
function pathOf({ cwd }: Io, file: string): string {
  return file === '-' || cwd === process.cwd() ? file : resolve(cwd, file)
}

/** The first `count` frames. A capture may step back in time, the clock doesn't: such a frame goes right behind the one before. */
function readFrames(path: string, direction: Direction, count: number, speed: number): { frames: WireFrame[]; cut: number } {
  const reader = CaptureReader.open(path)
  const batch = new FrameBatch(new Uint8Array(4 * MIN_WINDOW))
  const frames: WireFrame[] = []
  let cut = 0
  let latest = 0
  try {
    while (frames.length < count && reader.fill(batch) > 0) {
      for (let i = 0; i < batch.count && frames.length < count; i++) {
        const bytes = batch.frame(i).slice()
        latest = Math.max(latest, Math.round(batch.times[i]! / speed))
        if (batch.originals[i]! > bytes.length) cut += 1
        frames.push({ bytes, at: latest, ...(direction === 'tx' ? socketOf(bytes) : {}) })
      }
    }
  } finally {
    reader.close()
  }
  return { frames, cut }
}
