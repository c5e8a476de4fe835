// One virtual monotonic clock and one ordered list of timers; ties go by the order in which they were armed.

export interface Timer {
  /** What fires: a row of the dispatch table, with whose it is. */
  readonly kind: string
  readonly ifindex: number
  readonly id: number
  /** CPU it was armed on, where it fires. */
  cpu: number
  at: number
  order: number
  /** Place in the heap, -1: not armed. */
  slot: number
  /** Frames depend on it: the machine is not idle before it has fired. */
  readonly work: boolean
}

export interface TimerRecord {
  kind: string
  ifindex: number
  id: number
  cpu: number
  at: number
  work: boolean
}

export class Clock {
  now = 0
  #order = 0
  #work = 0
  readonly #heap: Timer[] = []
  readonly #timers = new Map<string, Timer>()

  /** The timer of that name, made when it is asked for first. */
  timer(kind: string, ifindex: number, id: number, work = true): Timer {
    const key = `${kind}/${ifindex}/${id}`
    const known = this.#timers.get(key)
    if (known) return known
    const timer: Timer = { kind, ifindex, id, cpu: 0, at: 0, order: 0, slot: -1, work }
    this.#timers.set(key, timer)
    return timer
  }

  /** Forgets a timer whose owner is gone. */
  forget(timer: Timer): void {
    this.cancel(timer)
    this.#timers.delete(`${timer.kind}/${timer.ifindex}/${timer.id}`)
  }

  /** Arms for an absolute time, replacing what it was armed for. */
  arm(timer: Timer, at: number, cpu: number): void {
    this.cancel(timer)
    timer.at = Math.max(at, this.now)
    timer.cpu = cpu
    timer.order = this.#order += 1
    if (timer.work) this.#work += 1
    this.#up(this.#heap.push(timer) - 1, timer)
  }

  cancel(timer: Timer): void {
    const { slot } = timer
    if (slot < 0) return
    timer.slot = -1
    if (timer.work) this.#work -= 1
    const last = this.#heap.pop()!
    if (last === timer) return
    this.#up(this.#down(slot, last), last)
  }

  /** The next to fire, still armed. */
  peek(): Timer | undefined {
    return this.#heap[0]
  }

  /** Timers that frames wait for are armed. */
  get busy(): boolean {
    return this.#work > 0
  }

  #before(a: Timer, b: Timer): boolean {
    return a.at !== b.at ? a.at < b.at : a.order < b.order
  }

  #up(slot: number, timer: Timer): void {
    const heap = this.#heap
    let at = slot
    while (at > 0) {
      const parent = heap[(at - 1) >> 1]!
      if (!this.#before(timer, parent)) break
      heap[at] = parent
      parent.slot = at
      at = (at - 1) >> 1
    }
    heap[at] = timer
    timer.slot = at
  }

  #down(slot: number, timer: Timer): number {
    const heap = this.#heap
    let at = slot
    for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && this.#before(heap[child + 1]!, heap[child]!)) child += 1
      if (!this.#before(heap[child]!, timer)) break
      heap[at] = heap[child]!
      heap[at]!.slot = at
      at = child
    }
    heap[at] = timer
    timer.slot = at
    return at
  }

  save(): TimerRecord[] {
    const armed = [...this.#heap].sort((a, b) => (this.#before(a, b) ? -1 : 1))
    return armed.map(({ kind, ifindex, id, cpu, at, work }) => ({ kind, ifindex, id, cpu, at, work }))
  }

  restore(now: number, timers: readonly TimerRecord[]): void {
    this.now = now
    for (const { kind, ifindex, id, cpu, at, work } of timers) this.arm(this.timer(kind, ifindex, id, work), at, cpu)
  }
}
