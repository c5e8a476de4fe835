// PIFO maps against a model of a few lines: order, window, refusals, the user's view, and frames that a map keeps for the next process.
import t from 'tap'
import { KernelError } from '../../pkg/bytes/errors.js'
import type { BpfMap, FrameQueue, FrameStore } from '../../pkg/map/types.js'
import { mapKind } from '../../pkg/map/kinds.js'
import { KERNEL_STRUCTS } from '../../pkg/mem/layout.js'
import { MAP_TYPE } from '../../pkg/uapi/bpf.js'
import { E2BIG, EINVAL, ENOENT, ENOTSUPP, EOVERFLOW, EPERM, ERANGE } from '../../pkg/uapi/errno.js'
import { RFC_MAP_TYPE } from '../../pkg/uapi/rfc.js'
import { TestHost } from './host.js'

const VALUE = KERNEL_STRUCTS + 64
const { PIFO_GENERIC, PIFO_XDP } = RFC_MAP_TYPE

/** Section 3 of the proposal's description, with plain arrays. */
class Model {
  min = 0
  readonly buckets: number[][]
  primary: number[][]
  secondary: number[][]
  count = 0
  readonly #max: number
  readonly #range: number

  constructor(max: number, range: number) {
    this.#max = max
    this.#range = range
    this.buckets = []
    this.primary = Array.from({ length: range }, () => [])
    this.secondary = Array.from({ length: range }, () => [])
  }

