// What bpf_trace_printk leaves, as /sys/kernel/debug/tracing/trace_pipe shows it: kernel/trace/trace_output.c's default line format.
import type { Store } from '../state/store.js'
import type { Views } from './views.js'

export const TRACE_PIPE = 'sys/kernel/debug/tracing/trace_pipe'
/** Where dmesg's lines are. */
export const KERNEL_LOG = 'var/log/kern.log'
/** The ring keeps this many lines, the newest. */
const KEPT = 4096

/** Who caused the run. */
export interface Task {
  readonly comm: string
  readonly pid: number
}

/** A ring of lines in the store, with a file that shows it. */
class Lines {
  readonly #store: Store
  readonly #views: Views
  readonly #key: string
  readonly #path: string
  #lines: string[] | undefined
  #changed = false

  constructor(store: Store, views: Views, key: string, path: string) {
    this.#store = store
    this.#views = views
    this.#key = key
    this.#path = path
  }

  #all(): string[] {
    this.#lines ??= [...((this.#store.get(this.#key) as string[] | undefined) ?? [])]
    return this.#lines
  }

  /** The file exists, empty as yet. */
  boot(): void {
    this.#changed = true
  }

  add(text: string): void {
    const lines = this.#all()
    lines.push(text)
    if (lines.length > KEPT) lines.splice(0, lines.length - KEPT)
    this.#changed = true
  }

  read(keep: boolean): string[] {
    const lines = this.#all()
    if (!keep && lines.length > 0) {
      this.#lines = []
      this.#changed = true
    }
    return [...lines]
  }

  flush(): void {
    if (!this.#changed) return
    const lines = this.#all()
    this.#store.set(this.#key, lines)
    this.#views.add(this.#path, lines.map((text) => `${text}\n`).join(''))
    this.#changed = false
  }
}

/** The trace pipe and the kernel log. */
export class Trace {
  readonly #pipe: Lines
  readonly #log: Lines

  constructor(store: Store, views: Views) {
    this.#pipe = new Lines(store, views, 'trace/lines', TRACE_PIPE)
    this.#log = new Lines(store, views, 'log/lines', KERNEL_LOG)
  }

  /** The files of a new machine. */
  boot(): void {
    this.#pipe.boot()
    this.#log.boot()
  }

  /** now: virtual ns. */
  print(text: string, task: Task, cpu: number, now: number): void {
    this.#pipe.add(line(text, task, cpu, now))
  }

  /** What the kernel would say with printk: `[    0.000000] tap0 selects TX queue …`, as dmesg prints. */
  log(text: string, now: number): void {
    const { seconds, micros } = stamp(now)
    this.#log.add(`[${seconds}.${micros}] ${text.trimEnd()}`)
  }

  read(keep: boolean): string[] {
    return this.#pipe.read(keep)
  }

  flush(): void {
    this.#pipe.flush()
    this.#log.flush()
  }
}

function stamp(now: number): { seconds: string; micros: string } {
  return {
    seconds: String(Math.floor(now / 1e9)).padStart(5),
    micros: String(Math.floor((now % 1e9) / 1e3)).padStart(6, '0'),
  }
}

/** A newline of the program's own stays, as 6.18 leaves it: an empty line follows then.
 *  `            wire-1       [000] ..s2.     0.000000: bpf_trace_printk: text`: "%16s-%-7d [%03d] flags %5lu.%06lu: ". */
function line(text: string, task: Task, cpu: number, now: number): string {
  const { seconds, micros } = stamp(now)
  const who = `${task.comm.padStart(16)}-${String(task.pid).padEnd(7)}`
  return `${who} [${String(cpu).padStart(3, '0')}] ..s2. ${seconds}.${micros}: bpf_trace_printk: ${text}`
}
