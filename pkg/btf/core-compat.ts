// When a local type and a kernel type are the same for CO-RE: loosely for fields and type_exists, strictly for type_matches.
// Answers to bpf_core_fields_are_compat, bpf_core_types_are_compat and bpf_core_types_match of libbpf.
import type { Btf } from './btf.js'
import { essentialName } from './core-kinds.js'
import { INT_SIGNED, KIND, isComposite, isEnum, type BtfComposite, type BtfEnum, type BtfFwd, type BtfType } from './types.js'

const MAX_DEPTH = 32

/** Same kind, where ENUM and ENUM64 are one. */
export function sameKind(local: BtfType, target: BtfType): boolean {
  return local.kind === target.kind || (isEnum(local) && isEnum(target))
}

/** The types of two members of the same name may stand for each other. */
export function fieldsCompatible(local: Btf, localId: number, target: Btf, targetId: number, depth = 0): boolean {
  const [l, t] = [local.resolve(localId), target.resolve(targetId)]
  if (isComposite(l) && isComposite(t)) return true
  if (!sameKind(l, t)) return false
  switch (l.kind) {
    case KIND.PTR: case KIND.FLOAT: return true
    case KIND.FWD: case KIND.ENUM: case KIND.ENUM64:
      return l.name === '' || t.name === '' || essentialName(l.name) === essentialName(t.name)
    case KIND.INT: return t.kind === KIND.INT && l.bitOffset === 0 && t.bitOffset === 0
    case KIND.ARRAY:
      return t.kind === KIND.ARRAY && depth < MAX_DEPTH && fieldsCompatible(local, l.element, target, t.element, depth + 1)
    default: return false
  }
}

/** Two types of the same name are the same type as far as type_exists, type_size and type ids care. */
export function typesCompatible(local: Btf, localId: number, target: Btf, targetId: number): boolean {
  return sameKind(local.type(localId), target.type(targetId)) && compatible(local, localId, target, targetId, new Budget())
}

function compatible(local: Btf, localId: number, target: Btf, targetId: number, budget: Budget): boolean {
  const [l, t] = [local.resolve(localId), target.resolve(targetId)]
  if (!sameKind(l, t) || !budget.step()) return false
  if (l.kind === KIND.INT) return t.kind === KIND.INT && l.bitOffset === 0 && t.bitOffset === 0
  if (l.kind === KIND.PTR) return t.kind === KIND.PTR && compatible(local, l.type, target, t.type, budget)
  if (l.kind === KIND.ARRAY) return t.kind === KIND.ARRAY && compatible(local, l.element, target, t.element, budget)
  if (l.kind === KIND.FUNC_PROTO) {
    return t.kind === KIND.FUNC_PROTO && l.params.length === t.params.length
      && l.params.every((p, i) => compatible(local, p.type, target, t.params[i]!.type, budget))
      && compatible(local, l.ret, target, t.ret, budget)
  }
  return l.kind === KIND.UNKN || isComposite(l) || isEnum(l) || l.kind === KIND.FWD
}

/** Every member and enumerator of the local type is in the target with a matching type. */
export function typesMatch(local: Btf, localId: number, target: Btf, targetId: number): boolean {
  return matches(local, localId, target, targetId, false, MAX_DEPTH, new Budget())
}

function matches(
  local: Btf, localId: number, target: Btf, targetId: number, behindPtr: boolean, depth: number, budget: Budget,
): boolean {
  const [l, t] = [local.resolve(localId), target.resolve(targetId)]
  if (depth === 0 || !budget.step() || !namesMatch(l, t)) return false
  const deeper = (a: number, b: number, behind = behindPtr): boolean => matches(local, a, target, b, behind, depth - 1, budget)
  switch (l.kind) {
    case KIND.UNKN: return t.kind === KIND.UNKN
    case KIND.FWD: return fwdMatches(l, t, behindPtr)
    case KIND.ENUM: case KIND.ENUM64: return isEnum(t) && enumsMatch(l, t)
    case KIND.STRUCT: case KIND.UNION:
      if (behindPtr) return l.kind === t.kind || (t.kind === KIND.FWD && t.union === (l.kind === KIND.UNION))
      return isComposite(t) && l.kind === t.kind && compositesMatch(l, t, (a, b) => deeper(a, b, false))
    case KIND.INT: return t.kind === KIND.INT && l.size === t.size && (l.encoding & INT_SIGNED) === (t.encoding & INT_SIGNED)
    case KIND.PTR: return t.kind === KIND.PTR && deeper(l.type, t.type, true)
    case KIND.ARRAY: return t.kind === KIND.ARRAY && l.count === t.count && deeper(l.element, t.element)
    case KIND.FUNC_PROTO:
      return t.kind === KIND.FUNC_PROTO && l.params.length === t.params.length
        && l.params.every((p, i) => deeper(p.type, t.params[i]!.type)) && deeper(l.ret, t.ret)
    default: return false
  }
}

function namesMatch(local: BtfType | { name: string }, target: { name: string }): boolean {
  return essentialName(local.name) === essentialName(target.name)
}

function fwdMatches(l: BtfFwd, t: BtfType, behindPtr: boolean): boolean {
  if (t.kind === KIND.FWD) return l.union === t.union
  return behindPtr && t.kind === (l.union ? KIND.UNION : KIND.STRUCT)
}

function enumsMatch(l: BtfEnum, t: BtfEnum): boolean {
  return l.values.length <= t.values.length && l.values.every(v => t.values.some(other => namesMatch(v, other)))
}

function compositesMatch(l: BtfComposite, t: BtfComposite, match: (local: number, target: number) => boolean): boolean {
  return l.members.length <= t.members.length
    && l.members.every(m => t.members.some(other => namesMatch(m, other) && match(m.type, other.type)))
}

/** Prototypes can refer to themselves; a walk ends after so many types and then says no. */
class Budget {
  #left = 20_000

  step(): boolean {
    return this.#left-- > 0
  }
}
