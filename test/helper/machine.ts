// A machine for helper tests: one CPU's worth of context, a loopback device, a frame as skb or xdp_buff.
import type { HelperEnv, FibAnswer, RedirectNote } from '../../pkg/helper/env.js'
import { helperImpls } from '../../pkg/helper/impl.js'
import type { BpfMap } from '../../pkg/map/types.js'
import { ARG_HI, CONTEXTS, KERNEL_STRUCTS, RET_HI } from '../../pkg/mem/layout.js'
import type { Runnable } from '../../pkg/prog/engine.js'
import { NET_DEVICE, SKB, XDP_BUFF, XDP_RXQ } from '../../pkg/skb/layout.js'
import { SHARED_INFO, Skbs } from '../../pkg/skb/skb.js'
import { PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { TestHost } from '../map/host.js'

const DEV = KERNEL_STRUCTS
/** Where tests put what arguments point to. */
export const AREA = KERNEL_STRUCTS + 0x10000

export class TestMachine {
  readonly host = new TestHost()
  readonly mem = this.host.mem
  readonly skbs = new Skbs(this.mem)
  readonly printed: string[] = []
  readonly clones: number[] = []
  readonly timers = new Map<number, number>()
  firing = 0
  now = 1_500_000_000
  fib: FibAnswer = { result: 4 }
  readonly note: RedirectNote = { kind: 0, ifindex: 0, flags: 0, mapId: 0, mapType: 0, index: 0, progId: 0 }
  readonly run: HelperEnv['run'] = { runnable: undefined, progType: PROG_TYPE.SCHED_CLS, progId: 7 }
  readonly env: HelperEnv = this.#env()
  readonly impls = helperImpls(this.env)

  constructor() {
    const { u32 } = this.mem
    u32[(DEV + NET_DEVICE.ifindex) >> 2] = 1
    u32[(DEV + NET_DEVICE.mtu) >> 2] = 65536
  }

  #env(): HelperEnv {
    const { host } = this
    return {
      mem: this.mem, skbs: this.skbs, cpus: host.cpus, run: this.run, note: this.note,
      net: {
        device: (ifindex) => (ifindex === 1 ? { addr: DEV, ifindex, mtu: 65536, hardHeaderLen: 14 } : undefined),
        fibLookup: () => this.fib,
        cloneRedirect: (copy) => (this.clones.push(copy), 0),
        scheduleDequeue: () => 0,
        dropPacket: (skb) => this.skbs.free(skb, 'XDP_DEQUEUE_DROP'),
      },
      timers: {
        arm: (timer, at) => { this.timers.set(timer, at) },
        disarm: (timer) => this.timers.delete(timer),
        armed: (timer) => this.timers.has(timer),
        firing: () => this.firing,
      },
      cpu: host.cpu, now: () => this.now, random32: host.random32,
      printk: (text) => { this.printed.push(text) },
      task: () => ({ pid: 1, tgid: 1, uid: 0, gid: 0, comm: 'wire' }),
      mapAt: (addr) => [...host.maps.values()].find((map) => map.addr === addr) as BpfMap,
    }
  }

  /** The frame as BPF_PROG_TEST_RUN gives it to a classifier or filter. */
  skb(frame: Uint8Array): number {
    const skb = this.skbs.alloc(frame)
    const data = this.skbs.data(skb) - this.skbs.head(skb)
    this.skbs.set16(skb, SKB.mac_header, data)
    this.skbs.set16(skb, SKB.network_header, data + 14)
    this.skbs.set16(skb, SKB.mac_len, 14)
    this.skbs.set16(skb, SKB.protocol, frame[12]! | (frame[13]! << 8))
    this.skbs.set32(skb, SKB.dev, DEV)
    return skb
  }

  /** The frame in an xdp_buff with a page around it. */
  xdp(frame: Uint8Array): number {
    const skb = this.skbs.alloc(frame)
    const { u32 } = this.mem
    const data = this.skbs.data(skb)
    const fields: [number, number][] = [
      [XDP_BUFF.data, data], [XDP_BUFF.data_end, data + frame.length], [XDP_BUFF.data_meta, data], [XDP_BUFF.data_hard_start, this.skbs.head(skb)],
      [XDP_BUFF.rxq, CONTEXTS + 64], [XDP_BUFF.frame_sz, this.skbs.get32(skb, SKB.end) + SHARED_INFO],
    ]
    for (const [field, value] of fields) u32[(CONTEXTS + field) >> 2] = value
    u32[(CONTEXTS + 64 + XDP_RXQ.dev) >> 2] = DEV
    return CONTEXTS
  }

  /** What BPF_PROG_TEST_RUN gives back: metadata and frame. */
  xdpBytes(): Uint8Array {
    const { u32, u8 } = this.mem
    return u8.slice(u32[(CONTEXTS + XDP_BUFF.data_meta) >> 2], u32[(CONTEXTS + XDP_BUFF.data_end) >> 2])
  }

  /** Calls a helper as an engine does; r0 as a u64. */
  call(id: number, args: readonly bigint[]): bigint {
    const impl = this.impls(id)
    if (!impl) throw new Error(`no helper ${id}`)
    const [a, b, c, d, e] = [0, 1, 2, 3, 4].map((i) => Number(BigInt.asIntN(32, args[i] ?? 0n)))
    for (let i = 0; i < 5; i += 1) {
      if (((impl.wide ?? 0) >> i) & 1) this.mem.i32[(ARG_HI >> 2) + i] = Number(BigInt.asIntN(32, (args[i] ?? 0n) >> 32n))
      else this.mem.i32[(ARG_HI >> 2) + i] = 0x5a5a5a5a
    }
    const low = impl.call(a!, b!, c!, d!, e!)
    if (impl.ret === 'int') return BigInt.asUintN(64, BigInt(low))
    const high = impl.ret === 'wide' ? BigInt(this.mem.u32[RET_HI >> 2]!) : 0n
    return (high << 32n) | BigInt(low >>> 0)
  }

  /** A program whose callbacks are functions: fn is the index. */
  setCallbacks(...callbacks: ((...args: number[]) => number)[]): void {
    this.run.runnable = { callback: (fn: number, ...args: number[]) => callbacks[fn]!(...args) } as unknown as Runnable
  }
}
