// The verifier's log: text that may be cut back to an earlier position, as kernel/bpf/log.c does when a path turns out fine.

/** Longer logs lose their beginning, as a rolling log of bpf(2) does. */
const LIMIT = 16 << 20
/** Pieces that are joined to one, so that long logs are few strings. */
const PIECES = 4096

export class Log {
  readonly level: number
  readonly #keep: boolean
  /** Older text in large pieces, then what was written last. */
  #older: string[] = []
  #parts: string[] = []
  #length = 0
  #lost = 0

  /** keep: refusals are wanted although no level was asked for. */
  constructor(level: number, keep = false) {
    this.level = level
    this.#keep = keep || level !== 0
  }

  get pos(): number {
    return this.#lost + this.#length
  }

  write(text: string): void {
    if (!this.#keep || text === '') return
    this.#parts.push(text)
    this.#length += text.length
    if (this.#parts.length < PIECES) return
    this.#older.push(this.#parts.join(''))
    this.#parts = []
    while (this.#length > LIMIT) this.#drop()
  }

  /** bpf_vlog_reset() */
  reset(pos: number): void {
    while (this.pos > pos) {
      const last = this.#parts.pop() ?? this.#older.pop()
      if (last === undefined) return
      this.#length -= last.length
      if (this.pos < pos) this.write(last.slice(0, pos - this.pos))
    }
  }

  get text(): string {
    return this.#older.join('') + this.#parts.join('')
  }

  #drop(): void {
    const first = this.#older.shift()!
    this.#lost += first.length
    this.#length -= first.length
  }
}
