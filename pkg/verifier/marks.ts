// Small steps that all instruction families share: reading and defining registers, ids of scalars, refusing odd pointers.
import { EACCES, EINVAL } from '../uapi/errno.js'
import type { Env } from './env.js'
import { tnumText } from './log-state.js'
import { isPacket, linkOf, notInit, scalar, unknownScalar, type Reg } from './reg.js'
import { S32_MIN, type Scalar } from './scalar.js'
import { bitLength, U32 } from './tnum.js'
import * as T from './types.js'

/** check_reg_arg(SRC_OP) */
export function readReg(env: Env, n: number): Reg {
  if (n > 10) env.fail(EINVAL, `R${n} is invalid`)
  env.scratchReg(n)
  const r = env.regs[n]!
  if (r.type === T.NOT_INIT) env.fail(EACCES, `R${n} !read_ok`)
  return r
}

/** check_reg_arg(DST_OP_NO_MARK) */
export function writeReg(env: Env, n: number): void {
  if (n > 10) env.fail(EINVAL, `R${n} is invalid`)
  env.scratchReg(n)
  if (n === 10) env.fail(EACCES, 'frame pointer is read only')
}

/** check_reg_arg(DST_OP) */
export function writeUnknown(env: Env, n: number): void {
  writeReg(env, n)
  env.setReg(n, unknownScalar)
}

/** get_reg_width() */
export const widthOf = (s: Scalar): number => bitLength(s.umax)

/** assign_scalar_id_before_mov(): the register as it is afterwards. */
export function withScalarId(env: Env, r: Reg): Reg {
  if (r.type !== T.SCALAR_VALUE || r.num.isConst) return r
  if (linkOf(r.id) !== 0) {
    const out = r.copy()
    out.id = env.newId()
    out.off = 0
    return out
  }
  if (r.id !== 0) return r
  const out = r.copy()
  out.id = env.newId()
  return out
}

export const unlinked = (num: Scalar): Reg => scalar(num)

/** clear_caller_saved_regs(): r0 to r5. */
export function clearCallerSaved(env: Env): void {
  for (let n = 0; n <= 5; n++) env.setReg(n, notInit)
}

/** check_ptr_off_reg() */
export function checkPtrOff(env: Env, r: Reg, n: number, fixedOk = false): void {
  const type = T.typeName(r.type)
  if (r.off < 0) env.fail(EACCES, `negative offset ${type} ptr R${n} off=${r.off} disallowed`)
  if (!fixedOk && r.off !== 0) env.fail(EACCES, `dereference of modified ${type} ptr R${n} off=${r.off} disallowed`)
  if (!r.num.isConst || r.num.value !== 0n) env.fail(EACCES, `variable ${type} access var_off=${tnumText(r.num.t)} disallowed`)
}

/** invalidate: every pointer to packet bytes, as data moved (clear_all_pkt_pointers()). */
export function clearPacketPointers(env: Env): void {
  env.state.mapRegs(r => {
    if (!isPacket(r.type) && T.baseType(r.type) !== T.PTR_TO_PACKET_END && !isPacketSlice(r)) return r
    return invalid
  })
  env.scratchAll()
}

/** reg_is_dynptr_slice_pkt() */
const isPacketSlice = (r: Reg): boolean =>
  T.baseType(r.type) === T.PTR_TO_MEM && (r.type & (T.DYNPTR_TYPE_SKB | T.DYNPTR_TYPE_XDP | T.DYNPTR_TYPE_SKB_META)) !== 0

/** mark_reg_invalid(): with pointer leaks allowed, what was a pointer is a number now. */
export const invalid = unknownScalar

export const S32_MIN_ = S32_MIN
export const lower32 = (x: bigint): bigint => x & U32
