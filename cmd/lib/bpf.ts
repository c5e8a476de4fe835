// Programs from the command line (iproute2 lib/bpf_libbpf.c, lib/bpf_legacy.c bpf_parse_common): `obj FILE [section S] [program P] [verbose]` or
// `pinned PATH`, loaded through pkg/object, and the sentences said when that fails.
import { InputError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import { EXIT_USAGE, FILE, grammar, string } from '../../pkg/grammar/index.js'
import { PROG_TYPE } from '../../pkg/uapi/bpf.js'

export const BPF_PROG_TYPE_SOCKET_FILTER = PROG_TYPE.SOCKET_FILTER
export const BPF_PROG_TYPE_SCHED_CLS = PROG_TYPE.SCHED_CLS
export const BPF_PROG_TYPE_XDP = PROG_TYPE.XDP

/** Where a program comes from. */
export type BpfWords = {
  off?: true
  file?: string
  section?: string
  program?: string
  verbose?: true
  pinned?: string
  unsupported?: true
}

const whatMode = (word: string): InputError => new InputError(`What mode is "${word}"?`, EXIT_USAGE)
const source = { once: true, excludes: ['object-file', 'object-pinned'] } as const

/** In bpf_parse_common's order: section, program, verbose. */
const OBJECT_ROWS = [
  { word: 'bytecode', into: 'unsupported', unsupported: true },
  { word: 'bytecode-file', aliases: ['bcf'], into: 'unsupported', unsupported: true },
  { word: 'object-file', aliases: ['object', 'obj'], type: FILE, into: 'file', ...source },
  { word: 'object-pinned', aliases: ['pinned', 'fd'], type: FILE, into: 'pinned', ...source },
  { word: 'section', type: string('NAME'), into: 'section', once: true, excludes: ['program', 'verbose', 'object-pinned'] },
  { word: 'program', match: 'whole', type: string('NAME'), into: 'program', once: true, excludes: ['verbose', 'object-pinned'] },
  { word: 'export', into: 'unsupported', unsupported: true },
  { word: 'verbose', into: 'verbose', once: true, excludes: ['object-pinned'] },
] as const

export const OBJECT = grammar<BpfWords>({ name: 'bpf', match: 'prefix', open: true, start: whatMode, rows: OBJECT_ROWS })

/** Where a program can also be taken away; the word is known only at the end of the line, as ip has it. */
export const OBJECT_OR_OFF = grammar<BpfWords>({
  name: 'bpf', match: 'prefix', open: true, start: whatMode, rows: [
    { word: 'off', aliases: ['none'], match: 'whole', into: 'off', final: true, last: true },
    ...OBJECT_ROWS,
  ],
})

export type LoadAs = {
  readonly type: number
  /** Taken when none is named. */
  readonly section: string
  /** Name space of `pinning: object` maps below /sys/fs/bpf. */
  readonly namespace: string
  /** Exit status of ip (255) and tc (1) when loading fails. */
  readonly status: number
  /** What tc adds to a failure. */
  readonly tail?: string
}

export type LoadedProg = {
  readonly id: number
  /** `x.o:[section]`, `x.o:[*fsobj]` for a pinned one. */
  readonly name: string
}

/** Loads what the words name, or finds it pinned. */
export function loadBpf(_context: Context, _source: BpfWords, _as: LoadAs): LoadedProg {
  throw new InputError('not supported yet: object files')
}
