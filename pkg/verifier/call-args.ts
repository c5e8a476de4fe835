// Is each argument of a helper what its prototype asks for? check_func_arg(), check_reg_type(), check_mem_size_reg(),
// check_helper_mem_access() (kernel/bpf/verifier.c).
import * as A from '../helper/arg-types.js'
import { helperText, type Proto } from '../helper/protos.js'
import type { MapAttr } from '../map/types.js'
import { RFC_PROG } from '../skb/ctx.js'
import { FUNC, MAP_TYPE, PROG_TYPE } from '../uapi/bpf.js'
import { EACCES, EINVAL } from '../uapi/errno.js'
import { compatible } from './call-must.js'
import { dynptrSpi, isDynptrSlot, markDynptr } from './dynptr.js'
import type { Env } from './env.js'
import { MAX_VAR_SIZ } from './limits.js'
import { processSpinLock, processTimer } from './lock.js'
import { kptrDest, kptrSource } from './kptr.js'
import { checkPtrOff, readReg } from './marks.js'
import { checkAlignment, insideMapValue, insidePacket, insideRegion, mapPermits } from './mem-region.js'
import { btfAccess } from './btf-access.js'
import { markChainPrecision } from './precision.js'
import { isPacket, type Reg } from './reg.js'
import { frameOf, rangeInitialized, slotAt, stackWrite, withinStack, type RawMode } from './stack.js'
import { isSpilledScalar, slotType } from './state.js'
import { s64 } from './tnum.js'
import * as T from './types.js'

/** struct bpf_call_arg_meta */
export interface Meta {
  readonly proto: Proto
  map: MapAttr | undefined
  mapUid: number
  raw: RawMode
  rawMode: boolean
  releaseReg: number
  refObjId: number
  memSize: number
  maxSize: bigint
  subprog: number
  constKey: number
  dynptrId: number
  dynptrType: number
}

export const newMeta = (proto: Proto): Meta => ({
  proto, map: undefined, mapUid: 0, raw: { regno: 0, size: 0 }, rawMode: false, releaseReg: 0, refObjId: 0, memSize: 0, maxSize: 0n,
  subprog: 0, constKey: -1, dynptrId: 0, dynptrType: 0,
})

/** check_func_arg() */
export function checkArg(env: Env, n: number, meta: Meta): void {
  let arg = meta.proto.args[n]!
  const regno = n + 1
  if (arg === A.ARG_DONTCARE) return
  const r = readReg(env, regno)
  if (arg === A.ARG_ANYTHING) return
  if (isPacket(r.type) && !mayTakePackets(env, meta)) env.fail(EACCES, 'helper access to the packet is not allowed')
  if (T.baseType(arg) === A.ARG_PTR_TO_MAP_VALUE) arg = mapArgType(env, meta, arg)
  if (!(r.isNull && arg & T.PTR_MAYBE_NULL)) {
    checkType(env, regno, arg, n, meta)
    checkOffset(env, r, regno, arg)
  }
  if (arg & T.OBJ_RELEASE) checkRelease(env, r, regno, arg, meta)
  if (r.refObjId !== 0 && !isPacket(r.type) && T.baseType(arg) !== A.ARG_KPTR_XCHG_DEST) {
    if (meta.refObjId !== 0) env.fail(EACCES, `more than one arg with ref_obj_id R${regno} ${r.refObjId} ${meta.refObjId}`)
    meta.refObjId = r.refObjId
  }
  meaning[T.baseType(arg)]?.(env, r, regno, arg, meta, n)
}

const PACKET_READERS: ReadonlySet<number> = new Set([
  PROG_TYPE.SCHED_CLS, PROG_TYPE.SCHED_ACT, PROG_TYPE.XDP, PROG_TYPE.LWT_XMIT, PROG_TYPE.LWT_IN, PROG_TYPE.LWT_OUT, PROG_TYPE.LWT_SEG6LOCAL,
  PROG_TYPE.SK_SKB, PROG_TYPE.SK_MSG, PROG_TYPE.SK_REUSEPORT, PROG_TYPE.FLOW_DISSECTOR, PROG_TYPE.CGROUP_SKB, 0x4011, 0x4001,
])

