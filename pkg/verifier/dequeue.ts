// Packets that a dequeue program has taken (RFC of July 2022): pointers to struct xdp_md that are references, packet pointers that belong to one of
// them (pkt_uid, kept as the register's refObjId), and what such a program may return.
import { dequeuedPacket } from '../skb/ctx-dequeue.js'
import { ctxAccess, type CtxKind } from '../skb/ctx-types.js'
import { EACCES, EINVAL } from '../uapi/errno.js'
import { RFC_PROG_TYPE } from '../uapi/rfc.js'
import { releaseReference } from './release.js'
import type { Env } from './env.js'
import { isPacketAny } from './jmp-check.js'
import type { Access } from './mem.js'
import { readReg } from './marks.js'
import { Reg } from './reg.js'
import { ZERO } from './scalar.js'
import * as T from './types.js'

const isDequeued = (r: Reg): boolean => T.baseType(r.type) === T.PTR_TO_BTF_ID && r.refObjId !== 0 && r.btf?.type(r.btfId).name === 'xdp_md'

const TYPES: Readonly<Partial<Record<CtxKind, number>>> = { pkt: T.PTR_TO_PACKET, pkt_end: T.PTR_TO_PACKET_END, pkt_meta: T.PTR_TO_PACKET_META }

/** A load of data, data_end or data_meta; false: no packet, somebody else's pointer. */
export function packetField(env: Env, a: Access, r: Reg, off: number): boolean {
  if (env.type !== RFC_PROG_TYPE.DEQUEUE || !isDequeued(r)) return false
  const whole = ctxAccess(dequeuedPacket, off, 4, false)
  if (whole === undefined) env.fail(EACCES, `no read support for xdp_md at off ${off}`)
  const access = ctxAccess(dequeuedPacket, off, a.size, false)
  if (access === undefined || a.signed) throw env.refusal(EINVAL)
  env.aux[env.insn]!.access = access
  if (a.value < 0) return true
  const out = new Reg(TYPES[access.field.kind]!, ZERO)
  out.refObjId = r.refObjId
  env.seenPacketLoad = true
  env.setReg(a.value, out)
  return true
}

/** Bounds of one packet say nothing of another. */
export function samePacket(env: Env, dst: Reg, src: Reg, dstNo: number, srcNo: number): void {
  if (!isPacketAny(dst) || !isPacketAny(src) || dst.refObjId === src.refObjId) return
  env.fail(EACCES, `R${dstNo}, R${srcNo} pkt pointer comparison prohibited`)
}

/** The end of the main program: nothing, or a packet whose reference goes with it, checked for NULL or not. */
export function returnPacket(env: Env): void {
  const r = readReg(env, 0)
  if (r.isNull) return
  const whole = isDequeued(r) && (env.input.strict === true || (r.off === 0 && r.num.isConst && r.num.value === 0n))
  if (whole && releaseReference(env, r.refObjId)) return
  env.fail(EINVAL, 'At program exit the register R0 must be NULL or referenced ptr_xdp_md')
}
