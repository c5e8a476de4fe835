// The slab of sk_buffs and their frame buffers (net/core/skbuff.c). An skb is a number: the address of its struct sk_buff in linear
// memory. Slots and buffers are reused, so a packet allocates nothing; every end of a frame goes through free() with a reason.
import { PACKETS, PACKETS_END } from '../mem/layout.js'
import type { Memory } from '../mem/memory.js'
import { BPF_CB, QDISC_CB, SKB } from './layout.js'

/** XDP_PACKET_HEADROOM, and what struct skb_shared_info takes at the end of a buffer. */
export const HEADROOM = 256
export const SHARED_INFO = 320
const SLOT = 256
const FIRST_SLOTS = 64

/** Buffer sizes: a page as XDP drivers have it, jumbo, and the largest IP packet with room around it. */
const CLASSES = [4096, 16384, 81920] as const
export const MAX_FRAME = 81920 - HEADROOM - SHARED_INFO

/** Behind struct sk_buff in a slot: what only the emulator knows of a frame. */
export const PRIV = {
  /** Number of the frame since the machine was made, from 1, for traces. */
  frame: 224,
  /** Order of arrival in a ranked queue (skb/ranked.ts). */
  order: 228,
  bufferClass: 232,
  /** 1 + id of the sending socket (WireFrame.flow), 0: none. */
  flow: 236,
  /** Bit 0: tcp, bit 1: ooo_okay. */
  flowFlags: 240,
  /** 1 + receive queue that the sending socket remembers (sk_rx_queue_mapping), 0: none. */
  rxQueue: 244,
  /** Bytes of metadata that an XDP program left before the Ethernet header (skb_shared_info.meta_len). */
  meta: 248,
  /** 1: a BPF program holds it, in a map or an object. */
  owner: 252,
} as const

/** How a frame can end that is no drop. Every other word is a drop reason. */
export const TRANSMITTED = 'transmitted'
export const DELIVERED = 'delivered'
/** The end of what was never a frame of the machine (a test run's), which no account shows. */
export const CONSUMED = 'consumed'

export class Skbs {
  readonly mem: Memory
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly u32: Uint32Array
  /** Frames that are somewhere: allocated and not freed. */
  held = 0
  /** Frames made since boot, copies included. */
  made = 0
  /** How frames ended: TRANSMITTED, DELIVERED or a drop reason -> count. */
  readonly ends = new Map<string, number>()
  readonly #f64: Float64Array
  #top: number = PACKETS
  #end: number = PACKETS_END
  readonly #slots: number[] = []
  /** First slots of what was cut up, and slots at addresses from earlier processes. */
  readonly #bases: number[] = []
  readonly #claimed: number[] = []
  readonly #buffers: number[][] = [[], [], []]

  constructor(mem: Memory) {
    this.mem = mem
    this.u8 = mem.u8
    this.u16 = mem.u16
    this.u32 = mem.u32
    this.#f64 = new Float64Array(mem.u8.buffer)
  }

  /** An skb around a copy of the frame, data at its first byte; 0 when the slab is exhausted or the frame too long. */
  alloc(frame: Uint8Array): number {
    const skb = this.allocRoom(frame.length)
    if (skb !== 0) this.u8.set(frame, this.u32[(skb + SKB.data) >> 2]!)
    return skb
  }

  /** An skb with `size` bytes of unspecified content. */
  allocRoom(size: number): number {
    const kind = size <= 4096 - HEADROOM - SHARED_INFO ? 0 : size <= 16384 - HEADROOM - SHARED_INFO ? 1 : 2
    if (size > MAX_FRAME) return 0
    const skb = this.#slots.pop() ?? this.#moreSlots()
    if (skb === 0) return 0
    const head = this.#buffers[kind]!.pop() ?? this.#carve(CLASSES[kind]!)
    if (head === 0) {
      this.#slots.push(skb)
      return 0
    }
    this.held += 1
    this.made += 1
    this.#init(skb, head, kind, size)
    return skb
  }

