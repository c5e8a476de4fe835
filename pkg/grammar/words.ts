// A cursor over the words of a command line, iproute2's argc/argv with NEXT_ARG.
import { incomplete } from './complaints.js'

export class Words {
  readonly #list: readonly string[]
  #next = 0

  constructor(list: readonly string[]) {
    this.#list = list
  }

  /** Whether a word is left. */
  get more(): boolean {
    return this.#next < this.#list.length
  }

  get left(): number {
    return this.#list.length - this.#next
  }

  /** The word `ahead` places on, not taken; undefined behind the end. */
  peek(ahead = 0): string | undefined {
    return this.#list[this.#next + ahead]
  }

  /** Takes a word; 'Command line is not complete.' when there is none. */
  take(): string {
    const word = this.#list[this.#next]
    if (word === undefined) throw incomplete()
    this.#next += 1
    return word
  }

  /** Takes all that is left. */
  rest(): readonly string[] {
    const rest = this.#list.slice(this.#next)
    this.#next = this.#list.length
    return rest
  }
}
