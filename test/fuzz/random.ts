// A seeded generator of random numbers: same seed, same program.

export class Random {
  #x: number

  constructor(seed: number) {
    this.#x = (Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) | 1) >>> 0
    for (let n = 0; n < 4; n++) this.u32()
  }

  /** xorshift32 */
  u32(): number {
    let x = this.#x
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#x = x >>> 0
    return Math.imul(this.#x, 0x2c1b3c6d) >>> 0
  }

  /** 0 … n - 1 */
  below(n: number): number {
    return this.u32() % n
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  /** An int32 that likes the edges. */
  s32(): number {
    const kind = this.below(4)
    if (kind === 0) return this.below(20) - 10
    if (kind === 1) return this.pick([0x7fffffff, -0x80000000, -1, 0, 0xff, 0x8000, 0x10000])
    return this.u32() | 0
  }
}
