// What BPF_PROG_LOAD refuses before the verifier looks at the program: kernel/bpf/syscall.c, bpf_prog_load().
import { KernelError } from '../bytes/errors.js'
import type { ProgLoad } from '../request/bpf.js'
import { BPF_OBJ_NAME_LEN, PROG_F } from '../uapi/bpf.js'
import { E2BIG, EINVAL } from '../uapi/errno.js'

/** BPF_COMPLEXITY_LIMIT_INSNS: no program is longer. */
const MAX_INSNS = 1_000_000
const KNOWN_FLAGS = Object.values(PROG_F).reduce((all, flag) => all | flag, 0)

/** Throws what bpf(2) returns, without a log. */
export function checkAttributes({ insns, name = '', flags = 0 }: ProgLoad): void {
  if ((flags & ~KNOWN_FLAGS) !== 0) throw new KernelError(EINVAL)
  if (insns.length === 0 || insns.length > MAX_INSNS) throw new KernelError(E2BIG)
  if (name.length >= BPF_OBJ_NAME_LEN || !/^[A-Za-z0-9_.]*$/.test(name)) throw new KernelError(EINVAL)
}