  push(rank: number, value: number): number {
    if (this.count >= this.#max) return -EOVERFLOW
    if (rank < this.min) return -ERANGE
    const i = Math.min(rank - this.min, 2 * this.#range - 1)
    const list = i < this.#range ? this.primary[i]! : this.secondary[i - this.#range]!
    list.push(value)
    this.count += 1
    return 0
  }

  pop(): { rank: number; value: number } | undefined {
    if (this.count === 0) return undefined
    if (this.primary.every((list) => list.length === 0)) {
      ;[this.primary, this.secondary] = [this.secondary, this.primary]
      this.min += this.#range
    }
    const bucket = this.primary.findIndex((list) => list.length > 0)
    this.count -= 1
    return { rank: bucket + this.min, value: this.primary[bucket]!.shift()! }
  }

  ranks(): [number, number][] {
    return [...this.primary, ...this.secondary].flatMap((list, i): [number, number][] => (list.length > 0 ? [[this.min + i, list.length]] : []))
  }
}

function word(host: TestHost, value: number): number {
  host.mem.u32[VALUE >> 2] = value
  return VALUE
}

const key = (rank: number): Uint8Array => new Uint8Array(Uint32Array.of(rank).buffer)
const number = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)

/** What user space sees: rank and count of every bucket that is not empty. */
function view(map: BpfMap): [number, number][] {
  const found: [number, number][] = []
  for (let at = map.sysNextKey(undefined); at; at = map.sysNextKey(at)) found.push([number(at), number(map.sysLookup(at, 0))])
  return found
}

function errno(work: () => unknown): number {
  try {
    work()
  } catch (error) {
    if (error instanceof KernelError) return error.errno
    throw error
  }
  return 0
}

const generic = (host: TestHost, entries: number, extra: number, value = 4): BpfMap => host.create({ type: PIFO_GENERIC, key: 4, value, entries, extra })

t.test('random pushes and pops are the model\'s', async (t) => {
  for (const [range, entries] of [[1, 5], [2, 50], [64, 40], [128, 300], [8192, 200], [65536, 100]] as const) {
    const host = new TestHost()
    const map = generic(host, entries, range)
    const model = new Model(entries, range)
    let pushed = 0
    for (let i = 0; i < 3000; i += 1) {
      const draw = host.random32()
      if ((draw & 3) !== 0 && i % 900 < 600) {
        const rank = model.min - Math.min(model.min, 3) + (((draw >>> 8) % (3 * range + 7)) >>> ((draw >>> 4) & 3))
        pushed += 1
        const wanted = model.push(rank, pushed)
        const got = map.push!(word(host, pushed), rank, 0)
        if (got !== wanted) return t.fail(`push ${rank}: ${got}, not ${wanted}`)
      } else {
        const wanted = model.pop()
        const got = map.pop!(VALUE)
        if (got !== (wanted ? 0 : -ENOENT)) return t.fail(`pop: ${got}`)
        if (wanted && host.mem.u32[VALUE >> 2] !== wanted.value) return t.fail(`pop ${host.mem.u32[VALUE >> 2]}, not ${wanted.value}`)
      }
      if (i % 100 === 0 && JSON.stringify(view(map)) !== JSON.stringify(model.ranks())) return t.fail('the view differs')
    }
    t.strictSame(view(map), model.ranks(), `range ${range}`)
  }
})

t.test('what creation refuses', async (t) => {
  const host = new TestHost()
  const base = { type: PIFO_GENERIC, key: 4, value: 8, entries: 4, extra: 8 }
  const made = (more: object): number => errno(() => host.attr({ ...base, ...more }))
  t.equal(made({}), 0)
  t.equal(made({ flags: 4 | 8 }), 0)
  for (const bad of [{ key: 8 }, { value: 0 }, { entries: 0 }, { extra: 0 }, { extra: 3 }, { extra: 2 ** 32 }, { flags: 1 }, { flags: 0x80 }, { flags: 8 | 16 }]) {
    t.equal(made(bad), EINVAL, JSON.stringify(bad))
  }
  t.equal(made({ value: 1 << 20, entries: 1 << 20 }), E2BIG)
  t.equal(made({ type: PIFO_XDP }), EINVAL, 'a frame map counts in four bytes')
  t.equal(made({ type: PIFO_XDP, value: 4 }), 0)
  t.equal(made({ type: MAP_TYPE.ARRAY }), EINVAL, 'map_extra is for these types only')
  t.equal(host.attr({ ...base, type: PIFO_XDP, value: 4 }).flags, 0x80, 'programs only read it')
  const { attr } = generic(host, 4, 8)
  t.equal(errno(() => mapKind(PIFO_GENERIC).check({ ...attr, btfKeyTypeId: 1 }, host)), ENOTSUPP)
})

t.test('ranks', async (t) => {
  const host = new TestHost()
  const map = generic(host, 3, 8)
  t.equal(map.push!(word(host, 1), 0, 0x10000000), -EINVAL, 'the upper four bits are reserved')
  t.equal(map.push!(word(host, 1), 0, 0x0fffffff), 0, 'beyond the window: the last bucket')
  t.strictSame(view(map), [[15, 1]])
  t.equal(map.push!(word(host, 2), 15, 0), 0)
  t.equal(map.push!(word(host, 3), 0, 0), 0)
  t.equal(map.push!(word(host, 4), 1, 0), -EOVERFLOW)
  const popped = [0, 1, 2].map(() => (map.pop!(VALUE), host.mem.u32[VALUE >> 2]))
  t.strictSame(popped, [3, 1, 2], 'first in, first out among those')
  t.equal(map.pop!(VALUE), -ENOENT)
  t.equal(map.push!(word(host, 4), 7, 0), -ERANGE, 'the window has moved by one range')
  t.equal(map.push!(word(host, 4), 8, 0), 0)
  t.equal(map.peek!(VALUE), -EINVAL)
})

t.test('an empty map does not rotate', async (t) => {
  const host = new TestHost()
  const map = generic(host, 3, 8)
  map.push!(word(host, 1), 3, 0)
  map.pop!(VALUE)
  for (let i = 0; i < 3; i += 1) t.equal(map.pop!(VALUE), -ENOENT)
  t.equal(map.push!(word(host, 1), 0, 0), 0)
})

t.test('the window passes 32 bits', async (t) => {
  const host = new TestHost()
  const map = generic(host, 2, 2 ** 20)
  for (let i = 0; i < 4097; i += 1) {
    map.push!(word(host, i), 0xffffffff, 0x0fffffff)
    if (map.pop!(VALUE) !== 0) return t.fail(`pop ${i}`)
  }
  t.equal(map.push!(word(host, 1), 0xffffffff, 0), -ERANGE)
  t.equal(map.push!(word(host, 7), 2 ** 20, 1), 0)
  t.strictSame(view(map), [[2 ** 20, 1]], 'shown and asked for as 32 bits')
})

t.test('the user\'s view', async (t) => {
  const host = new TestHost()
  const map = generic(host, 10, 8, 8)
  for (const rank of [2, 2, 9, 14]) map.push!(word(host, rank), rank, 0)
  t.strictSame(map.sysLookup(key(2), 0), new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0]), 'a count, filled up with zeros')
  t.equal(number(map.sysLookup(key(3), 0)), 0, 'an empty bucket of the window')
  t.equal(errno(() => map.sysLookup(key(16), 0)), ENOENT)
  t.equal(number(map.sysNextKey(key(2))!), 9)
  t.equal(number(map.sysNextKey(key(0xffffffff))!), 2)
  t.equal(map.sysNextKey(key(14)), undefined)
  t.equal(map.sysNextKey(key(1000)), undefined)
  t.equal(errno(() => map.sysUpdate(key(2), new Uint8Array(8), 0)), EINVAL)
  t.equal(errno(() => map.sysDelete(key(2))), EINVAL)
  const none = new Uint8Array()
  map.sysUpdate(none, new Uint8Array([9, 9, 9, 9, 9, 9, 9, 9]), 1)
  t.strictSame(map.sysLookupAndDelete!(none, 0), new Uint8Array([9, 9, 9, 9, 9, 9, 9, 9]), 'pushed by its rank, popped first')
  t.strictSame(map.counters!().slice(0, 2), [['queued', 4], ['enqueued', 5]])
  const readOnly = host.create({ type: PIFO_GENERIC, key: 4, value: 4, entries: 1, extra: 1, flags: 8 })
  t.equal(errno(() => readOnly.sysUpdate(none, new Uint8Array(4), 0)), EPERM)
})