/** may_access_direct_pkt_data() */
const mayTakePackets = (env: Env, meta: Meta): boolean =>
  PACKET_READERS.has(env.type) && meta.proto.pkt && !(env.input.strict === true && env.type === 0x4001)

/** resolve_map_arg_type(): sockets go into sock maps, and a bloom filter's peek reads its value. */
function mapArgType(env: Env, meta: Meta, arg: number): number {
  const { map } = meta
  if (map === undefined) return env.fail(EACCES, `invalid map_ptr to access map->type`)
  if (map.type === MAP_TYPE.SOCKMAP || map.type === MAP_TYPE.SOCKHASH) {
    if (arg === A.ARG_PTR_TO_MAP_VALUE) return A.ARG_PTR_TO_BTF_ID_SOCK_COMMON
    return env.fail(EINVAL, 'invalid arg_type for sockmap/sockhash')
  }
  if (map.type === MAP_TYPE.BLOOM_FILTER && meta.proto.name === 'map_peek_elem') return A.ARG_PTR_TO_MAP_VALUE
  return arg
}

const DYNPTR_FLAGS = T.DYNPTR_TYPE_LOCAL | T.DYNPTR_TYPE_RINGBUF | T.DYNPTR_TYPE_SKB | T.DYNPTR_TYPE_XDP | T.DYNPTR_TYPE_SKB_META

/** check_reg_type() */
function checkType(env: Env, regno: number, arg: number, n: number, meta: Meta): void {
  const r = env.regs[regno]!
  const base = T.baseType(arg)
  const types = skbForCtx(env, base, meta) ? compatible[A.ARG_PTR_TO_SKB_ONLY] : compatible[base]
  if (types === undefined) return env.missing(`argument type ${base}`)
  let type = r.type
  if (arg & T.MEM_RDONLY) type &= ~T.MEM_RDONLY
  if (arg & T.PTR_MAYBE_NULL) type &= ~T.PTR_MAYBE_NULL
  if (base === A.ARG_PTR_TO_MEM) type &= ~DYNPTR_FLAGS
  if (!types.includes(type)) env.fail(EACCES, `R${regno} type=${T.typeName(r.type)} expected=${types.map(T.typeName).join(', ')}`)
  if (T.baseType(r.type) === T.PTR_TO_BTF_ID) checkBtfType(env, r, regno, arg, n, meta)
}

/** A sch_bpf program's context is no packet: helpers for packets get its skb. */
const skbForCtx = (env: Env, base: number, meta: Meta): boolean =>
  base === A.ARG_PTR_TO_CTX && env.type === RFC_PROG.SCHED_QDISC && meta.proto.id !== FUNC.tail_call

function checkBtfType(env: Env, r: Reg, regno: number, arg: number, n: number, meta: Meta): void {
  const base = T.baseType(arg)
  if (compatible[base] === compatible[A.ARG_PTR_TO_MEM]) {
    if (arg & T.MEM_RDONLY) return
    env.fail(EACCES, `${helperText(meta.proto.id)}() may write into memory pointed by R${regno} type=${T.typeName(r.type)}`)
  }
  const name = r.btf!.type(r.btfId).name
  const want = base === A.ARG_PTR_TO_BTF_ID_SOCK_COMMON ? 'sock_common' : meta.proto.argBtf[n]
  const socks = ['sock', 'sock_common', 'tcp_sock', 'tcp6_sock', 'udp6_sock', 'tcp_request_sock', 'tcp_timewait_sock', 'unix_sock', 'inet_sock']
  if (want === undefined || name === want || (want === 'sock_common' && socks.includes(name))) return
  env.fail(EACCES, `R${regno} is of type ${name} but ${want} is expected`)
}

const FREE_OFFSET: ReadonlySet<number> = new Set([
  T.PTR_TO_STACK, T.PTR_TO_PACKET, T.PTR_TO_PACKET_META, T.PTR_TO_MAP_KEY, T.PTR_TO_MAP_VALUE, T.PTR_TO_MEM, T.PTR_TO_MEM | T.MEM_RDONLY,
  T.PTR_TO_MEM | T.MEM_RINGBUF, T.PTR_TO_BUF, T.PTR_TO_BUF | T.MEM_RDONLY, T.SCALAR_VALUE,
])

