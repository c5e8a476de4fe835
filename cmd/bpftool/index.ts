// `bpftool`: the object table (main.c commands[]), in upstream's order since abbreviations depend on it.
import { InputError } from '../../pkg/bytes/errors.js'
import { BPFTOOL, bpftoolBatch, LIBBPF, runProgram, VERSION, type Context, type Entry, type Io, type Program } from '../../pkg/cli/index.js'
import { isPrefix, type Words } from '../../pkg/grammar/index.js'
import { BTF_VERBS, runBtf } from './btf.js'
import { FAILED, Silent } from './failure.js'
import { LINK_VERBS, runLink } from './link.js'
import { MAP_VERBS, runMap } from './map.js'
import { NET_VERBS, runNet } from './net.js'
import { absent, PERF_VERBS, runPerf } from './other.js'
import { PROG_VERBS, runProgObject } from './prog.js'
import { runStructOps, STRUCT_OPS_VERBS } from './struct-ops.js'
import { BPFTOOL_USAGE } from './usage.js'

/** A handle that nothing fits fails without a word. */
const quietly = (run: (context: Context, words: Words) => number): Entry['run'] => (context, words) => {
  try {
    return run(context, words)
  } catch (error) {
    if (!(error instanceof Silent)) throw error
    context.rollback()
    return error.status
  }
}

function batch(context: Context, words: Words): number {
  if (words.left < 2) throw new InputError('too few parameters for batch', FAILED)
  const word = words.take()
  if (!isPrefix(word, 'file')) throw new InputError(`expected 'file', got: ${word}`, FAILED)
  if (words.left > 1) throw new InputError('too many parameters for batch', FAILED)
  return bpftoolBatch(PROGRAM, context, words.take())
}

function version({ out }: Context): void {
  const features = { libbfd: false, libbpf_strict: true, skeletons: false }
  out.tree(null, { version: BPFTOOL, libbpf_version: LIBBPF, hookpoint_version: VERSION, features })
  out.text('bpftool v%s\nusing libbpf v%s\nfeatures: libbpf_strict\nhookpoint v%s\n', BPFTOOL, LIBBPF, VERSION)
}

const OBJECTS: readonly Entry[] = [
  { word: 'help', run: () => { throw new InputError(BPFTOOL_USAGE.trimEnd(), 0) } },
  { word: 'batch', run: batch },
  { word: 'prog', run: quietly(runProgObject), verbs: PROG_VERBS },
  { word: 'map', run: quietly(runMap), verbs: MAP_VERBS },
  { word: 'link', run: quietly(runLink), verbs: LINK_VERBS },
  absent('cgroup'),
  { word: 'perf', run: runPerf, verbs: PERF_VERBS },
  { word: 'net', run: quietly(runNet), verbs: NET_VERBS },
  absent('feature'),
  { word: 'btf', run: quietly(runBtf), verbs: BTF_VERBS },
  absent('gen'),
  { word: 'struct_ops', run: quietly(runStructOps), verbs: STRUCT_OPS_VERBS },
  absent('iter'),
  { word: 'version', run: (context) => version(context) },
]

export const PROGRAM: Program = {
  name: 'bpftool', style: 'bpftool', objects: OBJECTS, usage: BPFTOOL_USAGE, helpStatus: 0, unknownStatus: FAILED, version,
}

/** A whole `bpftool` command line. */
export const run = (argv: readonly string[], io: Io): number => runProgram(PROGRAM, argv, io)
