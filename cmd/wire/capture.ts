// `wire capture { add | del | show } dev DEV [ rx | tx | all ] [ file OUT.pcap ]`: pcap files written as frames pass, with virtual times.
import { resolve } from 'node:path'
import { InputError } from '../../pkg/bytes/errors.js'
import { runVerb, type Context, type Entry, type Io } from '../../pkg/cli/index.js'
import { FILE, grammar, missarg, nested, parse, usage, type Words } from '../../pkg/grammar/index.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import type { CaptureInfo } from '../../pkg/request/wire.js'
import { device } from '../lib/devices.js'
import { DEV_ROW, needsDev, twoDirections, wrongValue } from './words.js'

type CaptureWords = { dev?: string; direction?: CaptureInfo['direction']; file?: string }

export const CAPTURE = grammar<CaptureWords>({
  name: 'wire capture { add | del | show }', match: 'whole', helpStatus: 0, wrong: wrongValue, rows: [
    DEV_ROW,
    { word: 'rx', into: 'direction', value: 'rx', once: true, excludes: ['tx', 'all'], twice: twoDirections },
    { word: 'tx', into: 'direction', value: 'tx', once: true, excludes: ['rx', 'all'], twice: twoDirections },
    { word: 'all', into: 'direction', value: 'all', once: true, excludes: ['rx', 'tx'], twice: twoDirections },
    { word: 'file', type: FILE, into: 'file', once: true },
  ],
})

/** The words with the file's whole path: later commands, from other directories, write into it. */
function read(io: Io, words: Words): CaptureWords {
  const asked = parse(CAPTURE, words, {})
  return asked.file === undefined ? asked : { ...asked, file: resolve(io.cwd, asked.file) }
}

function named(kernel: Kernel, { dev }: CaptureWords): string {
  if (dev === undefined) throw needsDev()
  device(kernel, dev)
  return dev
}

function add(context: Context, words: Words): void {
  const asked = read(context.io, words)
  const { direction = 'all', file } = asked
  const kernel = context.write()
  const dev = named(kernel, asked)
  if (file === undefined) throw missarg('file')
  kernel.request('wire.capture.add', { dev, direction, file })
}

function del(context: Context, words: Words): void {
  const asked = read(context.io, words)
  const kernel = context.write()
  const dev = named(kernel, asked)
  if (matching(kernel, { ...asked, dev }).length === 0) throw new InputError(`No such capture on "${dev}"`, 2)
  kernel.request('wire.capture.del', { ...asked, dev })
}

function matching(kernel: Kernel, { dev, direction, file }: CaptureWords): CaptureInfo[] {
  const all = kernel.request('wire.capture.show', dev === undefined ? {} : { dev })
  return all.filter((one) => (direction === undefined || one.direction === direction) && (file === undefined || one.file === file))
}

function show(context: Context, words: Words): void {
  const asked = read(context.io, words)
  const kernel = context.read()
  if (asked.dev !== undefined) device(kernel, asked.dev)
  const { out: w } = context
  w.array(null, () => {
    for (const it of matching(kernel, asked)) {
      w.object(null, () => {
        w.string('dev', '%s: ', it.dev)
        w.string('direction', '%s ', it.direction)
        w.string('file', 'file %s ', it.file)
        w.uint('packets', 'packets %u\n', it.packets)
      })
    }
  })
}

export const CAPTURE_VERBS: readonly Entry[] = [
  { word: 'add', run: add, words: nested(CAPTURE) },
  { word: 'delete', run: del, words: nested(CAPTURE) },
  { word: 'show', aliases: ['list', 'lst'], run: show, words: nested(CAPTURE) },
]

export function runCapture(context: Context, words: Words): number {
  return runVerb('wire capture', CAPTURE_VERBS, () => usage(CAPTURE), 0, context, words)
}
