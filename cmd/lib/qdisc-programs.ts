// The programs of a bpf qdisc, from one object by section name or each from its own words.
import { InputError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import type { BpfQdiscProg } from '../../pkg/request/rtnl.js'
import type { BpfWords } from './bpf.js'

/** In the order in which a dump shows them. */
export const PROGRAMS = ['enqueue', 'dequeue', 'reset', 'init'] as const
export type ProgramWord = (typeof PROGRAMS)[number]

export type QdiscSource = { [P in ProgramWord]?: BpfWords } & { file?: string; verbose?: true; dialect?: string }

export function loadQdiscPrograms(_context: Context, _source: QdiscSource): { [P in ProgramWord]?: BpfQdiscProg } {
  throw new InputError('not supported yet: object files')
}
