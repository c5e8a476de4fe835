// How a machine is booted: what HOOKPOINT_* and the library's options say.
import type { Toolchain } from './toolchain.js'
import type { Task } from './trace.js'
import type { Files } from './views.js'

export interface BootOptions {
  /** Asked for when the first program is loaded or run. */
  readonly toolchain: () => Toolchain
  /** Programs run compiled (default), or in the interpreter. */
  readonly jit?: boolean
  /** The state directory's plain files; absent: kept in memory. */
  readonly files?: Files
  /** The state directory, undefined for a machine in memory. */
  readonly dir?: string
  /** Real time in ns, for what test runs report; absent: always 0. */
  readonly stopwatch?: () => number
  /** CPUs of a new machine. */
  readonly cpus?: number
  /** lo alone, as a new network namespace has. */
  readonly bare?: boolean
  /** HOOKPOINT_STRICT: the proposals as posted, defects included. */
  readonly strict?: boolean
  /** HOOKPOINT_DIALECT */
  readonly dialect?: string
  /** HOOKPOINT_EXPLAIN: refusals come with the way through the source. */
  readonly explain?: boolean
  /** Who runs, for trace lines. */
  readonly task?: Task
  /** Objects stay alive although nothing refers to them until close(): the library, whose handles are ids. */
  readonly keepHandles?: boolean
}

export const DEFAULT_CPUS = 4
export const DEFAULT_TASK: Task = { comm: 'wire', pid: 1 }
