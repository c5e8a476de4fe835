// The verifier's log: text that may be cut back to an earlier position, as kernel/bpf/log.c does when a path turns out fine.

/** Longer logs lose their beginning, as a rolling log of bpf(2) does. */
const LIMIT = 32 << 20

export class Log {
  readonly level: number
  readonly #keep: boolean
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
    if (this.#length > LIMIT) this.#drop()
  }

  /** bpf_vlog_reset() */
  reset(pos: number): void {
    while (this.pos > pos && this.#parts.length > 0) {
      const last = this.#parts.pop()!
      this.#length -= last.length
      if (this.pos < pos) {
        const keep = last.slice(0, pos - this.pos)
        this.#parts.push(keep)
        this.#length += keep.length
      }
    }
  }

  get text(): string {
    return this.#parts.join('')
  }

  #drop(): void {
    const text = this.#parts.join('')
    const keep = text.slice(text.length >> 1)
    this.#lost += text.length - keep.length
    this.#parts = [keep]
    this.#length = keep.length
  }
}
