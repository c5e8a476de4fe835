// Functions that helpers call: a frame for the callback, with arguments as the helper gives them (push_callback_call(),
// set_loop_callback_state() …, kernel/bpf/verifier.c).
import type { Insn } from '../insn/insn.js'
import { FUNC, MAP_TYPE } from '../uapi/bpf.js'
import { E2BIG, EINVAL, ENOTSUPP } from '../uapi/errno.js'
import type { Meta } from './call-args.js'
import type { Env } from './env.js'
import { MAX_CALL_FRAMES } from './limits.js'
import { markChainPrecision } from './precision.js'
import { notInit, Reg, unknownScalar, zeroScalar } from './reg.js'
import { ZERO } from './scalar.js'
import { Frame, type RetRange } from './state.js'
import * as T from './types.js'

type Handler = (env: Env, i: Insn, meta: Meta) => void
type SetArgs = (env: Env, caller: Frame, callee: Frame, meta: Meta) => void

export const callbackOf = (id: number): Handler | undefined => handlers[id]

/** Kinds of maps with map_for_each_callback; the last is the proposals' SKBMAP. */
const ITERABLE: ReadonlySet<number> = new Set([
  MAP_TYPE.ARRAY, MAP_TYPE.PERCPU_ARRAY, MAP_TYPE.HASH, MAP_TYPE.PERCPU_HASH, MAP_TYPE.LRU_HASH, MAP_TYPE.LRU_PERCPU_HASH, 0x4011,
])

const handlers: Readonly<Record<number, Handler>> = {
  [FUNC.loop]: (env, _i, meta) => {
    if (env.regs[4]!.isNull) markChainPrecision(env, 4)
    markChainPrecision(env, 1)
    if (BigInt(env.frame.callbackDepth) < env.regs[1]!.num.umax) return pushSync(env, meta, loopArgs, { min: 0, max: 1 })
    env.frame.callbackDepth = 0
    if (env.level & 2) env.verbose(`frame${env.state.curframe} bpf_loop iteration limit reached\n`)
  },
  [FUNC.for_each_map_elem]: (env, _i, meta) => {
    if (!ITERABLE.has(meta.map!.type)) env.fail(ENOTSUPP, 'callback function not allowed for map')
    pushSync(env, meta, mapElemArgs, { min: 0, max: 1 })
  },
  [FUNC.find_vma]: env => env.missing('bpf_find_vma'),
  [FUNC.user_ringbuf_drain]: env => env.missing('bpf_user_ringbuf_drain'),
  [FUNC.timer_set_callback]: (env, _i, meta) => pushAsync(env, meta),
}

/** The callback may run any number of times: one run is queued, and the call goes on as if it were over. */
function pushSync(env: Env, meta: Meta, args: SetArgs, range: RetRange): void {
  const sub = env.subprogs[meta.subprog]!
  sub.isCb = true
  const st = env.state.copy()
  st.callbackUnroll++
  st.cur.callbackDepth++
  env.pushState(sub.start, env.insn, st)
  enter(env, st.frames, env.insn, meta, args, range)
}

function enter(env: Env, frames: Frame[], callsite: number, meta: Meta, args: SetArgs, range: RetRange): void {
  if (frames.length >= MAX_CALL_FRAMES) env.fail(E2BIG, `the call stack of ${frames.length + 1} frames is too deep`)
  const caller = frames[frames.length - 1]!
  const callee = new Frame(callsite, frames.length, meta.subprog)
  callee.regs[10] = framePointer(frames.length)
  args(env, caller, callee, meta)
  callee.inCallback = true
  callee.retRange = range
  frames.push(callee)
  env.scratchAll()
}

export function framePointer(frameno: number): Reg {
  const fp = new Reg(T.PTR_TO_STACK, ZERO)
  fp.frameno = frameno
  return fp
}

/** callback_fn(u64 index, void *callback_ctx) */
const loopArgs: SetArgs = (_env, caller, callee) => {
  callee.regs[1] = unknownScalar
  callee.regs[2] = caller.regs[3]!
  for (let n = 3; n <= 5; n++) callee.regs[n] = notInit
}

/** callback_fn(struct bpf_map *map, void *key, void *value, void *callback_ctx) */
const mapElemArgs: SetArgs = (_env, caller, callee, meta) => {
  const map = caller.regs[1]!
  callee.regs[1] = map
  const key = new Reg(T.PTR_TO_MAP_KEY, ZERO)
  const value = new Reg(T.PTR_TO_MAP_VALUE, ZERO)
  for (const r of [key, value]) {
    r.map = meta.map
    r.mapUid = map.mapUid
  }
  callee.regs[2] = key
  callee.regs[3] = value
  callee.regs[4] = caller.regs[3]!
  callee.regs[5] = notInit
}

/** A timer's callback runs later, on a stack of its own: callback_fn(struct bpf_map *map, void *key, void *value). */
function pushAsync(env: Env, meta: Meta): void {
  const sub = env.subprogs[meta.subprog]!
  sub.isAsyncCb = true
  const caller = env.frame
  const map = meta.map!
  const frame = new Frame(env.insn, 0, meta.subprog)
  const st = env.state.copy()
  st.frames = [frame]
  st.refs = []
  st.activeLocks = 0
  st.activeLockId = 0
  st.activeLockPtr = undefined
  frame.regs[10] = framePointer(0)
  const ptr = new Reg(T.CONST_PTR_TO_MAP, ZERO)
  const key = new Reg(T.PTR_TO_MAP_KEY, ZERO)
  const value = new Reg(T.PTR_TO_MAP_VALUE, ZERO)
  for (const r of [ptr, key, value]) {
    r.map = map
    r.mapUid = caller.regs[1]!.mapUid
  }
  frame.regs[1] = ptr
  frame.regs[2] = key
  frame.regs[3] = value
  frame.inAsyncCallback = true
  frame.asyncEntry = caller.asyncEntry + 1
  frame.retRange = { min: 0, max: 0 }
  if (frame.asyncEntry > 2) env.fail(EINVAL, 'infinite recursion in async callbacks')
  env.pushState(sub.start, env.insn, st)
}

export const nullReg = zeroScalar
