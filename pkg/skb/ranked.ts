// A queue ordered by a 64-bit rank, first in first out among equals: what sch_bpf's class queues and the packet maps share.
// A binary heap of skb addresses; rank and order of arrival live with the skb (qdisc_skb_cb's private area, PRIV.order).
import { QDISC_CB, SKB } from './layout.js'
import { PRIV, type Skbs } from './skb.js'

const RANK = SKB.cb + QDISC_CB.data

export class RankedQueue {
  readonly #skbs: Skbs
  readonly #heap: number[] = []
  #order = 0x80000000
  #front = 0x7fffffff
  /** true: highest rank first, the order the sch_bpf RFC's code had. */
  max = false

  constructor(skbs: Skbs, max = false) {
    this.#skbs = skbs
    this.max = max
  }

  get length(): number {
    return this.#heap.length
  }

  /** Queues behind its equals. */
  push(skb: number, rankLow: number, rankHigh: number): void {
    this.#insert(skb, rankLow, rankHigh, this.#order)
    this.#order = (this.#order + 1) >>> 0
  }

  /** Puts a packet back before its equals, with the rank it has. */
  unshift(skb: number): void {
    this.#insert(skb, this.rankLow(skb), this.rankHigh(skb), this.#front)
    this.#front = (this.#front - 1) >>> 0
  }

  #insert(skb: number, low: number, high: number, order: number): void {
    this.#skbs.set32(skb, RANK, low)
    this.#skbs.set32(skb, RANK + 4, high)
    this.#skbs.set32(skb, PRIV.order, order)
    const heap = this.#heap
    let at = heap.push(skb) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#before(skb, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = skb
  }

  peek(): number {
    return this.#heap[0] ?? 0
  }

  /** The first in order, 0 when empty. */
  pop(): number {
    const heap = this.#heap
    const first = heap[0]
    if (first === undefined) return 0
    const last = heap.pop()!
    if (heap.length > 0) this.#sink(last)
    return first
  }

  #sink(skb: number): void {
    const heap = this.#heap
    const { length } = heap
    let at = 0
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && this.#before(heap[child + 1]!, heap[child]!)) child += 1
      if (!this.#before(heap[child]!, skb)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = skb
  }

  #before(a: number, b: number): boolean {
    const high = this.rankHigh(a) - this.rankHigh(b)
    const rank = high !== 0 ? high : this.rankLow(a) - this.rankLow(b)
    if (rank !== 0) return this.max ? rank > 0 : rank < 0
    return this.#skbs.get32(a, PRIV.order) < this.#skbs.get32(b, PRIV.order)
  }

  rankLow(skb: number): number {
    return this.#skbs.get32(skb, RANK)
  }

  rankHigh(skb: number): number {
    return this.#skbs.get32(skb, RANK + 4)
  }

  /** In the order in which they would leave. */
  inOrder(): number[] {
    return [...this.#heap].sort((a, b) => (this.#before(a, b) ? -1 : 1))
  }

  /** Another order of leaving for what waits. */
  setMax(max: boolean): void {
    if (max === this.max) return
    const waiting = [...this.#heap].sort((a, b) => this.#skbs.get32(a, PRIV.order) - this.#skbs.get32(b, PRIV.order))
    this.max = max
    this.#heap.length = 0
    for (const skb of waiting) this.#insert(skb, this.rankLow(skb), this.rankHigh(skb), this.#skbs.get32(skb, PRIV.order))
  }
}
