// CO-RE: what the instruction of one relocation must say on the kernel whose BTF is given. Pure: patching instructions is the
// caller's. Answers to bpf_core_calc_relo_insn of tools/lib/bpf/relo_core.c.
import { InputError } from '../bytes/errors.js'
import { printable } from '../bytes/printable.js'
import type { Btf } from './btf.js'
import { CORE, CORE_NAME, isTypeKind } from './core-kinds.js'
import { candidates, matchSpec } from './core-match.js'
import { parseSpec, type CoreFail, type CoreRelo, type CoreSpec } from './core-spec.js'
import { valueOf, type Calculated } from './core-value.js'
import { INT_SIGNED, KIND, type BtfType } from './types.js'

export interface CoreValue {
  /** What the compiler put into the instruction, and what belongs there. */
  readonly origVal: bigint
  readonly newVal: bigint
  /** No such thing in this kernel: the instruction must fail when it is reached. */
  readonly poison: boolean
  /** origVal is certain, so the instruction can be held against it. */
  readonly validate: boolean
  /** Sizes of a load or store; 0 when not about memory. */
  readonly origSize: number
  readonly newSize: number
  /** The sizes differ and the load can't be adjusted safely. */
  readonly badMemSize: boolean
  readonly local: CoreSpec
}

/** Resolves one relocation; `whose` begins errors, as `prog 'x': relo #3`. */
export function resolveCore(relo: CoreRelo, local: Btf, kernel: Btf, whose: string): CoreValue {
  const fail: CoreFail = reason => new InputError(printable(`${whose}: ${reason}`))
  if (CORE_NAME[relo.kind] === undefined) throw fail(`unrecognized CO-RE relocation <unknown> (${relo.kind})`)
  const spec = parseSpec(local, relo, fail)
  if (relo.kind === CORE.TYPE_ID_LOCAL) return localTypeId(spec)
  const name = local.type(relo.typeId).name
  if (name === '') throw fail(`<${CORE_NAME[relo.kind]}> (${relo.kind}) relocation doesn't support anonymous types`)
  let chosen: { spec: CoreSpec; value: CoreValue } | undefined
  for (const candidate of candidates(local.type(relo.typeId), kernel)) {
    const target = matchSpec(spec, kernel, candidate.id)
    if (!target) continue
    const value = calculate(spec, target, fail)
    if (chosen) checkAgreement(chosen, target, value, fail)
    chosen = { spec: target, value }
  }
  return chosen ? chosen.value : calculate(spec, undefined, fail)
}

function localTypeId(local: CoreSpec): CoreValue {
  const id = BigInt(local.root)
  return { origVal: id, newVal: id, poison: false, validate: false, origSize: 0, newSize: 0, badMemSize: false, local }
}

function checkAgreement(chosen: { spec: CoreSpec; value: CoreValue }, target: CoreSpec, value: CoreValue, fail: CoreFail): void {
  if (chosen.spec.bitOffset !== target.bitOffset) {
    throw fail(`field offset ambiguity: ${target.bitOffset} != ${chosen.spec.bitOffset}`)
  }
  if (chosen.value.poison !== value.poison || chosen.value.newVal !== value.newVal) {
    const word = (v: CoreValue): string => `${v.poison ? 'failure' : 'success'} ${v.newVal}`
    throw fail(`relocation decision ambiguity: ${word(value)} != ${word(chosen.value)}`)
  }
}

function calculate(local: CoreSpec, target: CoreSpec | undefined, fail: CoreFail): CoreValue {
  const orig = valueOf(local, local.kind, fail)
  const now = target ? valueOf(target, local.kind, fail) : missing(local.kind)
  const resized = now !== undefined && orig.size !== now.size
  return {
    origVal: orig.value,
    newVal: now?.value ?? 0n,
    poison: now === undefined,
    validate: orig.validate,
    origSize: orig.size,
    newSize: now?.size ?? 0,
    badMemSize: resized && target !== undefined && !adjustable(local.btf.type(orig.type), target.btf.type(now.type)),
    local,
  }
}

/** Questions about existence have an answer when there is no target; all else is poison (undefined). */
function missing(kind: number): Calculated | undefined {
  const answers = kind === CORE.FIELD_EXISTS || kind === CORE.ENUMVAL_EXISTS || isTypeKind(kind)
  return answers ? { value: 0n, size: 0, type: 0, validate: true } : undefined
}

/** Pointers (4 or 8 bytes) and unsigned integers may be loaded with another width. */
function adjustable(orig: BtfType, now: BtfType): boolean {
  if (orig.kind === KIND.PTR && now.kind === KIND.PTR) return true
  return orig.kind === KIND.INT && now.kind === KIND.INT && orig.encoding !== INT_SIGNED && now.encoding !== INT_SIGNED
}
