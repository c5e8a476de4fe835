// The one door between the user side and the kernel side.
import type { BpfRequests } from './bpf.js'
import type { RtnlRequests } from './rtnl.js'
import type { WireRequests } from './wire.js'

/** Requests about the machine itself. */
export interface SystemRequests {
  /** The emulated /proc/sys: 'net/core/default_qdisc' … */
  'sysctl.get': [{ path: string }, string]
  'sysctl.set': [{ path: string; value: string }, void]
  'sys.info': [Record<string, never>, { cpus: number; now: number; dir: string | undefined; strict: boolean }]
}

export interface Requests extends BpfRequests, RtnlRequests, WireRequests, SystemRequests {}
export type Op = keyof Requests
export type Request<K extends Op> = Requests[K][0]
export type Reply<K extends Op> = Requests[K][1]

/** A booted machine, as commands see it. One session is one transaction unless `commit` is called in between (batch mode, the library). */
export interface Kernel {
  request<K extends Op>(op: K, request: Request<K>): Reply<K>
  /** Makes everything since the last commit durable, all or nothing. */
  commit(): void
  /** Drops uncommitted changes and the lock. */
  close(): void
}
