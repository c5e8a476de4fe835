// Maps from the side of programs: pointers, per-CPU values, LRU, references, what the JIT emits against, and that all survives reopening.
import t from 'tap'
import { hashKey } from '../../pkg/map/hash-function.js'
import type { BpfMap, HashJit } from '../../pkg/map/types.js'
import { KERNEL_STRUCTS } from '../../pkg/mem/layout.js'
import { E2BIG, ENOENT } from '../../pkg/uapi/errno.js'
import { MAP_F, MAP_TYPE, PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { TestHost } from './host.js'

const KEY = KERNEL_STRUCTS
const VALUE = KERNEL_STRUCTS + 64

function key(host: TestHost, ...bytes: number[]): number {
  host.mem.u8.set(bytes, KEY)
  return KEY
}

function word(host: TestHost, value: number, at = VALUE): number {
  host.mem.u32[at >> 2] = value
  return at
}

function bytes(...words: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(words).buffer)
}

/** Keys in get_next_key order, as first words. */
function keys(map: BpfMap): number[] {
  const found: number[] = []
  for (let at = map.sysNextKey(undefined); at; at = map.sysNextKey(at)) found.push(at[0]!)
  return found
}

t.test('per-CPU values', async (t) => {
  for (const type of [MAP_TYPE.PERCPU_HASH, MAP_TYPE.PERCPU_ARRAY, MAP_TYPE.LRU_PERCPU_HASH]) {
    const host = new TestHost()
    const map = host.create({ type, key: 4, value: 4, entries: 4 })
    host.now = 1
    t.equal(map.update(word(host, 2, KEY), word(host, 77), 0), 0)
    const mine = map.lookup(KEY)
    t.equal(host.mem.u32[mine >> 2], 77)
    host.now = 0
    t.equal(mine - map.lookup(KEY), 8)
    t.equal(map.lookupPercpu!(KEY, 1), mine)
    t.same(map.sysLookup(bytes(2), 0), bytes(0, 0, 77, 0))
    map.sysUpdate(bytes(2), bytes(5, 0, 6, 0), 0)
    t.equal(host.mem.u32[mine >> 2], 6)
    t.throws(() => map.sysUpdate(bytes(2), bytes(5), 0), { message: 'EINVAL' })
  }
})

t.test('an LRU map gives up what nobody used', async (t) => {
  const host = new TestHost()
  const map = host.create({ type: MAP_TYPE.LRU_HASH, key: 4, value: 4, entries: 4 })
  for (const n of [1, 2, 3, 4]) map.update(word(host, n, KEY), VALUE, 0)
  map.lookup(word(host, 1, KEY))
  map.lookup(word(host, 2, KEY))
  map.sysLookup(bytes(3), 0)
  map.update(word(host, 5, KEY), VALUE, 0)
  t.same(keys(map).sort(), [1, 2, 4, 5], 'looking from user space is no use')
  const again = host.reopen(map)
  again.update(word(host, 6, KEY), VALUE, 0)
  t.same(keys(again).sort(), [1, 2, 5, 6])
  for (let n = 10; n < 1000; n += 1) t.equal(again.update(word(host, n, KEY), VALUE, 0), 0)
  t.equal(keys(again).length, 4)
  t.equal(again.delete(word(host, 999, KEY)), 0)
  t.equal(again.update(word(host, 1001, KEY), VALUE, 0), 0)
  t.equal(keys(again).length, 4)
})

t.test('lists of their own a CPU round max_entries up', async (t) => {
  t.equal(new TestHost().attr({ type: MAP_TYPE.LRU_HASH, key: 4, value: 4, entries: 5, flags: MAP_F.NO_COMMON_LRU }).maxEntries, 6)
})

/** The walk that the JIT emits. */
function walk(host: TestHost, jit: HashJit, at: number): number {
  const { u32, u8 } = host.mem
  const hash = hashKey(u8, at, jit.keySize, jit.seed)
  for (let elem = u32[(jit.buckets >> 2) + (hash & jit.mask)]!; elem !== 0; elem = u32[elem >> 2]!) {
    if (u32[(elem + 4) >> 2] !== hash) continue
    if (u8.subarray(elem + 8, elem + 8 + jit.keySize).every((byte, i) => byte === u8[at + i])) return elem + jit.valueOffset
  }
  return 0
}

