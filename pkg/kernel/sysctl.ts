// The emulated /proc/sys: each entry also a file below proc/sys of the state directory, writable with echo.
import { KernelError } from '../bytes/errors.js'
import { EINVAL, ENOENT } from '../uapi/errno.js'
import type { Views } from './views.js'

interface Entry {
  readonly first: string
  check(value: string): boolean
}

const anyWord: Entry['check'] = (value) => /^[A-Za-z0-9_-]{1,15}$/.test(value)
const flag: Entry['check'] = (value) => value === '0' || value === '1'

/** path below /proc/sys -> value at boot and the rule for new ones. */
const ENTRIES: Readonly<Record<string, Entry>> = {
  'net/core/default_qdisc': { first: 'pfifo_fast', check: anyWord },
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
    if (!entry.check(value)) throw new KernelError(EINVAL)
    this.#views.write(`proc/sys/${path}`, `${value}\n`)
  }
}
