// From a verified program to its xlated form: dead code goes, context accesses become accesses of kernel structs, slots get new
// numbers (opt_hard_wire_dead_code_branches(), opt_remove_dead_code(), convert_ctx_accesses(), kernel/bpf/verifier.c).
import { insn, type Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'
import { ancillaryLoad } from '../skb/ctx-phys-dev.js'
import { convertAccess } from '../skb/ctx-types.js'
import { FUNC, PSEUDO } from '../uapi/bpf.js'
import { RFC_PROG_TYPE } from '../uapi/rfc.js'
import type { Image, InsnAux } from '../prog/image.js'
import type { Env } from './env.js'
import { isHelperCall, isPseudoCall, isPseudoFunc } from './subprogs.js'
import * as T from './types.js'

export interface Fixed {
  readonly image: Image
  /** New slot of every old one; of a slot that is gone, the slot of what follows. */
  readonly places: Int32Array
}

export function fixup(env: Env): Fixed {
  const out: Insn[] = []
  const count = env.insns.length
  const places = new Int32Array(count + 1)
  const aux = new Map<number, InsnAux>()
  const origin: number[] = []
  for (let n = 0; n < count; n++) {
    places[n] = out.length
    const i = env.insns[n]!
    const wide = B.isLdImm64(i.code)
    if (env.aux[n]!.seen && !isNop(i)) {
      for (const x of wide ? [i, env.insns[n + 1]!] : replacement(env, n, i)) {
        origin.push(n)
        out.push({ ...x })
      }
      const known = auxOf(env, n, i)
      if (known !== undefined) aux.set(out.length - 1, known)
    }
    if (wide) places[++n] = out.length
  }
  places[count] = out.length
  const jumps = hardWire(env, out, origin, places)
  const kept = env.subprogs.map((_, n) => n).filter(n => n === 0 || places[env.subprogs[n]!.start] !== places[env.subprogs[n]!.end])
  const image: Image = {
    name: env.prog.name ?? '', type: env.type, insns: jumps,
    subprogs: kept.map(n => places[env.subprogs[n]!.start]!),
    stack: kept.map(n => Math.ceil(env.subprogs[n]!.stackDepth / 8) * 8),
    callbacks: kept.filter(n => env.subprogs[n]!.isCb || env.subprogs[n]!.isAsyncCb).map(n => places[env.subprogs[n]!.start]!),
    aux, mapIds: env.maps.map(m => m.id),
  }
  return { image, places }
}

/** A jump to the next instruction. */
const isNop = (i: Insn): boolean => (i.code === (B.BPF_JMP | B.BPF_JA) && i.off === 0) || (i.code === (B.BPF_JMP32 | B.BPF_JA) && i.imm === 0)

function replacement(env: Env, n: number, i: Insn): Insn[] {
  const { access, ptrType } = env.aux[n]!
  if (access === undefined) return env.type === RFC_PROG_TYPE.PHYS_DEV ? ancillaryLoad(i) ?? [i] : [i]
  const convertible = [T.PTR_TO_CTX, T.PTR_TO_SOCKET, T.PTR_TO_SOCK_COMMON, T.PTR_TO_TCP_SOCK, T.PTR_TO_XDP_SOCK, T.PTR_TO_SKB].includes(T.baseType(ptrType))
  return convertible ? convertAccess(i, access) : [i]
}

function auxOf(env: Env, n: number, i: Insn): InsnAux | undefined {
  const a = env.aux[n]!
  if (isHelperCall(i)) {
    const index = i.imm === FUNC.tail_call && a.key !== undefined && a.key >= 0 ? { index: a.key } : {}
    return a.map ? { mapId: a.map.id, ...index } : undefined
  }
  return a.probe ? { probe: true } : undefined
}

/** Distances of jumps, calls and function pointers; a branch with a side that is never taken becomes unconditional or nothing. */
function hardWire(env: Env, out: Insn[], origin: readonly number[], places: Int32Array): Insn[] {
  out.forEach((x, at) => {
    const n = origin[at]!
    const i = env.insns[n]!
    if (out[at - 1] !== undefined && origin[at - 1] === n && B.isLdImm64(i.code)) return
    const cls = B.BPF_CLASS(i.code)
    const to = (old: number): number => places[old]! - at - 1
    if (isPseudoCall(i) || isPseudoFunc(i)) x.imm = to(n + 1 + i.imm)
    else if (cls === B.BPF_JMP || cls === B.BPF_JMP32) rewire(env, out, at, n, i, to)
  })
  return out
}

function rewire(env: Env, out: Insn[], at: number, n: number, i: Insn, to: (old: number) => number): void {
  const op = B.BPF_OP(i.code)
  if (op === B.BPF_CALL || op === B.BPF_EXIT) return
  if (op === B.BPF_JA) {
    if (B.BPF_CLASS(i.code) === B.BPF_JMP) out[at]!.off = to(n + 1 + i.off)
    else out[at]!.imm = to(n + 1 + i.imm)
    return
  }
  const target = n + 1 + i.off
  if (op !== B.BPF_JCOND && !env.aux[target]!.seen) out[at] = insn(B.BPF_JMP | B.BPF_JA, 0, 0, 0, 0)
  else if (op !== B.BPF_JCOND && !env.aux[n + 1]!.seen) out[at] = insn(B.BPF_JMP | B.BPF_JA, 0, 0, to(target), 0)
  else out[at]!.off = to(target)
}

export const isMapLoad = (i: Insn): boolean => B.isLdImm64(i.code) && (i.src === PSEUDO.MAP_FD || i.src === PSEUDO.MAP_VALUE)
