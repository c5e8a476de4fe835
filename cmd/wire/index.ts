// `wire`: the other end of every emulated device. Sends and replays frames, runs the virtual clock, captures, traces, shows.
import { IP_OPTIONS, runProgram, VERSION, type Entry, type Io, type OptionRow, type Program } from '../../pkg/cli/index.js'
import { notSupported } from '../../pkg/grammar/index.js'
import { runCapture } from './capture.js'
import { runReplay } from './replay.js'
import { runRun, runTime } from './run.js'
import { runSend } from './send.js'
import { runSet } from './set.js'
import { runShow } from './show.js'
import { runTrace } from './trace.js'

const absent = (word: string): Entry => ({ word, run: () => { throw notSupported(`wire ${word}`) } })

const VERBS: readonly Entry[] = [
  { word: 'send', run: runSend },
  { word: 'replay', run: runReplay },
  { word: 'run', run: runRun },
  { word: 'time', run: runTime },
  { word: 'capture', run: runCapture },
  { word: 'set', run: runSet },
  { word: 'trace', run: runTrace },
  { word: 'show', aliases: ['list'], run: runShow },
  absent('top'),
  absent('bench'),
]

const KNOWN = ['-Version', '-force', '-batch', '-json', '-pretty', '-oneline', '-color', '-help']
const OPTIONS: readonly OptionRow[] = IP_OPTIONS.filter(({ word }) => KNOWN.includes(word))

const USAGE = `Usage: wire [ OPTIONS ] { COMMAND | help }
       wire [ -force ] -batch filename
where  COMMAND := { send | replay | run | time | capture | set | trace | show }
       OPTIONS := { -V[ersion] | -j[son] | -p[retty] | -o[neline] | -b[atch] [filename] | -c[olor] }
`

export const WIRE: Program = {
  name: 'wire', style: 'iproute2', options: { rows: OPTIONS, doubleDash: true }, objects: VERBS, usage: USAGE, helpStatus: 0, unknownStatus: 1,
  version: ({ out }) => out.text('wire utility, hookpoint %s\n', VERSION),
}

/** A whole `wire` command line. */
export const run = (argv: readonly string[], io: Io): number => runProgram(WIRE, argv, io)