/** check_func_arg_reg_off() */
export function checkOffset(env: Env, r: Reg, regno: number, arg: number): void {
  if (arg & T.OBJ_RELEASE) {
    if (T.baseType(arg) === A.ARG_PTR_TO_DYNPTR && r.type === T.PTR_TO_STACK) return
    if (r.off !== 0) env.fail(EINVAL, `R${regno} must have zero offset when passed to release func or trusted arg to kfunc`)
    return checkPtrOff(env, r, regno)
  }
  if (FREE_OFFSET.has(r.type & ~DYNPTR_FLAGS)) return
  checkPtrOff(env, r, regno, T.baseType(r.type) === T.PTR_TO_BTF_ID)
}

function checkRelease(env: Env, r: Reg, regno: number, arg: number, meta: Meta): void {
  if (T.baseType(arg) === A.ARG_PTR_TO_DYNPTR) {
    if (r.type !== T.PTR_TO_STACK) env.fail(EINVAL, 'cannot release unowned const bpf_dynptr')
    const spi = dynptrSpi(env, r, `arg ${regno} is an unacquired reference`)
    const f = frameOf(env, r)
    if (!isDynptrSlot(f, spi) || f.stack[spi]!.reg!.refObjId === 0) env.fail(EINVAL, `arg ${regno} is an unacquired reference`)
  } else if (r.refObjId === 0 && !r.isNull) {
    env.fail(EINVAL, `R${regno} must be referenced when passed to release function`)
  }
  meta.releaseReg = regno
}

type Meaning = (env: Env, r: Reg, regno: number, arg: number, meta: Meta, n: number) => void

const meaning: Readonly<Record<number, Meaning>> = {
  [A.ARG_CONST_MAP_PTR]: mapPtr,
  [A.ARG_PTR_TO_MAP_KEY]: mapKey,
  [A.ARG_PTR_TO_MAP_VALUE]: mapValue,
  [A.ARG_PTR_TO_MEM]: memory,
  [A.ARG_CONST_SIZE]: (env, r, regno, _arg, meta, n) => memSize(env, r, regno, meta.proto.args[n - 1]!, false, meta),
  [A.ARG_CONST_SIZE_OR_ZERO]: (env, r, regno, _arg, meta, n) => memSize(env, r, regno, meta.proto.args[n - 1]!, true, meta),
  [A.ARG_CONST_ALLOC_SIZE_OR_ZERO]: allocSize,
  [A.ARG_PTR_TO_FUNC]: (_env, r, _n, _arg, meta) => {
    meta.subprog = r.subprog
  },
  [A.ARG_PTR_TO_SPIN_LOCK]: (env, r, regno, _arg, meta) => processSpinLock(env, r, regno, meta.proto.name === 'spin_lock'),
  [A.ARG_PTR_TO_TIMER]: (env, r, regno, _arg, meta) => {
    processTimer(env, r, regno)
    meta.map = r.map
    meta.mapUid = r.mapUid
  },
  [A.ARG_PTR_TO_DYNPTR]: dynptrArg,
  [A.ARG_PTR_TO_CONST_STR]: constString,
  [A.ARG_PTR_TO_PERCPU_BTF_ID]: env => env.missing('per-CPU kernel variables'),
  [A.ARG_KPTR_XCHG_DEST]: (env, r, regno, _arg, meta) => kptrDest(env, r, regno, meta),
  [A.ARG_PTR_TO_BTF_ID]: (env, r, regno, _arg, meta) => {
    if (!r.isNull) kptrSource(env, r, regno, meta)
  },
}

function mapPtr(env: Env, r: Reg, _regno: number, _arg: number, meta: Meta): void {
  if (meta.map !== undefined && (meta.map !== r.map || meta.mapUid !== r.mapUid) && meta.proto.name.startsWith('timer_')) {
    env.fail(EINVAL, `timer pointer in R1 map_uid=${meta.mapUid} doesn't match map pointer in R2 map_uid=${r.mapUid}`)
  }
  meta.map = r.map
  meta.mapUid = r.mapUid
}

function mapKey(env: Env, r: Reg, regno: number, _arg: number, meta: Meta): void {
  const { map } = meta
  if (map === undefined) return env.fail(EACCES, 'invalid map_ptr to access map->key')
  memAccess(env, regno, map.keySize, false, false, undefined)
  if (map.type === MAP_TYPE.ARRAY || map.type === MAP_TYPE.PERCPU_ARRAY) meta.constKey = constantKey(env, r, map.keySize)
}

