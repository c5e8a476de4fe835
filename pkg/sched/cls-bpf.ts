// Filters that are programs (net/sched/cls_bpf.c).
import { KernelError } from '../bytes/errors.js'
import { runClassifier } from '../hook/skb-run.js'
import type { HookProg } from '../hook/types.js'
import type { BpfFilterOptions, ProgRef } from '../request/rtnl.js'
import { QDISC_CB, SKB } from '../skb/layout.js'
import { PROG_TYPE, TC_ACT } from '../uapi/bpf.js'
import { EBADF, EINVAL } from '../uapi/errno.js'
import type { ClsKind, Proto } from './cls-api.js'

interface BpfFilter {
  handle: number
  progId: number
  name: string
  direct: boolean
  classid: number
  prog?: HookProg | undefined
}

/** Options of a listed filter. */
export interface BpfFilterDump extends BpfFilterOptions {
  prog: ProgRef
}

/** Newest first, as list_add_rcu leaves them. */
const filters = (tp: Proto): BpfFilter[] => tp.priv as BpfFilter[]
const TC_CLASSID = SKB.cb + QDISC_CB.tc_classid

export const clsBpf: ClsKind = {
  kind: 'bpf',
  init(tp) {
    tp.priv = []
  },
  classify(env, tp, skb, result) {
    for (const filter of filters(tp)) {
      const prog = (filter.prog ??= env.prog(filter.progId))
      if (!prog) continue
      env.skbs.set16(skb, TC_CLASSID, filter.classid & 0xffff)
      const ret = runClassifier(env.skbs, skb, prog)
      if (filter.direct) {
        result.classid = ((filter.classid & 0xffff0000) | env.skbs.get16(skb, TC_CLASSID)) >>> 0
        const action = directAction(ret)
        if (action === TC_ACT.UNSPEC) continue
        return action
      }
      if (ret === 0) continue
      result.classid = ret === -1 ? filter.classid : ret >>> 0
      return TC_ACT.OK
    }
    return TC_ACT.UNSPEC
  },
  change(env, tp, request, existing) {
    const options = request.options as BpfFilterOptions
    const prog = env.prog(options.progId)
    if (!prog) throw new KernelError(EBADF)
    if (prog.type !== PROG_TYPE.SCHED_CLS) throw new KernelError(EINVAL)
    if ((options.actions?.length ?? 0) > 0) throw new KernelError(EINVAL, 'not supported yet: actions of bpf filters')
    const old = existing as BpfFilter | undefined
    const handle = old?.handle ?? (request.handle === undefined || request.handle === 0 ? freeHandle(tp) : request.handle)
    const filter: BpfFilter = {
      handle, progId: options.progId, name: options.name, direct: options.directAction ?? false, classid: options.classid ?? 0, prog,
    }
    env.hold(options.progId)
    if (old) {
      filters(tp)[filters(tp).indexOf(old)] = filter
      env.release(old.progId)
    } else filters(tp).unshift(filter)
  },
  find: (tp, handle) => filters(tp).find((filter) => filter.handle === handle),
  delete(env, tp, filter) {
    tp.priv = filters(tp).filter((other) => other !== filter)
    env.release((filter as BpfFilter).progId)
  },
  destroy(env, tp) {
    for (const { progId } of filters(tp)) env.release(progId)
    tp.priv = []
  },
  empty: (tp) => filters(tp).length === 0,
  list: (env, tp) =>
    filters(tp).map(({ handle, progId, name, direct, classid }) => {
      const shown = classid === 0 ? {} : { classid }
      return { handle, options: { progId, name, directAction: direct, ...shown, prog: env.progRef(progId) } satisfies BpfFilterDump }
    }),
  save: (tp) => filters(tp).map(({ handle, progId, name, direct, classid }) => ({ handle, progId, name, direct, classid })),
  restore(tp, record) {
    tp.priv = (record as BpfFilter[]).map((filter) => ({ ...filter }))
  },
}

/** cls_bpf_exec_opcode: what a direct-action program may answer; everything else goes on to the next filter. */
function directAction(ret: number): number {
  switch (ret) {
    case TC_ACT.OK:
    case TC_ACT.SHOT:
    case TC_ACT.STOLEN:
    case TC_ACT.TRAP:
    case TC_ACT.REDIRECT:
      return ret
    default:
      return TC_ACT.UNSPEC
  }
}

function freeHandle(tp: Proto): number {
  for (let handle = 1; ; handle += 1) if (!filters(tp).some((filter) => filter.handle === handle)) return handle
}