  #init(skb: number, head: number, kind: number, size: number): void {
    const { u32 } = this
    // A loop over doubles: fill() on shared memory takes five times as long for so few bytes.
    for (let at = skb >> 3, end = (skb + SLOT) >> 3; at < end; at += 1) this.#f64[at] = 0
    u32[(skb + PRIV.bufferClass) >> 2] = kind
    u32[(skb + SKB.head) >> 2] = head
    u32[(skb + SKB.data) >> 2] = head + HEADROOM
    u32[(skb + SKB.tail) >> 2] = HEADROOM + size
    u32[(skb + SKB.end) >> 2] = CLASSES[kind]! - SHARED_INFO
    u32[(skb + SKB.len) >> 2] = size
    u32[(skb + SKB.truesize) >> 2] = CLASSES[kind]!
    u32[(skb + SKB.users) >> 2] = 1
    this.u16[(skb + SKB.transport_header) >> 1] = 0xffff
  }

  /**
   * An skb at an address that it had in an earlier process, since pointers to it lie in maps. All such addresses are claimed before
   * anything is allocated: `pins` says between which they lie.
   */
  claim(skb: number, size: number): boolean {
    const kind = size <= 4096 - HEADROOM - SHARED_INFO ? 0 : size <= 16384 - HEADROOM - SHARED_INFO ? 1 : 2
    const head = this.#buffers[kind]!.pop() ?? this.#carve(CLASSES[kind]!)
    if (head === 0) return false
    this.#claimed.push(skb)
    this.held += 1
    this.#init(skb, head, kind, size)
    return true
  }

  /** Frames that programs hold, by the mark in their slots. */
  owned(): number[] {
    const slots = this.#bases.flatMap((base) => Array.from({ length: FIRST_SLOTS }, (_, i) => base + i * SLOT))
    return [...this.#claimed, ...slots].filter((skb) => this.u32[(skb + PRIV.owner) >> 2] === 1)
  }

  /** Keeps the slab off a range of addresses: it grows in the wider part of what is left. */
  keepOff(from: number, to: number): void {
    if (from - PACKETS > PACKETS_END - to) this.#end = from
    else this.#top = to + SLOT
  }

  #moreSlots(): number {
    const base = this.#carve(SLOT * FIRST_SLOTS)
    if (base === 0) return 0
    this.#bases.push(base)
    for (let i = FIRST_SLOTS - 1; i > 0; i -= 1) this.#slots.push(base + i * SLOT)
    return base
  }

  #carve(size: number): number {
    if (this.#top + size > this.#end) return 0
    const at = this.#top
    this.#top += size
    return at
  }

  /** The one end of every frame. */
  free(skb: number, why: string): void {
    if (why !== CONSUMED) this.ends.set(why, (this.ends.get(why) ?? 0) + 1)
    this.held -= 1
    this.#buffers[this.u32[(skb + PRIV.bufferClass) >> 2]!]!.push(this.u32[(skb + SKB.head) >> 2]!)
    this.#slots.push(skb)
  }

  /** A full copy (skb_copy): struct, headroom and data. 0 when there is no memory. */
  copy(skb: number): number {
    const { u32, u8 } = this
    const kind = u32[(skb + PRIV.bufferClass) >> 2]!
    const copy = this.allocRoom(kind === 0 ? 0 : CLASSES[kind]! - HEADROOM - SHARED_INFO)
    if (copy === 0) return 0
    const from = u32[(skb + SKB.head) >> 2]!
    const to = u32[(copy + SKB.head) >> 2]!
    u8.copyWithin(copy, skb, skb + SLOT)
    u32[(copy + SKB.head) >> 2] = to
    u32[(copy + SKB.data) >> 2] = u32[(skb + SKB.data) >> 2]! - from + to
    u32[(copy + SKB.next) >> 2] = 0
    u8.copyWithin(to, from, from + u32[(skb + SKB.tail) >> 2]!)
    return copy
  }

  len(skb: number): number {
    return this.u32[(skb + SKB.len) >> 2]!
  }

  data(skb: number): number {
    return this.u32[(skb + SKB.data) >> 2]!
  }

  head(skb: number): number {
    return this.u32[(skb + SKB.head) >> 2]!
  }

  get32(skb: number, field: number): number {
    return this.u32[(skb + field) >> 2]!
  }

  set32(skb: number, field: number, value: number): void {
    this.u32[(skb + field) >> 2] = value
  }

  get16(skb: number, field: number): number {
    return this.u16[(skb + field) >> 1]!
  }

  set16(skb: number, field: number, value: number): void {
    this.u16[(skb + field) >> 1] = value
  }

  next(skb: number): number {
    return this.u32[(skb + SKB.next) >> 2]!
  }

  setNext(skb: number, next: number): void {
    this.u32[(skb + SKB.next) >> 2] = next
  }

  /** skb->tstamp in ns, as a double: exact to 104 days. */
  tstamp(skb: number): number {
    return this.u32[(skb + SKB.tstamp) >> 2]! + this.u32[(skb + SKB.tstamp + 4) >> 2]! * 0x100000000
  }

  setTstamp(skb: number, ns: number): void {
    this.u32[(skb + SKB.tstamp) >> 2] = ns >>> 0
    this.u32[(skb + SKB.tstamp + 4) >> 2] = Math.floor(ns / 0x100000000)
  }

  /** A copy of the bytes from data to the end. */
  bytes(skb: number): Uint8Array {
    const data = this.data(skb)
    return this.u8.slice(data, data + this.len(skb))
  }

  /** skb_push: moves data down; false when the headroom is too short. */
  push(skb: number, n: number): boolean {
    const { u32 } = this
    const data = u32[(skb + SKB.data) >> 2]! - n
    if (data < u32[(skb + SKB.head) >> 2]!) return false
    u32[(skb + SKB.data) >> 2] = data
    u32[(skb + SKB.len) >> 2]! += n
    return true
  }

  pull(skb: number, n: number): void {
    this.u32[(skb + SKB.data) >> 2]! += n
    this.u32[(skb + SKB.len) >> 2]! -= n
  }

  /** pskb_trim: cuts the end. */
  trim(skb: number, len: number): void {
    const { u32 } = this
    if (len >= u32[(skb + SKB.len) >> 2]!) return
    u32[(skb + SKB.len) >> 2] = len
    u32[(skb + SKB.tail) >> 2] = u32[(skb + SKB.data) >> 2]! - u32[(skb + SKB.head) >> 2]! + len
  }

  /** bpf_compute_data_pointers: data_meta and data_end into the end of cb. */
  computeDataPointers(skb: number): void {
    const { u32 } = this
    const data = u32[(skb + SKB.data) >> 2]!
    const cb = skb + SKB.cb
    u32[(cb + BPF_CB.data_meta) >> 2] = data - u32[(skb + PRIV.meta) >> 2]!
    u32[(cb + BPF_CB.data_meta + 4) >> 2] = 0
    u32[(cb + BPF_CB.data_end) >> 2] = data + u32[(skb + SKB.len) >> 2]!
    u32[(cb + BPF_CB.data_end + 4) >> 2] = 0
  }

  /** qdisc_skb_cb(skb)->pkt_len, which qdiscs count by. */
  pktLen(skb: number): number {
    return this.u32[(skb + SKB.cb + QDISC_CB.pkt_len) >> 2]!
  }

  setPktLen(skb: number, len: number): void {
    this.u32[(skb + SKB.cb + QDISC_CB.pkt_len) >> 2] = len
  }
}
