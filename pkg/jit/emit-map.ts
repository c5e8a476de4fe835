// bpf_map_lookup_elem as wasm, for arrays and chained hashes, from the facts a map tells (pkg/map/types.ts MapJit). The hash is
// the one of pkg/map/hash-function.ts.
import type { ArrayJit, HashJit, MapJit } from '../map/types.js'
import { I32, MEM, OP, type FuncBuilder } from '../wasm/index.js'
import type { Fn } from './fn.js'

/** Wider keys go through the helper: the comparison would be longer than the call. */
const WIDEST_KEY = 64

export const canInline = (map: MapJit | undefined): map is MapJit =>
  map !== undefined && (map.kind === 'array' || map.keySize <= WIDEST_KEY)

/** r0 = pointer to the value of the key at r2, or 0. */
export function emitLookup(fn: Fn, map: MapJit): void {
  const { f } = fn
  const result = f.borrow(I32)
  if (map.kind === 'array') emitArray(fn, map, result)
  else emitHash(fn, map, result)
  f.get(result)
  fn.set32(0)
  f.free(I32, result)
}

/** index < maxEntries ? base + index * stride : 0 */
function emitArray(fn: Fn, map: ArrayJit, result: number): void {
  const { f } = fn
  const offset = fn.addr(2, 0)
  f.mem(MEM.i32_load, offset)
  f.tee(result)
  f.i32(map.maxEntries)
  f.op(OP.i32_lt_u)
  const inside = f.if(I32)
  f.get(result)
  scale(f, map.stride)
  f.i32(map.base)
  f.op(OP.i32_add)
  addCpu(fn, map.cpuStride)
  f.else()
  f.i32(0)
  f.end(inside)
  f.set(result)
}

function scale(f: FuncBuilder, stride: number): void {
  if (stride === 1) return
  const shift = Math.log2(stride)
  f.i32(Number.isInteger(shift) ? shift : stride)
  f.op(Number.isInteger(shift) ? OP.i32_shl : OP.i32_mul)
}

/** + cpu * cpuStride */
function addCpu(fn: Fn, cpuStride: number | undefined): void {
  if (cpuStride === undefined) return
  const { f } = fn
  f.i32(fn.unit.host.cpuAddr)
  f.mem(MEM.i32_load)
  f.i32(cpuStride)
  f.op(OP.i32_mul)
  f.op(OP.i32_add)
}

/** for (e = heads[hash & mask]; e; e = e->next) if (e->hash == hash && e->key == key) return &e->value; return 0 */
function emitHash(fn: Fn, map: HashJit, result: number): void {
  const { f } = fn
  const key = f.borrow(I32)
  const hash = f.borrow(I32)
  fn.get32(2)
  f.set(key)
  emitHashFunction(f, map, key, hash)
  f.get(hash)
  f.i32(map.mask)
  f.op(OP.i32_and)
  f.i32(2)
  f.op(OP.i32_shl)
  f.i32(map.buckets)
  f.op(OP.i32_add)
  emitChain(fn, map, { key, hash, result })
  f.free(I32, hash)
  f.free(I32, key)
}

interface Chain { key: number, hash: number, result: number }

/** From the address of the bucket's head on the stack. */
function emitChain(fn: Fn, map: HashJit, at: Chain): void {
  const { f } = fn
  f.mem(MEM.i32_load)
  f.set(at.result)
  const found = f.block()
  const walk = f.loop()
  f.get(at.result)
  f.op(OP.i32_eqz)
  f.brIf(found)
  const differs = f.block()
  f.get(at.result)
  f.mem(MEM.i32_load, 4)
  f.get(at.hash)
  f.op(OP.i32_ne)
  f.brIf(differs)
  emitKeyCompare(f, map.keySize, at, differs)
  emitHit(fn, map, at.result)
  f.br(found)
  f.end(differs)
  f.get(at.result)
  f.mem(MEM.i32_load)
  f.set(at.result)
  f.br(walk)
  f.end(walk)
  f.end(found)
}

/** result = address of the value, after leaving LRU's mark. */
function emitHit(fn: Fn, map: HashJit, result: number): void {
  const { f } = fn
  if (map.refOffset !== undefined) {
    f.get(result)
    f.i32(1)
    f.mem(MEM.i32_store, map.refOffset)
  }
  f.get(result)
  f.i32(map.valueOffset)
  f.op(OP.i32_add)
  addCpu(fn, map.cpuStride)
  f.set(result)
}

/** Branches away when some bytes of the key differ: eight, four, two, one at a time. */
function emitKeyCompare(f: FuncBuilder, keySize: number, at: Chain, differs: ReturnType<FuncBuilder['block']>): void {
  for (let done = 0; done < keySize;) {
    const rest = keySize - done
    const [bytes, load] = rest >= 8 ? [8, MEM.i64_load] as const : rest >= 4 ? [4, MEM.i32_load] as const
      : rest >= 2 ? [2, MEM.i32_load16_u] as const : [1, MEM.i32_load8_u] as const
    f.get(at.key)
    f.mem(load, done)
    f.get(at.result)
    f.mem(load, 8 + done)
    f.op(bytes === 8 ? OP.i64_ne : OP.i32_ne)
    f.brIf(differs)
    done += bytes
  }
}

function emitHashFunction(f: FuncBuilder, map: HashJit, key: number, hash: number): void {
  f.i32(map.seed)
  for (let at = 0; at < map.keySize; at += 4) {
    word(f, key, at, map.keySize - at)
    f.op(OP.i32_xor)
    f.i32(0x9e3779b1 | 0)
    f.op(OP.i32_mul)
    foldDown(f, hash, 15)
  }
  foldDown(f, hash, 16)
  f.i32(0x85ebca6b | 0)
  f.op(OP.i32_mul)
  foldDown(f, hash, 13)
  f.set(hash)
}

/** h ^ (h >>> bits) */
function foldDown(f: FuncBuilder, hash: number, bits: number): void {
  f.tee(hash)
  f.get(hash)
  f.i32(bits)
  f.op(OP.i32_shr_u)
  f.op(OP.i32_xor)
}

/** The word of the key at `at`, a short last one zero-extended. */
function word(f: FuncBuilder, key: number, at: number, rest: number): void {
  f.get(key)
  if (rest >= 4) return f.mem(MEM.i32_load, at)
  if (rest === 1) return f.mem(MEM.i32_load8_u, at)
  f.mem(MEM.i32_load16_u, at)
  if (rest === 2) return
  f.get(key)
  f.mem(MEM.i32_load8_u, at + 2)
  f.i32(16)
  f.op(OP.i32_shl)
  f.op(OP.i32_or)
}
