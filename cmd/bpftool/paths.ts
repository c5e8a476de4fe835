// Paths that a user types for pins: absolute ones below /sys/fs/bpf mean the emulated file system, and so does a place in the state directory.
import { posix } from 'node:path'
import { InputError, KernelError } from '../../pkg/bytes/errors.js'
import type { Context } from '../../pkg/cli/index.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import type { ObjKind } from '../../pkg/request/bpf.js'
import { attempt, FAILED, reason } from './failure.js'

export const BPFFS = '/sys/fs/bpf'

/** The path as the emulated machine has it. */
export function bpffsPath(context: Context, typed: string): string {
  const path = posix.resolve(context.io.cwd, typed)
  const state = context.io.env['HOOKPOINT_STATE']
  const root = state ? posix.resolve(context.io.cwd, state) : undefined
  return root !== undefined && path.startsWith(`${root}${BPFFS}`) ? path.slice(root.length) : path
}

const isBelow = (path: string): boolean => path === BPFFS || path.startsWith(`${BPFFS}/`)

/** open_obj_pinned_any: the object of that path, which must be of that kind. */
export function pinnedId(context: Context, kernel: Kernel, kind: ObjKind, typed: string): number {
  const path = bpffsPath(context, typed)
  if (!path.startsWith(`${BPFFS}/`)) throw new InputError(`bpf obj get (${posix.dirname(path)}): directory not in bpf file system (bpffs)`, FAILED)
  const found = attempt(`bpf obj get (${typed})`, () => kernel.request('obj.get', { path }))
  if (found.kind !== kind) throw new InputError(`incorrect object type: ${found.kind}`, FAILED)
  return found.id
}

/** do_pin_fd. The emulated machine mounts nothing: a bpf file system is where it is. */
export function pin(context: Context, kernel: Kernel, kind: ObjKind, id: number, typed: string): void {
  const path = bpffsPath(context, typed)
  checkPlace(context, path, typed)
  attempt(`can't pin the object (${typed})`, () => kernel.request('obj.pin', { kind, id, path }), 'errno')
}

/** mount_bpffs_for_pin */
export function checkPlace(context: Context, path: string, typed: string): void {
  if (isBelow(path)) return
  if (context.options.idle.includes('nomount')) throw new InputError('no BPF file system found, not mounting it due to --nomount option', FAILED)
  throw new InputError(`can't mount BPF file system to pin the object (${typed}): it is at ${BPFFS} only`, FAILED)
}

/** A file of the user's; standard input is one by its name, since it need not be text. */
export function readInput(context: Context, name: string): Uint8Array {
  try {
    return context.io.readFile(name === '-' ? '/dev/stdin' : name)
  } catch (error) {
    throw new InputError(`failed to open ${name}: ${fileReason(error)}`, FAILED)
  }
}

/** strerror() of what reading or writing a file met. */
export function fileReason(error: unknown): string {
  const { code } = error as { code?: string }
  return WORDS[code ?? ''] ?? (error instanceof KernelError ? reason(error) : String(error instanceof Error ? error.message : error))
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory', EACCES: 'Permission denied', EISDIR: 'Is a directory', ENOTDIR: 'Not a directory',
  EROFS: 'Read-only file system', ENOSPC: 'No space left on device', EPERM: 'Operation not permitted',
}
