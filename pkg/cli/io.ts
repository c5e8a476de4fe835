// Everything a command touches outside itself. cmd/io.ts makes the real one; tests hand in texts and an in-memory machine.
import type { Kernel } from '../request/kernel.js'

/** 'read' takes no lock; 'write' is one transaction. */
export type Access = 'read' | 'write'

export interface Io {
  stdout(text: string | Uint8Array): void
  stderr(text: string): void
  /** All of standard input. */
  stdin(): string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Whether standard output is a terminal (colours with -c=auto). */
  readonly tty: boolean
  /** A file of the user's, relative to cwd; InputError-free: throws node's own error with a `code`. */
  readFile(path: string): Uint8Array
  writeFile(path: string, bytes: Uint8Array): void
  /** Boots the machine of $HOOKPOINT_STATE. */
  openKernel(access: Access): Kernel
}
