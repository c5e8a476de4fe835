// `wire`: the other end of every emulated device. Sends and replays frames, runs the virtual clock, captures, traces, shows.
import { IP_OPTIONS, runProgram, VERSION, type Entry, type Io, type OptionRow, type Program } from '../../pkg/cli/index.js'
import { nested, notSupported } from '../../pkg/grammar/index.js'
import { BENCH, runBench } from './bench.js'
import { CAPTURE_VERBS, runCapture } from './capture.js'
import { REPLAY, runReplay } from './replay.js'
import { RUN, runRun, runTime, TIME } from './run.js'
import { SEND, runSend } from './send.js'
import { SET, runSet } from './set.js'
import { SHOW, runShow } from './show.js'
import { TRACE_VERBS, runTrace } from './trace.js'

const absent = (word: string): Entry => ({ word, run: () => { throw notSupported(`wire ${word}`) } })

const VERBS: readonly Entry[] = [
  { word: 'send', run: runSend, words: nested(SEND) },
  { word: 'replay', run: runReplay, words: nested(REPLAY) },
  { word: 'run', run: runRun, words: nested(RUN) },
  { word: 'time', run: runTime, words: nested(TIME) },
  { word: 'capture', run: runCapture, verbs: CAPTURE_VERBS },
  { word: 'set', run: runSet, words: nested(SET) },
  { word: 'trace', run: runTrace, verbs: TRACE_VERBS },
  { word: 'show', aliases: ['list'], run: runShow, words: nested(SHOW) },
  { word: 'bench', run: runBench, words: nested(BENCH) },
  absent('top'),
]

const KNOWN = ['-Version', '-force', '-batch', '-json', '-pretty', '-oneline', '-color', '-help']
const OPTIONS: readonly OptionRow[] = IP_OPTIONS.filter(({ word }) => KNOWN.includes(word))

const USAGE = `Usage: wire [ OPTIONS ] { COMMAND | help }
       wire [ -force ] -batch filename
where  COMMAND := { send | replay | run | time | capture | set | trace | show | bench }
       OPTIONS := { -V[ersion] | -j[son] | -p[retty] | -o[neline] | -b[atch] [filename] | -c[olor] }

wire is the other end of every device, and the machine's clock:
  send dev DEV { rx | tx } ...      a frame arrives at DEV, or a local socket sends one
  replay FILE dev DEV { rx | tx }   the frames of a capture, at its own times
  trace { send | replay } ...       the same, and every step of their way
  run { for TIME | until idle }     lets the clock go; frames that wait move on
  time                              what the clock says
  set dev DEV ...                   rate, latency and ring of a NIC's wire
  capture add dev DEV file FILE     writes what passes into a pcap file
  show [ dev DEV ]                  where frames are, or went
  bench { name PROG | dev DEV ... } real time a packet takes
Try "wire COMMAND help".
`

export const WIRE: Program = {
  name: 'wire', style: 'iproute2', options: { rows: OPTIONS, doubleDash: true }, objects: VERBS, usage: USAGE, helpStatus: 0, unknownStatus: 1,
  version: ({ out }) => out.text('wire utility, hookpoint %s\n', VERSION),
}

/** A whole `wire` command line. */
export const run = (argv: readonly string[], io: Io): number => runProgram(WIRE, argv, io)
