// The programs of a bpf qdisc, from one object by section name or each from its own words. Programs of the same file share its maps.
import { KernelError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import type { ObjectSpec, ProgSpec } from '../../pkg/object/index.js'
import { objects } from './lazy.js'
import type { BpfQdiscProg } from '../../pkg/request/rtnl.js'
import { EINVAL, EOPNOTSUPP } from '../../pkg/uapi/errno.js'
import { RFC_ATTACH_TYPE, RFC_PROG_TYPE } from '../../pkg/uapi/rfc.js'
import { annotation, environmentDialect, failure, loadPrograms, openFile, pinnedProgram, type BpfWords, type LoadManner } from './bpf.js'

/** In the order in which a dump shows them. */
export const PROGRAMS = ['enqueue', 'dequeue', 'reset', 'init'] as const
export type ProgramWord = (typeof PROGRAMS)[number]
export type QdiscPrograms = { [P in ProgramWord]?: BpfQdiscProg }

/** Either `file`, whose programs are found by section, or words for each program. */
export type QdiscSource = { [P in ProgramWord]?: BpfWords } & { file?: string; verbose?: true; dialect?: string }

/** The posted versions that differ for a program; v3 was a map alone. */
export const QDISC_DIALECTS = ['schbpf1', 'schbpf2', 'schbpf4', 'schbpf5', 'schbpf6', 'schbpf7'] as const
export type QdiscDialect = (typeof QDISC_DIALECTS)[number]

const ATTACH: Readonly<Record<ProgramWord, number>> = {
  enqueue: RFC_ATTACH_TYPE.QDISC_ENQUEUE, dequeue: RFC_ATTACH_TYPE.QDISC_DEQUEUE, reset: RFC_ATTACH_TYPE.QDISC_RESET, init: RFC_ATTACH_TYPE.QDISC_INIT,
}

const MANNER: LoadManner = { namespace: 'tc', status: 1, tail: 'Unable to load program', noObject: 'ERROR: opening BPF object file failed' }

/** Loads them all; nothing named, nothing loaded. */
export function loadQdiscPrograms(context: Context, source: QdiscSource): QdiscPrograms {
  const { file, verbose } = source
  if (file !== undefined) return loadFile(context, source, file, byWord({ file, ...(verbose ? { verbose } : {}) }), true)
  const programs: QdiscPrograms = {}
  for (const word of PROGRAMS) {
    const pinned = source[word]?.pinned
    if (pinned !== undefined) programs[word] = pinnedProgram(context, pinned, MANNER)
  }
  const files = new Set(PROGRAMS.map((word) => source[word]?.file))
  for (const one of files) if (one !== undefined) Object.assign(programs, loadFile(context, source, one, source, false))
  return programs
}

const byWord = (words: BpfWords): { [P in ProgramWord]?: BpfWords } => ({ enqueue: words, dequeue: words, reset: words, init: words })

/** The programs that `words` take from this file. `all`: whatever the object has; enqueue and dequeue must be there. */
function loadFile(context: Context, source: QdiscSource, file: string, words: { [P in ProgramWord]?: BpfWords }, all: boolean): QdiscPrograms {
  const object = openFile(context, file, MANNER)
  const chosen = PROGRAMS.filter((word) => words[word]?.file === file).flatMap((word) => {
    const prog = choose(object, word, words[word]!, all && (word === 'reset' || word === 'init'))
    if (prog !== undefined) mustBeQdisc(prog)
    return prog === undefined ? [] : [{ word, prog: { ...prog, link: () => prog.link(), type: RFC_PROG_TYPE.SCHED_QDISC, expectedAttachType: ATTACH[word] } }]
  })
  const verbose = chosen.some(({ word }) => words[word]?.verbose) ? true : undefined
  const forced = source.dialect ?? environmentDialect(context.io, 'schbpf')
  for (const { prog } of chosen) refuseOther(object, prog, forced)
  const dialect = forced === undefined ? {} : { dialect: forced }
  const loaded = loadPrograms(context, object, chosen.map(({ prog }) => prog), MANNER, { type: RFC_PROG_TYPE.SCHED_QDISC, ...dialect }, verbose)
  return Object.fromEntries(chosen.map(({ word, prog }, i) => [word, { id: loaded[i]!.id, name: annotation(file, prog.section) }]))
}

/** The section says the type, except where the context says that it is one of ours (v2 programs passed for classifiers). */
function mustBeQdisc({ type, context }: ProgSpec): void {
  const ours = type === 0 || type === RFC_PROG_TYPE.SCHED_QDISC || context?.name === 'sch_bpf_ctx' || context?.name === 'bpf_qdisc_ctx'
  if (!ours) throw new KernelError(EINVAL)
}

/** v4 to v7 keep packets in maps or objects of their own: said before such a map is asked for and refused. */
function refuseOther(object: ObjectSpec, prog: ProgSpec, forced: string | undefined): void {
  const { name = '' } = objects().dialectOf(object, prog, RFC_PROG_TYPE.SCHED_QDISC, forced)
  if (name <= 'schbpf2') return
  const version = name.replace('schbpf', 'v')
  throw new KernelError(EOPNOTSUPP, `not supported yet: sch_bpf dialect ${version} (${reasonOf(object, prog, forced)}), only v1 and v2 run`)
}

function reasonOf(object: ObjectSpec, prog: ProgSpec, forced: string | undefined): string {
  if (forced !== undefined) return 'as asked for'
  if (object.dialect !== undefined) return 'as the object says'
  return !prog.context?.name ? 'no BTF says which' : 'by its context and maps'
}

/** By program name, by section (there the one called *_enqueue), or by the sections of the proposals. */
function choose(object: ObjectSpec, word: ProgramWord, { section, program }: BpfWords, optional: boolean): ProgSpec | undefined {
  if (program !== undefined) return must(objects().findProgs(object, { name: program, ...(section === undefined ? {} : { section }) })[0], `prog ${program}`)
  if (section !== undefined) {
    const found = objects().findProgs(object, { section })
    return must(found.find(({ name }) => name.endsWith(`_${word}`)) ?? found[0], `sec ${section}`)
  }
  const found = object.progs.filter((prog) => prog.section === `sch_bpf/${word}` || prog.section === `qdisc/${word}`)
  if (found.length > 1) throw failure(`object file contains ${found.length} ${word} programs, use section or program`, MANNER)
  return optional ? found[0] : must(found[0], `sec sch_bpf/${word}`)
}

function must(prog: ProgSpec | undefined, what: string): ProgSpec {
  if (prog === undefined) throw failure(`object file doesn't contain ${what}`, MANNER)
  return prog
}

