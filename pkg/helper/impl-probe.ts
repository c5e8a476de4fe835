// bpf_probe_read and its kin: kernel/trace/bpf_trace.c. Kernel memory is the linear memory; user memory there is none.
import { LOW_PAGE } from '../mem/layout.js'
import { EFAULT, ERANGE } from '../uapi/errno.js'
import type { HelperImpl } from '../prog/engine.js'
import { FUNC } from '../uapi/bpf.js'
import { argHi, type HelperEnv, type HelperTable } from './env.js'

const FROM = 1 << 2

export function probeHelpers(env: HelperEnv): HelperTable {
  const read = (userErrno: number): HelperImpl => ({
    ret: 'int', wide: FROM, call: (to, size, from) => probeRead(env, to, size >>> 0, from, userErrno),
  })
  const string = (userErrno: number): HelperImpl => ({
    ret: 'int', wide: FROM, call: (to, size, from) => probeString(env, to, size >>> 0, from, userErrno),
  })
  const user = { ret: 'int', call: (to: number, size: number) => fault(env, to, size, EFAULT) } as const
  return {
    [FUNC.probe_read]: read(EFAULT),
    [FUNC.probe_read_kernel]: read(ERANGE),
    [FUNC.probe_read_str]: string(EFAULT),
    [FUNC.probe_read_kernel_str]: string(ERANGE),
    [FUNC.probe_read_user]: user,
    [FUNC.probe_read_user_str]: user,
  }
}

function fault({ mem }: HelperEnv, to: number, size: number, errno: number): number {
  mem.u8.fill(0, to, to + size)
  return -errno
}

/** High halves of x86's kernel addresses begin here; below are a user's, or no addresses at all (copy_from_kernel_nofault_allowed). */
const KERNEL_HIGH = 0xffff8000

const errnoOf = (env: HelperEnv, userErrno: number): number => (argHi(env, 2) >>> 0 >= KERNEL_HIGH ? EFAULT : userErrno)

function readable(env: HelperEnv, from: number, size: number): boolean {
  return argHi(env, 2) === 0 && from >= LOW_PAGE && from + size <= env.mem.size
}

function probeRead(env: HelperEnv, to: number, size: number, from: number, userErrno: number): number {
  if (!readable(env, from, size)) return fault(env, to, size, errnoOf(env, userErrno))
  env.mem.u8.copyWithin(to, from, from + size)
  return 0
}

/** The count of bytes, NUL included. */
function probeString(env: HelperEnv, to: number, size: number, from: number, userErrno: number): number {
  const { u8 } = env.mem
  if (!readable(env, from, 1)) return fault(env, to, size, errnoOf(env, userErrno))
  if (size === 0) return 0
  let length = 0
  while (length < size - 1 && u8[from + length] !== 0) length += 1
  u8.copyWithin(to, from, from + length)
  u8[to + length] = 0
  return length + 1
}
