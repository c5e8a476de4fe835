// `tc`: the object table (tc/tc.c do_cmd), in upstream's order since abbreviations depend on it.
import { IPROUTE2, runProgram, TC_OPTIONS, VERSION, type Entry, type Io, type Program } from '../../pkg/cli/index.js'
import { EXIT_USAGE, notSupported } from '../../pkg/grammar/index.js'
import { CLASS_VERBS, runClass } from './class.js'
import { FILTER_VERBS, runFilter } from './filter.js'
import { QDISC_VERBS, runQdisc } from './qdisc.js'

const absent = (word: string): Entry => ({ word, run: () => { throw notSupported(`tc ${word}`) } })

const OBJECTS: readonly Entry[] = [
  { word: 'qdisc', run: runQdisc, verbs: QDISC_VERBS },
  { word: 'class', run: runClass, verbs: CLASS_VERBS },
  { word: 'filter', run: runFilter, verbs: FILTER_VERBS },
  ...['chain', 'actions', 'monitor', 'exec'].map(absent),
]

const USAGE = `Usage:	tc [ OPTIONS ] OBJECT { COMMAND | help }
	tc [-force] -batch filename
where  OBJECT := { qdisc | class | filter }
       OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] |
		    -o[neline] | -j[son] | -p[retty] | -c[olor]
		    -b[atch] [filename] | -N[umeric] | -br[ief] }
`

export const TC: Program = {
  name: 'tc', style: 'iproute2', options: { rows: TC_OPTIONS, doubleDash: false }, objects: OBJECTS, usage: USAGE, helpStatus: 0, unknownStatus: EXIT_USAGE,
  version: ({ out }) => out.text('tc utility, iproute2-%s, hookpoint %s\n', IPROUTE2, VERSION),
}

/** A whole `tc` command line. */
export const run = (argv: readonly string[], io: Io): number => runProgram(TC, argv, io)