t.test('what the JIT knows finds what lookup finds', async (t) => {
  for (const [type, size] of [[MAP_TYPE.HASH, 3], [MAP_TYPE.HASH, 4], [MAP_TYPE.HASH, 13], [MAP_TYPE.LRU_HASH, 8], [MAP_TYPE.PERCPU_HASH, 16]] as const) {
    const host = new TestHost()
    const map = host.create({ type, key: size, value: 12, entries: 300 })
    const random = (): number[] => Array.from({ length: size }, () => host.random32() >>> 24)
    const known = Array.from({ length: 300 }, random)
    known.forEach((bytes) => map.update(key(host, ...bytes), VALUE, 0))
    known.slice(0, 150).forEach((bytes) => map.delete(key(host, ...bytes)))
    known.slice(0, 60).forEach((bytes) => map.update(key(host, ...bytes), VALUE, 0))
    const jit = map.jit as HashJit
    const wrong = [...known, ...Array.from({ length: 50 }, random)].filter((bytes) => walk(host, jit, key(host, ...bytes)) !== map.lookup(KEY))
    t.same(wrong, [])
    t.equal(map.lookup(key(host, ...known[299]!)) > 0, true)
  }
  const host = new TestHost()
  const array = host.create({ type: MAP_TYPE.ARRAY, key: 4, value: 12, entries: 5 })
  const { jit } = array
  t.equal(jit?.kind, 'array')
  t.equal(array.lookup(word(host, 4, KEY)), jit?.kind === 'array' && jit.base + 4 * jit.stride)
})

t.test('a full hash takes no more, and frees are used again', async (t) => {
  const host = new TestHost()
  const map = host.create({ type: MAP_TYPE.HASH, key: 4, value: 4, entries: 100 })
  for (let round = 0; round < 5; round += 1) {
    for (let n = 0; n < 100; n += 1) t.equal(map.update(word(host, n + round, KEY), VALUE, 0), 0)
    t.equal(map.update(word(host, 5000, KEY), VALUE, 0), -E2BIG)
    t.equal(map.delete(word(host, round, KEY)), 0)
  }
  t.equal(keys(host.reopen(map)).length, 99)
})

t.test('a new map is all zeros but for its header', async (t) => {
  const host = new TestHost()
  const map = host.create({ type: MAP_TYPE.HASH, key: 4, value: 8, entries: 100_000 })
  map.sysUpdate(bytes(1), bytes(2, 0), 0)
  const { addr, size } = map.region
  let pages = 0
  for (let at = addr; at < addr + size; at += 16384) if (host.mem.u8.subarray(at, at + 16384).some((byte) => byte !== 0)) pages += 1
  t.equal(pages, 3, 'header, one bucket, one element')
})

t.test('maps of maps hold what they name', async (t) => {
  for (const type of [MAP_TYPE.ARRAY_OF_MAPS, MAP_TYPE.HASH_OF_MAPS]) {
    const host = new TestHost()
    const inner = host.create({ type: MAP_TYPE.HASH, key: 4, value: 4, entries: 4 })
    const outer = host.create({ type, key: 4, value: 4, entries: 4, inner: inner.attr.id })
    t.equal(outer.lookup(word(host, 1, KEY)), 0)
    outer.sysUpdate(bytes(1), bytes(inner.attr.id), 0)
    outer.sysUpdate(bytes(1), bytes(inner.attr.id), 0)
    t.same(host.held, ['map 1'])
    t.equal(host.reopen(outer).lookup(word(host, 1, KEY)), inner.addr)
    t.match(outer.innerAttr, { type: MAP_TYPE.HASH, keySize: 4, valueSize: 4, maxEntries: 4 })
    host.maps.get(outer.attr.id)!.destroy()
    t.same(host.held, [])
  }
})

