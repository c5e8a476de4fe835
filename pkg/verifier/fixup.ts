// From a verified program to its xlated form: dead code goes, context accesses become accesses of kernel structs, slots get new
// numbers (opt_hard_wire_dead_code_branches(), opt_remove_dead_code(), opt_remove_nops(), convert_ctx_accesses(), kernel/bpf/verifier.c).
import { ldImm64, mov64Reg } from '../insn/build.js'
import { insn, type Insn } from '../insn/insn.js'
import * as B from '../insn/opcode.js'
import { ancillaryLoad } from '../skb/ctx-phys-dev.js'
import { convertAccess } from '../skb/ctx-types.js'
import { FUNC } from '../uapi/bpf.js'
import { RFC_PROG_TYPE } from '../uapi/rfc.js'
import type { Image, InsnAux } from '../prog/image.js'
import type { Env } from './env.js'
import { kfuncPrefix } from './graph.js'
import { isInlineKfunc } from './kfunc.js'
import { isHelperCall, isKfuncCall, isPseudoCall, isPseudoFunc } from './subprogs.js'
import * as T from './types.js'

export interface Fixed {
  readonly image: Image
  /** New slot of every old one; of a slot that is gone, the slot of what follows. */
  readonly places: Int32Array
}

/** What becomes of one old slot: the slots in its place; none for dead code and for the second slot of a wide load. */
type Slots = readonly Insn[]

export function fixup(env: Env): Fixed {
  const slots = env.insns.map((i, n) => slotsOf(env, n, i))
  const places = removeNops(slots)
  const insns: Insn[] = []
  const aux = new Map<number, InsnAux>()
  slots.forEach((list, n) => {
    const at = insns.length
    list.forEach((x, k) => insns.push(k === 0 ? placed(env, n, x, at, places) : { ...x }))
    const known = list.length > 0 ? auxOf(env, n, env.insns[n]!) : undefined
    if (known !== undefined) aux.set(insns.length - 1, known)
  })
  return { image: imageOf(env, insns, aux, places), places }
}

function imageOf(env: Env, insns: Insn[], aux: ReadonlyMap<number, InsnAux>, places: Int32Array): Image {
  const kept = env.subprogs.filter((sub, n) => n === 0 || places[sub.start] !== places[sub.end])
  return {
    name: env.prog.name ?? '', type: env.type, insns, aux, mapIds: env.maps.map(m => m.id),
    subprogs: kept.map(sub => places[sub.start]!),
    stack: kept.map(sub => Math.ceil(sub.stackDepth / 8) * 8),
    callbacks: kept.filter(sub => sub.isCb || sub.isAsyncCb).map(sub => places[sub.start]!),
  }
}

function slotsOf(env: Env, n: number, i: Insn): Slots {
  const second = n > 0 && B.isLdImm64(env.insns[n - 1]!.code)
  if (second || !env.aux[n]!.seen) return []
  if (B.isLdImm64(i.code)) return [i, env.insns[n + 1]!]
  return [...replacement(env, n, hardWired(env, n, i))]
}

const always = (off: number): Insn => insn(B.BPF_JMP | B.BPF_JA, 0, 0, off, 0)

/** opt_hard_wire_dead_code_branches(): a side that is never taken is no choice. */
function hardWired(env: Env, n: number, i: Insn): Insn {
  if (!isConditional(i)) return i
  if (!env.aux[n + 1 + i.off]!.seen) return always(0)
  return env.aux[n + 1]!.seen ? i : always(i.off)
}

function isConditional(i: Insn): boolean {
  const cls = B.BPF_CLASS(i.code)
  const op = B.BPF_OP(i.code)
  return (cls === B.BPF_JMP || cls === B.BPF_JMP32) && op !== B.BPF_JA && op !== B.BPF_CALL && op !== B.BPF_EXIT && op !== B.BPF_JCOND
}

function replacement(env: Env, n: number, i: Insn): Insn[] {
  const { access, ptrType } = env.aux[n]!
  if (isKfuncCall(i) && kfuncPrefix(env, n).length > 0) return [...kfuncPrefix(env, n), i]
  if (isKfuncCall(i) && isInlineKfunc(env, i.imm)) return [mov64Reg(0, 1)]
  const known = env.aux[n]!.constLoad
  if (known !== undefined) return ldImm64(i.dst, Number(BigInt.asIntN(32, known)), Number(BigInt.asIntN(32, known >> 32n)))
  if (access === undefined) return env.type === RFC_PROG_TYPE.PHYS_DEV ? ancillaryLoad(i) ?? [i] : [i]
  return CONVERTED.has(T.baseType(ptrType)) ? convertAccess(i, access) : [i]
}

const CONVERTED: ReadonlySet<number> = new Set([
  T.PTR_TO_CTX, T.PTR_TO_SOCKET, T.PTR_TO_SOCK_COMMON, T.PTR_TO_TCP_SOCK, T.PTR_TO_XDP_SOCK, T.PTR_TO_SKB,
  // With an access: a packet that a dequeue program has taken.
  T.PTR_TO_BTF_ID,
])

/** opt_remove_nops(): jumps to what follows anyway go, which may make more of them. */
function removeNops(slots: Slots[]): Int32Array {
  for (;;) {
    const places = placesOf(slots)
    const nop = slots.findIndex((list, n) => list.length === 1 && jumpsTo(list[0]!, n) !== undefined && places[jumpsTo(list[0]!, n)!] === places[n]! + 1)
    if (nop < 0) return places
    slots.forEach((list, n) => {
      const to = list.length === 1 ? jumpsTo(list[0]!, n) : undefined
      if (to !== undefined && places[to] === places[n]! + 1) slots[n] = []
    })

  }
}

/** Old slot that an unconditional jump goes to. */
function jumpsTo(i: Insn, n: number): number | undefined {
  if (i.code === (B.BPF_JMP | B.BPF_JA)) return n + 1 + i.off
  return i.code === (B.BPF_JMP32 | B.BPF_JA) ? n + 1 + i.imm : undefined
}

function placesOf(slots: readonly Slots[]): Int32Array {
  const places = new Int32Array(slots.length + 1)
  slots.forEach((list, n) => {
    places[n + 1] = places[n]! + list.length
  })
  return places
}

/** The first slot of an old one with its distance in new slots. */
function placed(env: Env, n: number, x: Insn, at: number, places: Int32Array): Insn {
  const i = env.insns[n]!
  const to = (old: number): number => places[old]! - at - 1
  if (isPseudoCall(i) || isPseudoFunc(i)) return { ...x, imm: to(n + 1 + i.imm) }
  const cls = B.BPF_CLASS(x.code)
  const op = B.BPF_OP(x.code)
  if (B.BPF_CLASS(i.code) !== B.BPF_JMP && B.BPF_CLASS(i.code) !== B.BPF_JMP32) return { ...x }
  if (op === B.BPF_CALL || op === B.BPF_EXIT || (cls !== B.BPF_JMP && cls !== B.BPF_JMP32)) return { ...x }
  if (x.code === (B.BPF_JMP32 | B.BPF_JA)) return { ...x, imm: to(n + 1 + x.imm) }
  return { ...x, off: to(n + 1 + x.off) }
}

function auxOf(env: Env, n: number, i: Insn): InsnAux | undefined {
  const a = env.aux[n]!
  if (isHelperCall(i)) {
    const index = i.imm === FUNC.tail_call && a.key !== undefined && a.key >= 0 ? { index: a.key } : {}
    return a.map ? { mapId: a.map.id, ...index } : undefined
  }
  return a.probe ? { probe: true } : undefined
}
