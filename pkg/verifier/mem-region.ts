// Is an access inside of its object? check_mem_region_access(), check_packet_access(), check_map_access(), check_ptr_alignment()
// (kernel/bpf/verifier.c). Every function answers by returning, or refuses with the kernel's words.
import { MAP_F } from '../uapi/bpf.js'
import { EACCES } from '../uapi/errno.js'
import type { Env } from './env.js'
import { MAX_VAR_OFF } from './limits.js'
import { tnumText } from './log-state.js'
import { specialFields } from './map-record.js'
import type { Reg } from './reg.js'
import { S32_MAX, S32_MIN, S64_MIN } from './scalar.js'
import { tnumAdd, tnumConst, tnumIsAligned, u64 } from './tnum.js'
import * as T from './types.js'

/** __check_mem_access(): a fixed piece of an object of `bytes` bytes. `off` may be any 64-bit number. */
export function insideObject(env: Env, n: number, off: bigint, size: number, bytes: number, zeroOk: boolean): void {
  const at = BigInt.asIntN(32, off)
  if (at >= 0n && (size > 0 || (size === 0 && zeroOk)) && at + BigInt(size) <= BigInt(bytes)) return
  env.verbose(`${outside(env.regs[n]!, n, at, size, bytes)}\n`)
  throw outsideObject
}

/** Thrown by insideObject; who asked adds the last words. */
const outsideObject = new Error('outside')

function outside(r: Reg, n: number, off: bigint, size: number, bytes: number): string {
  switch (T.baseType(r.type)) {
    case T.PTR_TO_MAP_KEY: return `invalid access to map key, key_size=${bytes} off=${off} size=${size}`
    case T.PTR_TO_MAP_VALUE: return `invalid access to map value, value_size=${bytes} off=${off} size=${size}`
    case T.PTR_TO_PACKET: case T.PTR_TO_PACKET_META: case T.PTR_TO_PACKET_END:
      return `invalid access to packet, off=${off} size=${size}, R${n}(id=${r.id},off=${off},r=${bytes})`
    default: return `invalid access to memory, mem_size=${bytes >>> 0} off=${off} size=${size}`
  }
}

function orSay(env: Env, words: string, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (error !== outsideObject) throw error
    env.fail(EACCES, words)
  }
}

/** check_mem_region_access(): pointer plus variable part, at its least and at its most. */
export function insideRegion(env: Env, n: number, off: number, size: number, bytes: number, zeroOk: boolean): void {
  const { smin, umax } = env.regs[n]!.num
  const low = smin + BigInt(off)
  if (smin < 0n && (smin === S64_MIN || low < BigInt(S32_MIN) || low > BigInt(S32_MAX) || low < 0n)) {
    env.fail(EACCES, `R${n} min value is negative, either use unsigned index or do a if (index >=0) check.`)
  }
  orSay(env, `R${n} min value is outside of the allowed memory range`, () => insideObject(env, n, low, size, bytes, zeroOk))
  if (umax >= BigInt(MAX_VAR_OFF)) {
    env.fail(EACCES, `R${n} unbounded memory access, make sure to bounds check any such access`)
  }
  orSay(env, `R${n} max value is outside of the allowed memory range`, () => insideObject(env, n, umax + BigInt(off), size, bytes, zeroOk))
}

/** check_packet_access() */
export function insidePacket(env: Env, n: number, off: number, size: number, zeroOk: boolean): void {
  const r = env.regs[n]!
  if (r.num.smin < 0n) env.fail(EACCES, `R${n} min value is negative, either use unsigned index or do a if (index >=0) check.`)
  orSay(env, `R${n} offset is outside of the packet`, () => {
    if (r.range < 0) throw outsideObject
    insideObject(env, n, BigInt(off), size, r.range, zeroOk)
  })
}

/** check_map_access_type() */
export function mapPermits(env: Env, n: number, off: number, size: number, write: boolean): void {
  const map = env.regs[n]!.map!
  const closed = write ? MAP_F.RDONLY_PROG : MAP_F.WRONLY_PROG
  if ((map.flags & closed) === 0) return
  env.fail(EACCES, `${write ? 'write into' : 'read from'} map forbidden, value_size=${map.valueSize} off=${off} size=${size}`)
}

/** check_map_access(): the value, and none of its fields that only helpers may touch. */
export function insideMapValue(env: Env, n: number, off: number, size: number, zeroOk: boolean, direct: boolean): void {
  const r = env.regs[n]!
  insideRegion(env, n, off, size, r.map!.valueSize, zeroOk)
  for (const field of specialFields(env, r.map!)) {
    if (!(r.num.smin + BigInt(off) < BigInt(field.off + field.size) && BigInt(field.off) < r.num.umax + BigInt(off + size))) continue
    if (!field.kptr) env.fail(EACCES, `${field.name} cannot be accessed directly by load/store`)
    if (!direct) env.fail(EACCES, `${field.name} cannot be accessed indirectly by helper`)
    if (!r.num.isConst) env.fail(EACCES, `${field.name} access cannot have variable offset`)
    const at = BigInt(off) + r.num.value
    if (BigInt(field.off) !== at) env.fail(EACCES, `${field.name} access misaligned expected=${field.off} off=${u64(at)}`)
    if (size !== 8) env.fail(EACCES, `${field.name} access size must be BPF_DW`)
  }
}

const descriptions: Readonly<Record<number, string>> = {
  [T.PTR_TO_FLOW_KEYS]: 'flow keys ', [T.PTR_TO_MAP_KEY]: 'key ', [T.PTR_TO_MAP_VALUE]: 'value ', [T.PTR_TO_CTX]: 'context ',
  [T.PTR_TO_STACK]: 'stack ', [T.PTR_TO_SOCKET]: 'sock ', [T.PTR_TO_SOCK_COMMON]: 'sock_common ', [T.PTR_TO_TCP_SOCK]: 'tcp_sock ',
  [T.PTR_TO_XDP_SOCK]: 'xdp_sock ',
}

/** check_ptr_alignment(): x86 takes unaligned accesses, except where slots of the stack are tracked. */
export function checkAlignment(env: Env, r: Reg, off: number, size: number, once: boolean): void {
  const strict = env.strictAlignment || once
  if (r.type === T.PTR_TO_PACKET || r.type === T.PTR_TO_PACKET_META) {
    if (!strict || size === 1) return
    const at = tnumAdd(r.num.t, tnumConst(u64(BigInt(2 + r.off + off))))
    if (!tnumIsAligned(at, BigInt(size))) env.fail(EACCES, `misaligned packet access off 2+${tnumText(r.num.t)}+${r.off}+${off} size ${size}`)
    return
  }
  if ((!strict && r.type !== T.PTR_TO_STACK) || size === 1) return
  const at = tnumAdd(r.num.t, tnumConst(u64(BigInt(r.off + off))))
  if (tnumIsAligned(at, BigInt(size))) return
  const what = descriptions[r.type] ?? ''
  env.fail(EACCES, `misaligned ${what}access off ${tnumText(r.num.t)}+${r.off}+${off} size ${size}`)
}
