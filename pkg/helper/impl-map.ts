// Helpers on maps: kernel/bpf/helpers.c
import type { BpfMap } from '../map/types.js'
import { EINVAL, EOPNOTSUPP } from '../uapi/errno.js'
import { FUNC } from '../uapi/bpf.js'
import { argHi, type HelperEnv, type HelperTable } from './env.js'

/** Where per-CPU objects say how far apart CPUs' copies are, as a u32 before the first: whoever allocates one writes it. */
export const PERCPU_STRIDE = -8
/** Update flags that no kind knows, in the upper half of a u64. */
const FLAGS = 1 << 3

export function mapHelpers(env: HelperEnv): HelperTable {
  return {
    [FUNC.map_lookup_elem]: { ret: 'uint', call: (map, key) => env.mapAt(map).lookup(key) },
    [FUNC.map_update_elem]: {
      ret: 'int', wide: FLAGS,
      call: (map, key, value, flags) => (argHi(env, 3) !== 0 ? -EINVAL : env.mapAt(map).update(key, value, flags)),
    },
    [FUNC.map_delete_elem]: { ret: 'int', call: (map, key) => env.mapAt(map).delete(key) },
    [FUNC.map_push_elem]: {
      ret: 'int', wide: 1 << 2,
      call: (map, value, flags) => push(env.mapAt(map), value, flags, argHi(env, 2)),
    },
    [FUNC.map_pop_elem]: { ret: 'int', call: (map, value) => env.mapAt(map).pop?.(value) ?? -EOPNOTSUPP },
    [FUNC.map_peek_elem]: { ret: 'int', call: (map, value) => env.mapAt(map).peek?.(value) ?? -EOPNOTSUPP },
    [FUNC.map_lookup_percpu_elem]: { ret: 'uint', call: (map, key, cpu) => env.mapAt(map).lookupPercpu?.(key, cpu) ?? 0 },
    [FUNC.kptr_xchg]: { ret: 'uint', call: (slot, pointer) => exchange(env, slot, pointer) },
    [FUNC.per_cpu_ptr]: { ret: 'uint', call: (object, cpu) => perCpu(env, object, cpu) },
    [FUNC.this_cpu_ptr]: { ret: 'uint', call: (object) => perCpu(env, object, env.cpu()) },
    // One program runs at a time: a lock is always free.
    [FUNC.spin_lock]: { ret: 'int', call: () => 0 },
    [FUNC.spin_unlock]: { ret: 'int', call: () => 0 },
  }
}

function push(map: BpfMap, value: number, flags: number, high: number): number {
  return high !== 0 && map.ranked !== true ? -EINVAL : map.push?.(value, flags, high) ?? -EOPNOTSUPP
}

function exchange({ mem }: HelperEnv, slot: number, pointer: number): number {
  const old = mem.u32[slot >> 2]!
  mem.u32[slot >> 2] = pointer
  mem.u32[(slot >> 2) + 1] = 0
  return old
}

function perCpu({ mem, cpus }: HelperEnv, object: number, cpu: number): number {
  return cpu >>> 0 < cpus ? object + cpu * mem.u32[(object + PERCPU_STRIDE) >> 2]! : 0
}
