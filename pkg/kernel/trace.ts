// What bpf_trace_printk leaves, as /sys/kernel/debug/tracing/trace_pipe shows it: kernel/trace/trace_output.c's default line format.
import type { Store } from '../state/store.js'
import type { Views } from './views.js'

export const TRACE_PIPE = 'sys/kernel/debug/tracing/trace_pipe'
const KEY = 'trace/lines'
/** The ring keeps this many lines, the newest. */
const KEPT = 4096

/** Who caused the run. */
export interface Task {
  readonly comm: string
  readonly pid: number
}

export class Trace {
  readonly #store: Store
  readonly #views: Views
  #lines: string[] | undefined
  #changed = false

  constructor(store: Store, views: Views) {
    this.#store = store
    this.#views = views
  }

  #all(): string[] {
    this.#lines ??= [...((this.#store.get(KEY) as string[] | undefined) ?? [])]
    return this.#lines
  }

  /** now: virtual ns. */
  print(text: string, task: Task, cpu: number, now: number): void {
    const lines = this.#all()
    lines.push(line(text, task, cpu, now))
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
    this.#store.set(KEY, lines)
    this.#views.add(TRACE_PIPE, lines.map((text) => `${text}\n`).join(''))
    this.#changed = false
  }
}

/** `            wire-1       [000] ..s2.     0.000000: bpf_trace_printk: text`: "%16s-%-7d [%03d] flags %5lu.%06lu: ". */
function line(text: string, task: Task, cpu: number, now: number): string {
  const seconds = String(Math.floor(now / 1e9)).padStart(5)
  const micros = String(Math.floor((now % 1e9) / 1e3)).padStart(6, '0')
  const body = text.endsWith('\n') ? text.slice(0, -1) : text
  const who = `${task.comm.padStart(16)}-${String(task.pid).padEnd(7)}`
  return `${who} [${String(cpu).padStart(3, '0')}] ..s2. ${seconds}.${micros}: bpf_trace_printk: ${body}`
}
