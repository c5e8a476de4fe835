// struct sk_buff_head of include/linux/skbuff.h: skbs linked through their own next pointer, so that queueing allocates nothing.
import type { Skbs } from './skb.js'

export class SkbQueue {
  readonly #skbs: Skbs
  head = 0
  tail = 0
  qlen = 0

  constructor(skbs: Skbs) {
    this.#skbs = skbs
  }

  push(skb: number): void {
    this.#skbs.setNext(skb, 0)
    if (this.tail === 0) this.head = skb
    else this.#skbs.setNext(this.tail, skb)
    this.tail = skb
    this.qlen += 1
  }

  pushHead(skb: number): void {
    this.#skbs.setNext(skb, this.head)
    this.head = skb
    if (this.tail === 0) this.tail = skb
    this.qlen += 1
  }

  /** The oldest, 0 when empty. */
  shift(): number {
    const skb = this.head
    if (skb === 0) return 0
    this.head = this.#skbs.next(skb)
    if (this.head === 0) this.tail = 0
    this.#skbs.setNext(skb, 0)
    this.qlen -= 1
    return skb
  }

  *[Symbol.iterator](): Generator<number> {
    for (let skb = this.head; skb !== 0; skb = this.#skbs.next(skb)) yield skb
  }
}
