// Chance, repeatable: xorshift128 whose state persists, so that a script gives the same bytes on every machine.
import type { Store } from '../state/store.js'

const KEY = 'sys/random'
/** 'hookpoint.bpf' in hexadecimal, more or less. */
const SEED: readonly [number, number, number, number] = [0x686f6f6b, 0x706f696e, 0x742e6270, 0x66000001]

export class Random {
  readonly #store: Store
  #state: [number, number, number, number] | undefined

  constructor(store: Store) {
    this.#store = store
  }

  /** An unsigned 32-bit number. G. Marsaglia, "Xorshift RNGs" (2003), the 128-bit generator. */
  next32(): number {
    const s = (this.#state ??= [...((this.#store.get(KEY) as typeof SEED | undefined) ?? SEED)])
    const t = s[3] ^ (s[3] << 11)
    s[3] = s[2]
    s[2] = s[1]
    s[1] = s[0]
    s[0] = (s[0] ^ (s[0] >>> 19) ^ t ^ (t >>> 8)) >>> 0
    return s[0]
  }

  seed(seed: number): void {
    this.#state = [seed >>> 0, 0x9e3779b9, ~seed >>> 0, 1]
  }

  flush(): void {
    if (this.#state) this.#store.set(KEY, this.#state)
  }
}
