// The verifier: decides what loads, with the kernel's words, and hands out the xlated form (bpf_check(), kernel/bpf/verifier.c).
// Phases are files: subprogs, resolve, cfg, live (static), check (the walk; alu*, mem*, stack, jmp*, call*, exit by instruction family,
// each as what must hold / is it so / what is true after), prune, equal, precision, loops (states), fixup (xlated). log*.ts print.
import { ATTACH_TYPE, PROG_F, PROG_TYPE } from '../uapi/bpf.js'
import { EINVAL } from '../uapi/errno.js'
import { RFC_PROG_TYPE } from '../uapi/rfc.js'
import { contextOf } from '../skb/ctx.js'
import { remap } from './btf-info.js'
import { checkAll } from './check.js'
import { checkCfg } from './cfg.js'
import { checkStackDepth } from './depth.js'
import { Env, LOG_STATS, MAX_INSNS, Refusal } from './env.js'
import { explain } from './explain.js'
import { fixup } from './fixup.js'
import type { ProgFacts, VerifyInput, VerifyResult, VerifyStats } from './input.js'
import { computeLive, computeScc } from './live.js'
import { INLINE_KFUNCS } from './kfunc.js'
import { Log } from './log.js'
import { resolveLoads } from './resolve.js'
import { checkSubprogs, findSubprogs, isLdAbs, readBtfInfo } from './subprogs.js'

export type { VerifyInput, VerifyResult, VerifyStats, ProgFacts, FuncLine } from './input.js'

/** bpf_check() */
export function verify(input: VerifyInput): VerifyResult {
  const log = new Log(input.logLevel, input.explain)
  const ctx = contextOf(input.prog.type, input.prog.expectedAttachType ?? 0, input.dialect ?? input.prog.dialect, input.strict)
  if (ctx === undefined) return refused(EINVAL, log, `not supported yet: programs of type ${input.prog.type}\n`)
  if (!attachTypeFits(input)) return { ok: false, errno: EINVAL, log: '', explain: undefined }
  const env = new Env(input, log, ctx)
  try {
    staticPasses(env)
    checkAll(env)
    checkStackDepth(env)
    offerKfuncs(env)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    printStats(env)
    const words = input.explain && env.state !== undefined ? explain(env, log.text) : undefined
    return { ok: false, errno: error.errno, log: input.logLevel === 0 ? '' : log.text, explain: words }
  }
  return accepted(env)
}

/** bpf_prog_load_check_attach(): types whose rules depend on where they will be attached. */
function attachTypeFits({ prog }: VerifyInput): boolean {
  const attach = prog.expectedAttachType ?? 0
  switch (prog.type) {
    case PROG_TYPE.CGROUP_SKB: return attach === ATTACH_TYPE.CGROUP_INET_INGRESS || attach === ATTACH_TYPE.CGROUP_INET_EGRESS
    case PROG_TYPE.SK_LOOKUP: return attach === ATTACH_TYPE.SK_LOOKUP
    case PROG_TYPE.NETFILTER: return attach === ATTACH_TYPE.NETFILTER
    case RFC_PROG_TYPE.DEQUEUE: return attach === 0
    default: return true
  }
}

/** A program that is right may call what this machine has not. */
function offerKfuncs(env: Env): void {
  for (const name of env.kfuncs) if (!INLINE_KFUNCS.has(name) && !env.input.kfuncs?.(name)) env.missing(`kernel function ${name}`)
}

function refused(errno: number, log: Log, text: string): VerifyResult {
  log.write(text)
  return { ok: false, errno, log: log.text, explain: undefined }
}

function staticPasses(env: Env): void {
  findSubprogs(env)
  checkSubprogs(env)
  readBtfInfo(env)
  resolveLoads(env)
  checkCfg(env)
  checkSleepable(env)
  computeScc(env)
  computeLive(env)
}

/** can_be_sleepable(): of the types that there are here, only members of struct_ops tables. */
function checkSleepable(env: Env): void {
  if (!((env.prog.flags ?? 0) & PROG_F.SLEEPABLE) || env.type === PROG_TYPE.STRUCT_OPS) return
  env.fail(EINVAL, 'Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable')
}

function accepted(env: Env): VerifyResult {
  const { image, places } = fixup(env)
  printStats(env)
  return {
    ok: true, image, log: env.level === 0 ? '' : env.log.text, stats: statsOf(env), notes: env.notes, facts: factsOf(env),
    funcInfo: remap(env.prog.funcInfo, places, image.insns.length), lineInfo: remap(env.prog.lineInfo, places, image.insns.length),
  }
}

const statsOf = (env: Env): VerifyStats => ({
  insnProcessed: env.insnProcessed, totalStates: env.totalStates, peakStates: env.peakStates, maxStatesPerInsn: env.maxStatesPerInsn,
})

function factsOf(env: Env): ProgFacts {
  return {
    usesPacketWrites: env.seenDirectWrite, directPacketAccess: env.seenPacketLoad, cbAccess: env.cbAccess,
    changesPktData: env.subprogs[0]!.changesPktData, tailCalls: env.subprogs.some(s => s.hasTailCall),
    ldAbs: env.insns.some(isLdAbs), gplCompatible: env.gpl,
  }
}

/** print_verification_stats() */
function printStats(env: Env): void {
  if (env.level & LOG_STATS) {
    env.verbose('verification time 0 usec\n')
    env.verbose(`stack depth ${env.subprogs.map(s => s.stackDepth).join('+')}\n`)
  }
  env.verbose(`processed ${env.insnProcessed} insns (limit ${MAX_INSNS}) max_states_per_insn ${env.maxStatesPerInsn} ` +
    `total_states ${env.totalStates} peak_states ${env.peakStates} mark_read 0\n`)
}
