// bpf_timer on the virtual clock: what is armed is known by the address of its struct bpf_timer inside a map value, so it survives the
// process with the map. kernel/bpf/helpers.c, bpf_timer_cb.
import type { Clock, Timer } from '../datapath/clock.js'
import type { TimerEnv } from '../helper/env.js'
import { TIMER } from '../helper/impl-timer.js'
import type { BpfMap } from '../map/types.js'
import type { Memory } from '../mem/memory.js'
import type { Runnable } from '../prog/engine.js'

export const BPF_TIMER = 'bpf_timer'

export interface TimersHost {
  readonly clock: Clock
  readonly mem: Memory
  cpu(): number
  map(id: number): BpfMap | undefined
  /** Makes the program the one that runs, for helpers that its callback calls. */
  enter(progId: number): Runnable | undefined
}

export class Timers implements TimerEnv {
  readonly #host: TimersHost
  #firing = 0

  constructor(host: TimersHost) {
    this.#host = host
  }

  /** Frames don't wait for it, so it keeps no run going. */
  #timer(addr: number): Timer {
    return this.#host.clock.timer(BPF_TIMER, 0, addr, false)
  }

  arm(addr: number, at: number): void {
    this.#host.clock.arm(this.#timer(addr), at, this.#host.cpu())
  }

  disarm(addr: number): boolean {
    const was = this.armed(addr)
    this.#host.clock.cancel(this.#timer(addr))
    return was
  }

  armed(addr: number): boolean {
    return this.#timer(addr).slot >= 0
  }

  firing(): number {
    return this.#firing
  }

  /** The clock has come to it: its callback gets (map, key, value). */
  fire({ id: addr }: Timer): void {
    const word = (at: number): number => this.#host.mem.u32[(addr + at) >> 2]!
    const map = this.#host.map(word(TIMER.mapId))
    const element = map && elementAt(map, addr)
    const runnable = element && this.#host.enter(word(TIMER.progId))
    if (!runnable) return
    this.#firing = addr
    try {
      runnable.callback(word(TIMER.callback), map.addr, element.key, element.value, 0, 0)
    } finally {
      this.#firing = 0
    }
  }

  /** A map is going: nothing in it fires any more. */
  forget(from: number, to: number): void {
    for (const { kind, id } of this.#host.clock.save()) {
      if (kind === BPF_TIMER && id >= from && id < to) this.#host.clock.forget(this.#timer(id))
    }
  }
}

/** The element whose value holds an address. */
function elementAt(map: BpfMap, addr: number): { key: number; value: number } | undefined {
  let found: { key: number; value: number } | undefined
  map.forEach?.((key, value) => {
    if (addr < value || addr >= value + map.attr.valueSize) return 0
    found = { key, value }
    return 1
  })
  return found
}
