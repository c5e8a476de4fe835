// Two maps for engine tests and benches, laid out as pkg/map/types.ts says, with the helpers that programs call on them.
import { hashKey } from '../../pkg/map/hash-function.js'
import type { ArrayJit, HashJit } from '../../pkg/map/types.js'
import { AT, memory, type TestHost } from './machine.js'

interface TestMap {
  lookup(key: number): number
  update(key: number, value: number): number
}

const tables = new WeakMap<TestHost, Map<number, TestMap>>()

/** Registers bpf_map_lookup_elem and bpf_map_update_elem for the maps of this host. */
function add(host: TestHost, id: number, map: TestMap): void {
  let table = tables.get(host)
  if (table === undefined) {
    tables.set(host, table = new Map())
    const known = table
    host.helpers.set(1, { ret: 'uint', call: (addr, key) => known.get(addr)!.lookup(key) })
    host.helpers.set(2, { ret: 'int', call: (addr, key, value) => known.get(addr)!.update(key, value) })
  }
  table.set(host.mapAddr(id), map)
}

export function arrayMap(host: TestHost, id: number, base: number, facts: Omit<ArrayJit, 'kind' | 'base'>): ArrayJit {
  const { view, u8 } = memory()
  const jit: ArrayJit = { kind: 'array', base, ...facts }
  const lookup = (key: number): number => {
    const index = view.getUint32(key, true)
    if (index >= facts.maxEntries) return 0
    return base + index * facts.stride + (facts.cpuStride ?? 0) * view.getUint32(AT.cpu, true)
  }
  add(host, id, { lookup, update: (key, value) => copy(u8, value, lookup(key), facts.stride) })
  host.maps.set(id, jit)
  return jit
}

function copy(u8: Uint8Array, from: number, to: number, bytes: number): number {
  if (to === 0) return -2
  u8.copyWithin(to, from, from + bytes)
  return 0
}

export interface HashFacts { keySize: number, valueSize: number, buckets: number, cpus?: number, lru?: boolean }

/** A chained hash that never deletes: heads at `base`, elements behind them. */
export function hashMap(host: TestHost, id: number, base: number, facts: HashFacts): HashJit {
  const { view, u8 } = memory()
  const value = 8 + ((facts.keySize + 7) & ~7)
  const stride = (facts.valueSize + 7) & ~7
  const size = value + stride * (facts.cpus ?? 1) + 8
  const jit: HashJit = {
    kind: 'hash', buckets: base, mask: facts.buckets - 1, seed: 0x1234567, keySize: facts.keySize, valueOffset: value,
    ...(facts.cpus === undefined ? {} : { cpuStride: stride }), ...(facts.lru === true ? { refOffset: size - 8 } : {}),
  }
  let next = base + facts.buckets * 4
  const element = (key: number): number => {
    const hash = hashKey(u8, key, facts.keySize, jit.seed)
    let at = view.getUint32(base + 4 * (hash & jit.mask), true)
    while (at !== 0 && !sameKey(u8, at + 8, key, facts.keySize)) at = view.getUint32(at, true)
    return at
  }
  const lookup = (key: number): number => {
    const at = element(key)
    if (at === 0) return 0
    if (jit.refOffset !== undefined) view.setUint32(at + jit.refOffset, 1, true)
    return at + value + (jit.cpuStride ?? 0) * view.getUint32(AT.cpu, true)
  }
  const insert = (key: number): number => {
    const hash = hashKey(u8, key, facts.keySize, jit.seed)
    const head = base + 4 * (hash & jit.mask)
    view.setUint32(next, view.getUint32(head, true), true)
    view.setUint32(next + 4, hash, true)
    u8.copyWithin(next + 8, key, key + facts.keySize)
    view.setUint32(head, next, true)
    next += size
    return next - size
  }
  u8.fill(0, base, next)
  add(host, id, {
    lookup,
    update: (key, from) => {
      if (element(key) === 0) insert(key)
      return copy(u8, from, lookup(key), facts.valueSize)
    },
  })
  host.maps.set(id, jit)
  return jit
}

function sameKey(u8: Uint8Array, a: number, b: number, size: number): boolean {
  for (let n = 0; n < size; n++) if (u8[a + n] !== u8[b + n]) return false
  return true
}