/** get_constant_map_key(): -1 when the key on the stack is not known. */
function constantKey(env: Env, r: Reg, size: number): number {
  if (r.type !== T.PTR_TO_STACK || !r.num.isConst) return -1
  const off = r.off + Number(s64(r.num.value))
  const at = -off - 1
  const [spi, byte] = [at >> 3, at & 7]
  const f = frameOf(env, r)
  const slot = slotAt(f, spi)
  const run = (type: number): number => {
    let count = 0
    for (let b = byte; b >= 0 && slotType(slot, b) === type; b--) count++
    return count
  }
  if (run(T.STACK_ZERO) >= size) return 0
  if (!isSpilledScalar(slot) || run(T.STACK_SPILL) !== size || !slot.reg!.num.isConst) return -1
  env.markSlotPrecise(r.frameno, spi)
  const key = slot.reg!.num.value
  return key < 0x80000000n ? Number(key) : -1
}

function mapValue(env: Env, r: Reg, regno: number, arg: number, meta: Meta): void {
  if (arg & T.PTR_MAYBE_NULL && r.isNull) return
  if (meta.map === undefined) env.fail(EACCES, 'invalid map_ptr to access map->value')
  const raw = arg & T.MEM_UNINIT ? meta.raw : undefined
  memAccess(env, regno, meta.map!.valueSize, (arg & T.MEM_WRITE) !== 0, false, raw)
}

function memory(env: Env, r: Reg, regno: number, arg: number, meta: Meta, n: number): void {
  meta.rawMode = (arg & T.MEM_UNINIT) !== 0
  if (!(arg & T.MEM_FIXED_SIZE)) return
  const size = meta.proto.sizes[n]!
  memAccess(env, regno, size, (arg & T.MEM_WRITE) !== 0, false, meta.rawMode ? meta.raw : undefined)
  if (arg & T.MEM_ALIGNED) checkAlignment(env, r, 0, size, true)
}

/** check_mem_size_reg(): the register holds the size of what the one before it points to. */
function memSize(env: Env, r: Reg, regno: number, memArg: number, zeroOk: boolean, meta: Meta): void {
  const { smin, umin, umax, isConst } = r.num
  meta.maxSize = umax
  if (smin < 0n) env.fail(EACCES, `R${regno} min value is negative, either use unsigned or 'var &= const'`)
  if (umin === 0n && !zeroOk) env.fail(EACCES, `R${regno} invalid zero-sized read: u64=[${umin},${umax}]`)
  if (umax >= BigInt(MAX_VAR_SIZ)) {
    env.fail(EACCES, `R${regno} unbounded memory access, use 'var &= const' or 'if (var < const)'`)
  }
  const raw = meta.rawMode && isConst ? meta.raw : undefined
  memAccess(env, regno - 1, Number(umax), (memArg & T.MEM_WRITE) !== 0, zeroOk, raw)
  markChainPrecision(env, regno)
}

function allocSize(env: Env, r: Reg, regno: number, _arg: number, meta: Meta): void {
  if (!r.num.isConst) env.fail(EACCES, `R${regno} is not a known constant'`)
  meta.memSize = Number(r.num.value & 0xffffffffn)
  markChainPrecision(env, regno)
}

/** check_helper_mem_access() */
export function memAccess(env: Env, regno: number, size: number, write: boolean, zeroOk: boolean, raw: RawMode | undefined): void {
  const r = env.regs[regno]!
  const readOnly = (): never => env.fail(EACCES, `R${regno} cannot write into ${T.typeName(r.type)}`)
  switch (T.baseType(r.type)) {
    case T.PTR_TO_PACKET: case T.PTR_TO_PACKET_META: return insidePacket(env, regno, r.off, size, zeroOk)
    case T.PTR_TO_MAP_KEY:
      if (write) readOnly()
      return insideRegion(env, regno, r.off, size, r.map!.keySize, false)
    case T.PTR_TO_MAP_VALUE:
      mapPermits(env, regno, r.off, size, write)
      return insideMapValue(env, regno, r.off, size, zeroOk, false)
    case T.PTR_TO_MEM:
      if (write && r.type & T.MEM_RDONLY) readOnly()
      return insideRegion(env, regno, r.off, size, r.memSize, zeroOk)
    case T.PTR_TO_STACK: return rangeInitialized(env, regno, r.off, size, zeroOk, write, raw)
    case T.PTR_TO_BTF_ID:
      return btfAccess(env, { insn: undefined, regno, off: 0, size, write: false, value: -1, strict: false, signed: false }, r, r.off)
    default:
      if (zeroOk && size === 0 && r.isNull) return
      env.fail(EACCES, `R${regno} type=${T.typeName(r.type)} expected=${T.typeName(T.PTR_TO_STACK)}`)
  }
}

