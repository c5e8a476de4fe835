// The emulated /proc/sys: each entry also a file below proc/sys of the state directory, writable with echo.
import { KernelError } from '../bytes/errors.js'
import { defaultKind } from '../datapath/index.js'
import { EINVAL, ENOENT, type Errno } from '../uapi/errno.js'
import type { Views } from './views.js'

interface Entry {
  readonly first: string
  /** Answer to a value that fails the check. */
  readonly errno?: Errno
  check(value: string): boolean
}

/** set_default_qdisc: a kind this machine has, ENOENT otherwise. */
const qdisc: Entry['check'] = (value) => defaultKind(value) !== undefined
const flag: Entry['check'] = (value) => value === '0' || value === '1'

/** path below /proc/sys -> value at boot and the rule for new ones. */
const ENTRIES: Readonly<Record<string, Entry>> = {
  'net/core/default_qdisc': { first: 'pfifo_fast', check: qdisc, errno: ENOENT },
  'net/core/bpf_jit_enable': { first: '1', check: (value) => /^[012]$/.test(value) },
  'net/ipv4/ip_forward': { first: '0', check: flag },
  'kernel/bpf_stats_enabled': { first: '0', check: flag },
  'kernel/unprivileged_bpf_disabled': { first: '2', check: (value) => /^[012]$/.test(value) },
}

export class Sysctl {
  readonly #views: Views

  constructor(views: Views) {
    this.#views = views
  }

  /** At the making of a machine. */
  boot(): void {
    for (const [path, { first }] of Object.entries(ENTRIES)) this.#views.add(`proc/sys/${path}`, `${first}\n`)
  }

  get(path: string): string {
    const entry = ENTRIES[path]
    if (!entry) throw new KernelError(ENOENT)
    const text = this.#views.text(`proc/sys/${path}`)?.trim()
    return text !== undefined && entry.check(text) ? text : entry.first
  }

  set(path: string, value: string): void {
    const entry = ENTRIES[path]
    if (!entry) throw new KernelError(ENOENT)
    if (!entry.check(value)) throw new KernelError(entry.errno ?? EINVAL)
    this.#views.write(`proc/sys/${path}`, `${value}\n`)
  }
}
