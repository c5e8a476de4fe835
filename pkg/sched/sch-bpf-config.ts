// Options of the programmable qdisc, checked as a whole before anything changes (the sch_bpf RFC of 2021).
import { KernelError } from '../bytes/errors.js'
import { SCH_BPF_V1, SCH_BPF_V2, type SchBpfLayout } from '../hook/sch-bpf-ctx.js'
import { PROG_TYPE_SCHED_QDISC, type HookProg } from '../hook/types.js'
import type { BpfQdiscOptions, BpfQdiscProg } from '../request/rtnl.js'
import { PROG_TYPE } from '../uapi/bpf.js'
import { EBADF, EINVAL, EOPNOTSUPP } from '../uapi/errno.js'
import type { SchedEnv } from './types.js'

export interface BpfConfig {
  enqueue: BpfQdiscProg
  dequeue: BpfQdiscProg
  order: 'min' | 'max'
  limit: number
  direct: boolean
  /** 'schbpf1' or 'schbpf2'. */
  dialect: string
}

const DEFAULT_LIMIT = 1000

/** The new configuration; `old`: what a change starts from. Both programs must be given each time. */
export function parseBpfOptions(env: SchedEnv, options: unknown, old: BpfConfig | undefined): BpfConfig {
  const { enqueue, dequeue, reset, init, order, limit, direct } = (options ?? {}) as BpfQdiscOptions
  if (!enqueue || !dequeue) throw new KernelError(EINVAL, old ? undefined : 'Enqueue and dequeue programs are required')
  if (reset || init) throw new KernelError(EOPNOTSUPP, 'not supported yet: sch_bpf reset and init programs (dialect v7)')
  const dialect = [enqueue, dequeue].map((prog) => dialectOf(qdiscProg(env, prog)))
  if (dialect[0] !== dialect[1]) throw new KernelError(EINVAL, 'Enqueue and dequeue programs speak different dialects')
  return {
    enqueue, dequeue, dialect: dialect[0]!, order: order ?? old?.order ?? (env.strict ? 'max' : 'min'),
    limit: limit ?? old?.limit ?? DEFAULT_LIMIT, direct: direct ?? old?.direct ?? false,
  }
}

function qdiscProg(env: SchedEnv, { id }: BpfQdiscProg): HookProg {
  const prog = env.prog(id)
  if (!prog) throw new KernelError(EBADF)
  if (prog.type !== PROG_TYPE_SCHED_QDISC && prog.type !== PROG_TYPE.SCHED_CLS) throw new KernelError(EINVAL)
  if (prog.type === PROG_TYPE.SCHED_CLS && prog.dialect === undefined) throw new KernelError(EINVAL)
  return prog
}

/** v4 to v7 name themselves and are refused: they keep packets in maps or objects. */
function dialectOf(prog: HookProg): string {
  const dialect = prog.dialect ?? 'schbpf6'
  if (dialect === 'schbpf1' || dialect === 'schbpf2') return dialect
  const version = dialect.replace('schbpf', 'v')
  const source = prog.dialect === undefined ? 'no BTF says which, so the default for its section' : 'by its context'
  throw new KernelError(EOPNOTSUPP, `not supported yet: sch_bpf dialect ${version} (${source}), only v1 and v2 run`)
}

export const layoutOf = (dialect: string): SchBpfLayout => (dialect === 'schbpf1' ? SCH_BPF_V1 : SCH_BPF_V2)