t.test('frames', async (t) => {
  const host = new TestHost()
  const kept = new Map<number, [number, number][]>()
  const queues = new Map<number, FrameQueue>()
  const freed: [number, string][] = []
  const frames: FrameStore = {
    adopt(id, queue) {
      queues.set(id, queue)
      for (const [place, frame] of kept.get(id) ?? []) queue.put(place, frame)
    },
    release: (id) => void queues.delete(id),
    free: (frame, why) => void freed.push([frame, why]),
  }
  Object.assign(host, { frames })
  const map = host.create({ type: PIFO_XDP, key: 4, value: 4, entries: 5, extra: 8 }) as BpfMap & FrameQueue
  const frame = (n: number): number => KERNEL_STRUCTS + 0x1000 + n * 256
  for (const [n, rank] of [[0, 5], [1, 5], [2, 2], [3, 12]] as const) t.equal(map.enqueue(frame(n), rank, 0), 0)
  t.equal(map.dequeue(), frame(2))
  t.strictSame([map.rankLow, map.rankHigh], [2, 0])
  kept.set(map.attr.id, [...queues.get(map.attr.id)!.waiting()].map(([place, at]) => [place, at + 0x100000]))
  const next = mapKind(PIFO_XDP).open(map.attr, map.region, host) as BpfMap & FrameQueue
  t.equal(next.length, 3)
  t.strictSame([next.dequeue(), next.rankLow], [frame(0) + 0x100000, 5])
  t.strictSame([next.dequeue(), next.rankLow], [frame(1) + 0x100000, 5])
  t.equal(next.enqueue(frame(7), 12, 0), 0)
  next.destroy()
  t.strictSame(freed, [[frame(3) + 0x100000, 'PIFO_MAP_FREED'], [frame(7), 'PIFO_MAP_FREED']])
  t.equal(queues.size, 0)
  t.equal(next.dequeue(), 0)
})