t.test('a prog_array takes programs of one type', async (t) => {
  const host = new TestHost()
  host.progs.set(4, { type: PROG_TYPE.XDP, attach: 0 })
  const map = host.create({ type: MAP_TYPE.PROG_ARRAY, key: 4, value: 4, entries: 4 })
  t.equal(map.claim!(PROG_TYPE.SCHED_CLS), true)
  t.throws(() => map.sysUpdate(bytes(0), bytes(4), 0), { message: 'EINVAL' })
  const other = host.create({ type: MAP_TYPE.PROG_ARRAY, key: 4, value: 4, entries: 4 })
  other.sysUpdate(bytes(3), bytes(4), 0)
  t.same([other.progAt!(3), other.progAt!(0), other.progAt!(99), other.progAt!(-1)], [4, 0, 0, 0])
  t.equal(host.reopen(other).claim!(PROG_TYPE.SCHED_CLS), false)
  t.equal(other.ownerType!(), PROG_TYPE.XDP)
  other.destroy()
  t.same(host.held, [])
})

t.test('values keep their lock', async (t) => {
  const host = new TestHost()
  const map = host.create({ type: MAP_TYPE.HASH, key: 4, value: 12, entries: 4, fields: [{ kind: 'spin_lock', offset: 4, size: 4 }] })
  map.sysUpdate(bytes(1), bytes(1, 2, 3), 4)
  const at = map.lookup(word(host, 1, KEY))
  t.same([...host.mem.u32.subarray(at >> 2, (at >> 2) + 3)], [1, 0, 3])
  word(host, 9, at + 4)
  host.mem.u32.set([5, 6, 7], VALUE >> 2)
  t.equal(map.update(KEY, VALUE, 4), 0)
  t.same([...host.mem.u32.subarray(at >> 2, (at >> 2) + 3)], [5, 9, 7])
  t.same(map.sysLookup(bytes(1), 4), bytes(5, 0, 7))
  t.equal(map.update(KEY, VALUE, 0), 0)
  t.equal(host.mem.u32[(at + 4) >> 2], 0, 'without F_LOCK it is another element')
})

t.test('a trie on random prefixes agrees with a list', async (t) => {
  const host = new TestHost()
  let trie = host.create({ type: MAP_TYPE.LPM_TRIE, key: 6, value: 4, entries: 60, flags: MAP_F.NO_PREALLOC })
  const list = new Map<string, [bits: number, prefix: number, value: number]>()
  const set = (bits: number, data: number): number => {
    host.mem.view.setUint32(KEY, bits, true)
    host.mem.view.setUint16(KEY + 4, data, false)
    return KEY
  }
  const cut = (bits: number, data: number): number => (bits === 0 ? 0 : data >>> (16 - bits))
  let wrong = 0
  for (let round = 0; round < 4000; round += 1) {
    const bits = host.random32() % 17
    const data = (host.random32() >>> 16) & 0xf0f3
    const name = `${bits}/${cut(bits, data)}`
    if (host.random32() >>> 31 && list.size < 60) {
      if (trie.update(set(bits, data), word(host, round), 0) !== 0) wrong += 1
      list.set(name, [bits, cut(bits, data), round])
    } else if (trie.delete(set(bits, data)) !== (list.delete(name) ? 0 : -ENOENT)) {
      wrong += 1
    }
    const asked = host.random32() >>> 16
    const best = [...list.values()].filter(([b, p]) => p === cut(b, asked)).sort((a, b) => b[0] - a[0])[0]
    const found = trie.lookup(set(16, asked))
    if ((found === 0 ? undefined : host.mem.u32[found >> 2]) !== best?.[2]) wrong += 1
    if (round % 500 === 0) trie = host.reopen(trie)
  }
  t.equal(wrong, 0)
  t.equal(trie.forEach!(() => 0), list.size)
})

t.test('a bloom filter forgets nothing', async (t) => {
  const host = new TestHost()
  const map = host.create({ type: MAP_TYPE.BLOOM_FILTER, key: 0, value: 8, entries: 500 })
  for (let n = 0; n < 500; n += 1) map.push!(word(host, n), 0)
  let missed = 0
  let guessed = 0
  for (let n = 0; n < 500; n += 1) if (map.peek!(word(host, n)) !== 0) missed += 1
  for (let n = 500; n < 5500; n += 1) if (map.peek!(word(host, n)) === 0) guessed += 1
  t.equal(missed, 0)
  t.ok(guessed < 500, `${guessed} of 5000 strangers pass`)
})
