// bpf_loop, bpf_for_each_map_elem: kernel/bpf/bpf_iter.c, kernel/bpf/helpers.c
import { must } from '../bytes/errors.js'
import type { Runnable } from '../prog/engine.js'
import { E2BIG, EINVAL } from '../uapi/errno.js'
import { FUNC } from '../uapi/bpf.js'
import { argHi, intResult, setResult, type HelperEnv, type HelperTable } from './env.js'

/** BPF_MAX_LOOPS */
const MAX_LOOPS = 8 << 20
const FLAGS = 1 << 3

export function loopHelpers(env: HelperEnv): HelperTable {
  return {
    [FUNC.loop]: { ret: 'wide', wide: FLAGS, call: (times, fn, ctx, flags) => loop(env, times >>> 0, fn, ctx, flags) },
    [FUNC.for_each_map_elem]: { ret: 'int', wide: FLAGS, call: (map, fn, ctx, flags) => forEach(env, map, fn, ctx, flags) },
  }
}

/** The program whose callback a helper is to call. */
export function running(env: HelperEnv): Runnable {
  return must(env.run.runnable, 'a program runs')
}

/** Its calls without flags are inlined, and the inlined form answers -E2BIG in 32 bits (inline_bpf_loop). */
function loop(env: HelperEnv, times: number, fn: number, ctx: number, flags: number): number {
  if (flags !== 0 || argHi(env, 3) !== 0) return intResult(env, -EINVAL)
  if (times > MAX_LOOPS) return setResult(env, -E2BIG, 0)
  const runnable = running(env)
  for (let i = 0; i < times; i += 1) {
    if (runnable.callback(fn, i, ctx, 0, 0, 0) !== 0) return setResult(env, i + 1, 0)
  }
  return setResult(env, times, 0)
}

function forEach(env: HelperEnv, map: number, fn: number, ctx: number, flags: number): number {
  if (flags !== 0 || argHi(env, 3) !== 0) return -EINVAL
  const runnable = running(env)
  const elements = env.mapAt(map)
  return elements.forEach?.((key, value) => runnable.callback(fn, map, key, value, ctx, 0)) ?? -EINVAL
}