const dynptrTypes: readonly (readonly [number, number])[] = [
  [T.DYNPTR_TYPE_LOCAL, T.DYNPTR.LOCAL], [T.DYNPTR_TYPE_RINGBUF, T.DYNPTR.RINGBUF], [T.DYNPTR_TYPE_SKB, T.DYNPTR.SKB],
  [T.DYNPTR_TYPE_XDP, T.DYNPTR.XDP], [T.DYNPTR_TYPE_SKB_META, T.DYNPTR.SKB_META],
]
/** arg_to_dynptr_type() */
export const dynptrTypeOf = (arg: number): number => dynptrTypes.find(([flag]) => arg & flag)?.[1] ?? 0

/** process_dynptr_func() */
export function dynptrArg(env: Env, r: Reg, regno: number, arg: number, meta: Meta): void {
  if (r.type !== T.PTR_TO_STACK) return env.missing('dynptrs that a caller passes')
  const f = frameOf(env, r)
  if (arg & T.MEM_UNINIT) {
    const spi = dynptrSpi(env, r, 'Dynptr has to be an uninitialized dynptr')
    if (isDynptrSlot(f, spi) || isDynptrSlot(f, spi - 1)) {
      if ((f.stack[spi]?.reg?.refObjId ?? 0) !== 0 || (f.stack[spi - 1]?.reg?.refObjId ?? 0) !== 0) {
        env.fail(EINVAL, 'Dynptr has to be an uninitialized dynptr')
      }
    }
    for (const at of [0, 8]) {
      withinStack(env, regno, r.off + at, 8, true)
      stackWrite(env, undefined, regno, r.off + at, 8, -1)
    }
    const type = dynptrTypeOf(arg)
    const ref = type === T.DYNPTR.RINGBUF ? meta.refObjId || env.acquire(env.insn) : 0
    return markDynptr(env, f, spi, type, ref)
  }
  if (!r.num.isConst) env.fail(EINVAL, 'dynptr has to be at a constant offset')
  const spi = (-(r.off + Number(s64(r.num.value))) - 1) >> 3
  const slot = slotAt(f, spi)
  if (slotType(slot, 0) !== T.STACK_DYNPTR || !slot.reg!.firstSlot) env.fail(EINVAL, `Expected an initialized dynptr as arg #${regno - 1}`)
  const want = dynptrTypeOf(arg)
  if (want !== 0 && slot.reg!.dynptrType !== want) {
    env.fail(EINVAL, `Expected a dynptr of type ${T.dynptrName[want]!} as arg #${regno - 1}`)
  }
  meta.dynptrId = slot.reg!.id
  meta.dynptrType = slot.reg!.dynptrType
  if (slot.reg!.refObjId !== 0) meta.refObjId = slot.reg!.refObjId
}

/** check_reg_const_str() */
function constString(env: Env, r: Reg, regno: number): void {
  const map = r.map!
  if (!(map.flags & 0x80)) env.fail(EACCES, `R${regno} does not point to a readonly map'`)
  if (!r.num.isConst) env.fail(EACCES, `R${regno} is not a constant address'`)
  if (map.type !== MAP_TYPE.ARRAY) env.fail(EACCES, 'no direct value access support for this map type')
  const at = r.off + Number(s64(r.num.value))
  insideMapValue(env, regno, r.off, map.valueSize - at, false, false)
  const bytes = env.input.frozen?.(map.id)
  if (bytes !== undefined && bytes.indexOf(0, at) < 0) env.fail(EINVAL, 'string is not zero-terminated')
}
