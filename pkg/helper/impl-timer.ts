// bpf_timer on the virtual clock: kernel/bpf/helpers.c (bpf_timer_*). struct bpf_timer is 16 bytes of a map value; here they say all
// that firing needs, so that an armed timer survives the process.
import { EBUSY, EDEADLK, EINVAL } from '../uapi/errno.js'
import { FUNC } from '../uapi/bpf.js'
import { argHi, type HelperEnv, type HelperTable, type TimerEnv } from './env.js'

/** u32 words of struct bpf_timer: 1 + clock id (0: not initialised), id of its map, callback, id of the program that set it. */
export const TIMER = { clock: 0, mapId: 4, callback: 8, progId: 12, size: 16 } as const

const CLOCKS: readonly number[] = [0, 1, 7]
/** BPF_F_TIMER_ABS, BPF_F_TIMER_CPU_PIN */
const ABS = 1
const START_FLAGS = 3

export function timerHelpers(env: HelperEnv): HelperTable {
  const { timers } = env
  if (!timers) return {}
  return {
    [FUNC.timer_init]: { ret: 'int', wide: 1 << 2, call: (timer, map, flags) => init(env, timer, map, argHi(env, 2) === 0 ? flags : -1) },
    [FUNC.timer_set_callback]: { ret: 'int', call: (timer, fn) => setCallback(env, timer, fn) },
    [FUNC.timer_start]: {
      ret: 'int', wide: 0b110, call: (timer, low, flags) => start(env, timers, timer, low, argHi(env, 2) === 0 ? flags : -1),
    },
    [FUNC.timer_cancel]: { ret: 'int', call: (timer) => cancel(env, timers, timer) },
  }
}

function get({ mem }: HelperEnv, timer: number, word: number): number {
  return mem.u32[(timer + word) >> 2]!
}

function set({ mem }: HelperEnv, timer: number, word: number, value: number): void {
  mem.u32[(timer + word) >> 2] = value
}

function init(env: HelperEnv, timer: number, map: number, clock: number): number {
  if (!CLOCKS.includes(clock)) return -EINVAL
  if (get(env, timer, TIMER.clock) !== 0) return -EBUSY
  set(env, timer, TIMER.clock, 1 + clock)
  set(env, timer, TIMER.mapId, env.mapAt(map).attr.id)
  return 0
}

function setCallback(env: HelperEnv, timer: number, fn: number): number {
  if (get(env, timer, TIMER.clock) === 0) return -EINVAL
  set(env, timer, TIMER.callback, fn)
  set(env, timer, TIMER.progId, env.run.progId)
  return 0
}

function start(env: HelperEnv, timers: TimerEnv, timer: number, low: number, flags: number): number {
  if ((flags & ~START_FLAGS) !== 0 || get(env, timer, TIMER.callback) === 0) return -EINVAL
  const ns = (low >>> 0) + (argHi(env, 1) >>> 0) * 2 ** 32
  timers.arm(timer, flags & ABS ? ns : env.now() + ns)
  return 0
}

/** 1 when it was armed. */
function cancel(env: HelperEnv, timers: TimerEnv, timer: number): number {
  if (get(env, timer, TIMER.clock) === 0) return -EINVAL
  if (timers.firing() === timer) return -EDEADLK
  return timers.disarm(timer) ? 1 : 0
}
