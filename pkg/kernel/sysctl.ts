// The emulated /proc/sys: each entry also a file below proc/sys of the state directory, writable with echo.
import { KernelError } from '../bytes/errors.js'
import { defaultKind } from '../datapath/index.js'
import { EACCES, EINVAL, ENOENT, type Errno } from '../uapi/errno.js'
import type { StructOpsSide } from './struct-ops-side.js'
import type { Views } from './views.js'

interface Entry {
  readonly first: string
  /** Answer to a value that fails the check. */
  readonly errno?: Errno
  check(value: string, side: StructOpsSide): boolean
  /** The value that is not the user's to choose. */
  get?(side: StructOpsSide): string
  /** What the value does besides being there. */
  set?(value: string, side: StructOpsSide): void
}

/** set_default_qdisc: a kind this machine has, ENOENT otherwise. */
const qdisc: Entry['check'] = (value, side) => defaultKind(value) !== undefined || side.qdiscs.registered(value) !== undefined
const flag: Entry['check'] = (value) => value === '0' || value === '1'

/** path below /proc/sys -> value at boot and the rule for new ones. */
const ENTRIES: Readonly<Record<string, Entry>> = {
  'net/core/default_qdisc': { first: 'pfifo_fast', check: qdisc, errno: ENOENT },
  'net/core/bpf_jit_enable': { first: '1', check: (value) => /^[012]$/.test(value) },
  'net/ipv4/tcp_available_congestion_control': { first: 'reno cubic', check: () => false, errno: EACCES, get: ({ tcp }) => tcp.available().join(' ') },
  'net/ipv4/tcp_congestion_control': {
    first: 'cubic', check: (value, { tcp }) => tcp.available().includes(value) || tcp.current === value, errno: ENOENT,
    set: (value, { tcp }) => tcp.setCurrent(value),
  },
  'net/ipv4/ip_forward': { first: '0', check: flag },
  'kernel/bpf_stats_enabled': { first: '0', check: flag },
  'kernel/unprivileged_bpf_disabled': { first: '2', check: (value) => /^[012]$/.test(value) },
}

export class Sysctl {
  readonly #views: Views
  readonly #side: () => StructOpsSide

  constructor(views: Views, side: () => StructOpsSide) {
    this.#views = views
    this.#side = side
  }

  /** At the making of a machine. */
  boot(): void {
    for (const [path, { first }] of Object.entries(ENTRIES)) this.#views.add(`proc/sys/${path}`, `${first}\n`)
  }

  get(path: string): string {
    const entry = ENTRIES[path]
    if (!entry) throw new KernelError(ENOENT)
    if (entry.get) return entry.get(this.#side())
    const text = this.#views.text(`proc/sys/${path}`)?.trim()
    return text !== undefined && entry.check(text, this.#side()) ? text : entry.first
  }

  set(path: string, value: string): void {
    const entry = ENTRIES[path]
    if (!entry) throw new KernelError(ENOENT)
    if (!entry.check(value, this.#side())) throw new KernelError(entry.errno ?? EINVAL)
    entry.set?.(value, this.#side())
    this.#views.write(`proc/sys/${path}`, `${value}\n`)
  }
}
