// Time, randomness, the CPU and the task a program runs in: kernel/bpf/helpers.c
import { EINVAL } from '../uapi/errno.js'
import { FUNC } from '../uapi/bpf.js'
import { setResult, wideResult, type HelperEnv, type HelperTable } from './env.js'

/** CONFIG_HZ, and INITIAL_JIFFIES: minus five minutes, as a u32. */
const HZ = 250
const INITIAL_JIFFIES = 2 ** 32 - 300 * HZ
/** ID of the root cgroup. */
const ROOT_CGROUP = 1
const TASK_COMM_LEN = 16

export function basicHelpers(env: HelperEnv): HelperTable {
  const clock = { ret: 'wide', call: () => wideResult(env, env.now()) } as const
  return {
    [FUNC.ktime_get_ns]: clock,
    [FUNC.ktime_get_boot_ns]: clock,
    [FUNC.ktime_get_coarse_ns]: clock,
    [FUNC.ktime_get_tai_ns]: clock,
    [FUNC.jiffies64]: { ret: 'wide', call: () => wideResult(env, INITIAL_JIFFIES + Math.floor(env.now() / (1e9 / HZ))) },
    [FUNC.get_prandom_u32]: { ret: 'uint', call: () => env.random32() | 0 },
    [FUNC.get_smp_processor_id]: { ret: 'uint', call: () => env.cpu() },
    [FUNC.get_numa_node_id]: { ret: 'uint', call: () => 0 },
    ...taskHelpers(env),
  }
}

function taskHelpers(env: HelperEnv): HelperTable {
  return {
    [FUNC.get_current_pid_tgid]: { ret: 'wide', call: () => setResult(env, env.task().pid, env.task().tgid) },
    [FUNC.get_current_uid_gid]: { ret: 'wide', call: () => setResult(env, env.task().uid, env.task().gid) },
    [FUNC.get_current_comm]: { ret: 'int', call: (to, size) => comm(env, to, size) },
    [FUNC.get_current_cgroup_id]: { ret: 'uint', call: () => ROOT_CGROUP },
    [FUNC.get_current_ancestor_cgroup_id]: { ret: 'uint', call: (level) => (level === 0 ? ROOT_CGROUP : 0) },
    // There is one pid namespace, and no program can name its device and inode.
    [FUNC.get_ns_current_pid_tgid]: {
      ret: 'int',
      call: (_dev, _ino, to, size) => {
        env.mem.u8.fill(0, to, to + size)
        return -EINVAL
      },
    },
  }
}

/** strscpy_pad */
function comm(env: HelperEnv, to: number, size: number): number {
  const text = Buffer.from(env.task().comm).subarray(0, Math.min(size, TASK_COMM_LEN) - 1)
  env.mem.u8.fill(0, to, to + size)
  env.mem.u8.set(text, to)
  return 0
}
