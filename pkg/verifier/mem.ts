// Loads, stores and atomics: check_mem_access() and its callers (kernel/bpf/verifier.c). What a pointer type asks is one function a type.
import type { Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'
import { bpfSock, bpfSockCommon, bpfTcpSock, bpfXdpSock } from '../skb/ctx-sock.js'
import { ctxAccess, type Context, type CtxKind } from '../skb/ctx-types.js'
import { schedCls } from '../skb/ctx-skb.js'
import { MAP_F, MAP_TYPE, PROG_TYPE } from '../uapi/bpf.js'
import { EACCES, EINVAL } from '../uapi/errno.js'
import { RFC_PROG_TYPE } from '../uapi/rfc.js'
import { printLine } from './btf-info.js'
import { btfAccess } from './btf-access.js'
import { packetField } from './dequeue.js'
import type { Env } from './env.js'
import { checkPtrOff, readReg, writeReg, writeUnknown } from './marks.js'
import { loadFromMap } from './map-struct.js'
import { checkAlignment, insideMapValue, insidePacket, insideRegion, mapPermits } from './mem-region.js'
import { constant, isPacket, Reg, unknownScalar, withNum } from './reg.js'
import { coerce, coerceSigned, ZERO } from './scalar.js'
import { stackRead, stackWrite, withinStack } from './stack.js'
import { argumentAccess } from './struct-ops.js'
import * as T from './types.js'

export interface Access {
  readonly insn: Insn | undefined
  readonly regno: number
  readonly off: number
  readonly size: number
  readonly write: boolean
  /** Register loaded into or stored from; -1: none. */
  readonly value: number
  readonly strict: boolean
  readonly signed: boolean
}

/** check_mem_access() */
export function checkAccess(env: Env, a: Access): void {
  const r = env.regs[a.regno]!
  checkAlignment(env, r, a.off, a.size, a.strict)
  const off = a.off + r.off
  byType(r)(env, a, r, off)
  if (a.write || a.value < 0 || a.size === 8) return
  const loaded = env.regs[a.value]!
  if (loaded.type !== T.SCALAR_VALUE || (loaded.num.isConst && constLoad(r))) return
  const num = a.signed ? coerceSigned(loaded.num, a.size, 64) : coerce(loaded.num, a.size)
  const out = withNum(loaded, num)
  if (a.signed && !loaded.num.isConst) out.id = 0
  env.setReg(a.value, out)
}

/** Constants of read-only maps come in their final width. */
const constLoad = (r: Reg): boolean => r.type === T.PTR_TO_MAP_VALUE

type Check = (env: Env, a: Access, r: Reg, off: number) => void

function byType(r: Reg): Check {
  if (isPacket(r.type)) return packet
  const base = T.baseType(r.type)
  if (base === T.PTR_TO_MEM) return memory
  if (base === T.PTR_TO_BTF_ID && !T.mayBeNull(r.type)) return btf
  return checks[r.type] ?? badPointer
}

const checks: Readonly<Record<number, Check>> = {
  [T.PTR_TO_MAP_KEY]: mapKey, [T.PTR_TO_MAP_VALUE]: mapValue, [T.PTR_TO_CTX]: context, [T.PTR_TO_STACK]: stack,
  [T.PTR_TO_FLOW_KEYS]: flowKeys, [T.PTR_TO_SOCKET]: sock, [T.PTR_TO_SOCK_COMMON]: sock, [T.PTR_TO_TCP_SOCK]: sock,
  [T.PTR_TO_XDP_SOCK]: sock, [T.PTR_TO_SKB]: skbMember, [T.CONST_PTR_TO_MAP]: loadFromMap,
}

function badPointer(env: Env, a: Access, r: Reg): void {
  env.fail(EACCES, `R${a.regno} invalid mem access '${T.typeName(r.type)}'`)
}

function loadUnknown(env: Env, a: Access): void {
  if (!a.write && a.value >= 0) env.setReg(a.value, unknownScalar)
}

function mapKey(env: Env, a: Access, r: Reg, off: number): void {
  if (a.write) env.fail(EACCES, `write to change key R${a.regno} not allowed`)
  insideRegion(env, a.regno, off, a.size, r.map!.keySize, false)
  if (a.value >= 0) env.setReg(a.value, unknownScalar)
}

function mapValue(env: Env, a: Access, r: Reg, off: number): void {
  mapPermits(env, a.regno, off, a.size, a.write)
  insideMapValue(env, a.regno, off, a.size, false, true)
  if (a.write || a.value < 0) return
  env.setReg(a.value, frozenValue(env, a, r, off) ?? unknownScalar)
}

/** bpf_map_direct_read(): what a frozen read-only map holds is a constant. */
function frozenValue(env: Env, a: Access, r: Reg, off: number): Reg | undefined {
  const map = r.map!
  if (!r.num.isConst || map.type !== MAP_TYPE.ARRAY || map.maxEntries !== 1 || !(map.flags & MAP_F.RDONLY_PROG)) return undefined
  const bytes = env.input.frozen?.(map.id)
  const at = off + Number(r.num.value)
  if (bytes === undefined || at + a.size > bytes.length) return undefined
  let value = 0n
  for (let k = a.size - 1; k >= 0; k--) value = (value << 8n) | BigInt(bytes[at + k]!)
  return constant(a.signed ? BigInt.asIntN(a.size * 8, value) : value)
}

function memory(env: Env, a: Access, r: Reg, off: number): void {
  const readOnly = (r.type & T.MEM_RDONLY) !== 0
  if (T.mayBeNull(r.type)) badPointer(env, a, r)
  if (a.write && readOnly) env.fail(EACCES, `R${a.regno} cannot write into ${T.typeName(r.type)}`)
  if (!(readOnly && r.type & T.PTR_UNTRUSTED)) insideRegion(env, a.regno, off, a.size, r.memSize, false)
  loadUnknown(env, a)
}

const kindType: Readonly<Record<CtxKind, number>> = {
  scalar: T.SCALAR_VALUE, pkt: T.PTR_TO_PACKET, pkt_meta: T.PTR_TO_PACKET_META, pkt_end: T.PTR_TO_PACKET_END,
  flow_keys: T.PTR_TO_FLOW_KEYS, sock: T.PTR_TO_SOCKET, sock_or_null: T.PTR_TO_SOCKET | T.PTR_MAYBE_NULL,
  sock_common_or_null: T.PTR_TO_SOCK_COMMON | T.PTR_MAYBE_NULL, skb: T.PTR_TO_SKB, skb_or_null: T.PTR_TO_SKB | T.PTR_MAYBE_NULL,
  nf_hook_state: T.PTR_TO_BTF_ID | T.PTR_TRUSTED, sk_buff: T.PTR_TO_BTF_ID | T.PTR_TRUSTED,
}

function context(env: Env, a: Access, r: Reg, off: number): void {
  checkPtrOff(env, r, a.regno)
  if (env.type === PROG_TYPE.STRUCT_OPS) argumentAccess(env, a, off)
  else structAccess(env, a, env.ctx, off)
}

/** The skb member of a sch_bpf context: a __sk_buff as classifiers see it. */
function skbMember(env: Env, a: Access, r: Reg, off: number): void {
  checkPtrOff(env, r, a.regno)
  structAccess(env, a, schedCls, off)
}

function structAccess(env: Env, a: Access, table: Context, off: number): void {
  const access = ctxAccess(table, off, a.size, a.write)
  if (access === undefined || (a.signed && access.field.kind !== 'scalar')) {
    env.verbose(`invalid bpf_context access off=${off} size=${a.size}\n`)
    printLine(env, env.insn, '; ')
    throw env.refusal(EACCES)
  }
  if (a.write && access.field.kind === 'skb_or_null') storesPacket(env, a, off)
  env.aux[env.insn]!.access = access
  if (access.field.name === 'cb') env.cbAccess = true
  if (a.write || a.value < 0) return
  env.setReg(a.value, loadedField(env, access.field.kind))
}

/** Only a packet, or none, goes where the qdisc will take one from. */
function storesPacket(env: Env, a: Access, off: number): void {
  const r = a.value >= 0 ? env.regs[a.value]! : undefined
  const none = r === undefined ? a.insn!.imm === 0 : r.isNull
  if (!none && (r === undefined || T.baseType(r.type) !== T.PTR_TO_SKB || r.off !== 0)) {
    env.fail(EACCES, `invalid bpf_context access off=${off} size=${a.size}`)
  }
}

function loadedField(env: Env, kind: CtxKind): Reg {
  if (kind === 'scalar') return unknownScalar
  const out = new Reg(kindType[kind], ZERO)
  if (T.mayBeNull(out.type)) out.id = env.newId()
  if (kind === 'pkt' || kind === 'pkt_meta' || kind === 'pkt_end') env.seenPacketLoad = true
  if (kind === 'nf_hook_state' || kind === 'sk_buff') {
    out.btf = env.vmlinux
    out.btfId = out.btf?.find(kind, 4)?.id ?? env.missing(`struct ${kind} in the kernel's BTF`)
  }
  return out
}

function stack(env: Env, a: Access, _r: Reg, off: number): void {
  withinStack(env, a.regno, off, a.size, a.write)
  if (a.write) stackWrite(env, a.insn, a.regno, off, a.size, a.value)
  else stackRead(env, a.regno, off, a.size, a.value)
}

const READ_ONLY_PACKETS: ReadonlySet<number> = new Set([
  PROG_TYPE.LWT_IN, PROG_TYPE.LWT_OUT, PROG_TYPE.LWT_SEG6LOCAL, PROG_TYPE.SK_REUSEPORT, PROG_TYPE.FLOW_DISSECTOR, PROG_TYPE.CGROUP_SKB,
])

/** may_access_direct_pkt_data() for stores. */
function packet(env: Env, a: Access, _r: Reg, off: number): void {
  if (a.write) {
    if (READ_ONLY_PACKETS.has(env.type) || (env.input.strict === true && env.type === RFC_PROG_TYPE.DEQUEUE)) env.fail(EACCES, 'cannot write into packet')
    env.seenDirectWrite = true
  }
  insidePacket(env, a.regno, off, a.size, false)
  loadUnknown(env, a)
}

/** sizeof(struct bpf_flow_keys) */
const FLOW_KEYS_SIZE = 56

function flowKeys(env: Env, a: Access, _r: Reg, off: number): void {
  if (off < 0 || off + a.size > FLOW_KEYS_SIZE) env.fail(EACCES, `invalid access to flow keys off=${off} size=${a.size}`)
  loadUnknown(env, a)
}

const sockTables: Readonly<Record<number, Context>> = {
  [T.PTR_TO_SOCKET]: bpfSock, [T.PTR_TO_SOCK_COMMON]: bpfSockCommon, [T.PTR_TO_TCP_SOCK]: bpfTcpSock, [T.PTR_TO_XDP_SOCK]: bpfXdpSock,
}

function sock(env: Env, a: Access, r: Reg, off: number): void {
  const type = T.typeName(r.type)
  if (a.write) env.fail(EACCES, `R${a.regno} cannot write into ${type}`)
  if (r.num.smin < 0n) env.fail(EACCES, `R${a.regno} min value is negative, either use unsigned index or do a if (index >=0) check.`)
  const table = sockTables[r.type]
  const access = table === undefined ? undefined : ctxAccess(table, off, a.size, false)
  if (access === undefined) env.fail(EACCES, `R${a.regno} invalid ${type} access off=${off} size=${a.size}`)
  env.aux[env.insn]!.access = access
  loadUnknown(env, a)
}

function btf(env: Env, a: Access, r: Reg, off: number): void {
  if (!a.write && off >= 0 && r.num.isConst && r.num.value === 0n && packetField(env, a, r, off)) return
  btfAccess(env, a, r, off)
}

const MISMATCH: ReadonlySet<number> = new Set([
  T.PTR_TO_CTX, T.PTR_TO_SOCKET, T.PTR_TO_SOCK_COMMON, T.PTR_TO_TCP_SOCK, T.PTR_TO_XDP_SOCK, T.PTR_TO_BTF_ID, T.PTR_TO_ARENA, T.PTR_TO_SKB,
])

/** save_aux_ptr_type(): one instruction is converted one way, so it must always see the same kind of pointer. */
export function samePointerKind(env: Env, type: number): void {
  const aux = env.aux[env.insn]!
  if (aux.ptrType === T.NOT_INIT) {
    aux.ptrType = type
    return
  }
  if (aux.ptrType !== type && (aux.ptrType === T.CONST_PTR_TO_MAP || type === T.CONST_PTR_TO_MAP)) {
    env.missing('one load of a map and of something else')
  }
  if (aux.ptrType === type || (!MISMATCH.has(T.baseType(type)) && !MISMATCH.has(T.baseType(aux.ptrType)))) return
  env.fail(EINVAL, 'same insn cannot be used with different pointers')
}

export function checkLoad(env: Env, i: Insn, strict = false, signed = B.BPF_MODE(i.code) === B.BPF_MEMSX): void {
  readReg(env, i.src)
  writeReg(env, i.dst)
  const { type } = env.regs[i.src]!
  checkAccess(env, { insn: i, regno: i.src, off: i.off, size: B.sizeBytes(i.code), write: false, value: i.dst, strict, signed })
  samePointerKind(env, type)
}

export function checkStore(env: Env, i: Insn): void {
  const isSt = B.BPF_CLASS(i.code) === B.BPF_ST
  if (!isSt && B.BPF_MODE(i.code) === B.BPF_ATOMIC) return checkAtomic(env, i)
  if (B.BPF_MODE(i.code) !== B.BPF_MEM || (isSt ? i.src !== 0 : i.imm !== 0)) env.fail(EINVAL, `${isSt ? 'BPF_ST' : 'BPF_STX'} uses reserved fields`)
  storeReg(env, i, isSt ? -1 : i.src, false)
}

function storeReg(env: Env, i: Insn, value: number, strict: boolean): void {
  if (value >= 0) readReg(env, value)
  readReg(env, i.dst)
  const { type } = env.regs[i.dst]!
  checkAccess(env, { insn: i, regno: i.dst, off: i.off, size: B.sizeBytes(i.code), write: true, value, strict, signed: false })
  samePointerKind(env, type)
}

const ATOMICS: ReadonlySet<number> = new Set([
  B.BPF_ADD, B.BPF_ADD | B.BPF_FETCH, B.BPF_AND, B.BPF_AND | B.BPF_FETCH, B.BPF_OR, B.BPF_OR | B.BPF_FETCH, B.BPF_XOR,
  B.BPF_XOR | B.BPF_FETCH, B.BPF_XCHG, B.BPF_CMPXCHG,
])

/** check_atomic() */
function checkAtomic(env: Env, i: Insn): void {
  if (i.imm === B.BPF_LOAD_ACQ) {
    checkLoad(env, i, true, false)
    return atomicTarget(env, i.src, i, 'loads from')
  }
  if (i.imm === B.BPF_STORE_REL) {
    storeReg(env, i, i.src, true)
    return atomicTarget(env, i.dst, i, 'stores into')
  }
  if (!ATOMICS.has(i.imm)) env.fail(EINVAL, `BPF_ATOMIC uses invalid atomic opcode ${(i.imm >>> 0).toString(16).padStart(2, '0')}`)
  readModifyWrite(env, i)
}

function atomicTarget(env: Env, n: number, i: Insn, words: string): void {
  const { type } = env.regs[n]!
  const base = T.baseType(type)
  const bad = base === T.PTR_TO_CTX || isPacket(type) || base === T.PTR_TO_FLOW_KEYS || base === T.PTR_TO_SKB ||
    [T.PTR_TO_SOCKET, T.PTR_TO_SOCK_COMMON, T.PTR_TO_TCP_SOCK, T.PTR_TO_XDP_SOCK].includes(base)
  if (bad) env.fail(EACCES, `BPF_ATOMIC ${words} R${n} ${T.typeName(type)} is not allowed`)
  void i
}

/** check_atomic_rmw(): read, perhaps into a register, and written. */
function readModifyWrite(env: Env, i: Insn): void {
  const size = B.BPF_SIZE(i.code)
  if (size !== B.BPF_W && size !== B.BPF_DW) env.fail(EINVAL, 'invalid atomic operand size')
  readReg(env, i.src)
  readReg(env, i.dst)
  if (i.imm === B.BPF_CMPXCHG) readReg(env, 0)
  atomicTarget(env, i.dst, i, 'stores into')
  const { type } = env.regs[i.dst]!
  let load = -1
  if (i.imm & B.BPF_FETCH) {
    load = i.imm === B.BPF_CMPXCHG ? 0 : i.src
    writeUnknown(env, load)
  }
  const access = { insn: i, regno: i.dst, off: i.off, size: B.sizeBytes(i.code), strict: true, signed: false }
  checkAccess(env, { ...access, write: false, value: -1 })
  if (load >= 0) checkAccess(env, { ...access, write: false, value: load })
  checkAccess(env, { ...access, insn: undefined, write: true, value: -1 })
  samePointerKind(env, type)
}
