// CO-RE: what the instruction of one relocation must say on the kernel whose BTF is given. Pure: patching instructions is the
// caller's. Answers to bpf_core_calc_relo_insn of tools/lib/bpf/relo_core.c.
import { InputError } from '../bytes/errors.js'
import { printable } from '../bytes/printable.js'
import type { Btf } from './btf.js'
import { fieldsCompatible, sameKind, typesCompatible, typesMatch } from './core-compat.js'
import { CORE, CORE_NAME, essentialName, isEnumvalKind, isTypeKind } from './core-kinds.js'
import { MAX_SPEC, describe, isFlexible, parseSpec, type Accessor, type CoreFail, type CoreRelo, type CoreSpec } from './core-spec.js'
import { INT_SIGNED, KIND, isComposite, isEnum, type BtfType } from './types.js'

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

interface Calculated {
  value: bigint
  size: number
  type: number
  validate: boolean
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

const essentials = new WeakMap<Btf, Map<string, BtfType[]>>()

/** Kernel types of the same kind whose name is the same but for flavours. */
function candidates(local: BtfType, kernel: Btf): BtfType[] {
  let index = essentials.get(kernel)
  if (!index) {
    index = new Map()
    for (const t of kernel.types) {
      if (t.name === '') continue
      const name = essentialName(t.name)
      index.set(name, [...(index.get(name) ?? []), t])
    }
    essentials.set(kernel, index)
  }
  return (index.get(essentialName(local.name)) ?? []).filter(t => sameKind(local, t))
}

/** The same accesses on a kernel type; undefined when it lacks one of them. */
function matchSpec(local: CoreSpec, kernel: Btf, id: number): CoreSpec | undefined {
  const target: CoreSpec = { btf: kernel, root: id, kind: local.kind, accessors: [], raw: [], bitOffset: 0 }
  if (isTypeKind(local.kind)) {
    const same = local.kind === CORE.TYPE_MATCHES ? typesMatch : typesCompatible
    return same(local.btf, local.root, kernel, id) ? target : undefined
  }
  if (isEnumvalKind(local.kind)) return matchEnumerator(local, target)
  return matchAccesses(local, target)
}

function matchEnumerator(local: CoreSpec, target: CoreSpec): CoreSpec | undefined {
  const t = target.btf.resolve(target.root)
  const name = essentialName(local.accessors[0]!.name)
  const index = isEnum(t) ? t.values.findIndex(v => essentialName(v.name) === name) : -1
  if (!isEnum(t) || index < 0) return undefined
  target.accessors.push({ type: t.id, index, name: t.values[index]!.name })
  target.raw.push(index)
  return target
}

function matchAccesses(local: CoreSpec, target: CoreSpec): CoreSpec | undefined {
  let id: number | undefined = target.root
  for (const [i, accessor] of local.accessors.entries()) {
    if (accessor.name !== '') id = matchMember(local.btf, accessor, target, id, 0)
    else id = matchElement(accessor, target, id, i === 0)
    if (id === undefined || target.raw.length > MAX_SPEC) return undefined
  }
  return target
}

function matchElement(accessor: Accessor, target: CoreSpec, id: number, first: boolean): number | undefined {
  const { btf } = target
  const t = btf.resolve(id)
  if (!first) {
    if (t.kind !== KIND.ARRAY) return undefined
    if (accessor.index >= t.count && !isFlexible(btf, target.accessors.at(-1), t)) return undefined
  }
  const element = first || t.kind !== KIND.ARRAY ? t : btf.resolve(t.element)
  const size = btf.sizeof(element.id)
  if (size === undefined) return undefined
  target.accessors.push({ type: element.id, index: accessor.index, name: '' })
  target.raw.push(accessor.index)
  target.bitOffset += accessor.index * size * 8
  return element.id
}

/** Finds a member by name, also inside of anonymous ones; its type must be compatible. Returns that type. */
function matchMember(local: Btf, accessor: Accessor, target: CoreSpec, id: number, depth: number): number | undefined {
  const t = target.btf.resolve(id)
  if (!isComposite(t) || depth > 32) return undefined
  for (const [index, m] of t.members.entries()) {
    const before = { bitOffset: target.bitOffset, raw: target.raw.length }
    target.bitOffset += m.bitOffset
    target.raw.push(index)
    if (m.name === '') {
      const found = matchMember(local, accessor, target, m.type, depth + 1)
      if (found !== undefined) return found
    } else if (m.name === accessor.name) {
      const owner = local.type(accessor.type)
      const type = isComposite(owner) ? owner.members[accessor.index]!.type : 0
      if (!fieldsCompatible(local, type, target.btf, m.type)) return undefined
      target.accessors.push({ type: t.id, index, name: m.name })
      return m.type
    }
    target.bitOffset = before.bitOffset
    target.raw.length = before.raw
  }
  return undefined
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

function valueOf(spec: CoreSpec, kind: number, fail: CoreFail): Calculated {
  const plain = (value: bigint, validate = true): Calculated => ({ value, size: 0, type: 0, validate })
  if (kind === CORE.FIELD_EXISTS || kind === CORE.ENUMVAL_EXISTS) return plain(1n)
  if (kind === CORE.TYPE_EXISTS || kind === CORE.TYPE_MATCHES) return plain(1n)
  if (kind === CORE.TYPE_ID_TARGET) return plain(BigInt(spec.root), false)
  if (kind === CORE.TYPE_SIZE) return plain(BigInt(sized(spec, spec.root, fail)))
  if (kind === CORE.ENUMVAL_VALUE) return plain(BigInt.asUintN(64, enumerator(spec)))
  const last = spec.accessors.at(-1)!
  return last.name === '' ? elementValue(spec, last, kind, fail) : fieldValue(spec, last, kind, fail)
}

function enumerator(spec: CoreSpec): bigint {
  const t = spec.btf.resolve(spec.root)
  return isEnum(t) ? t.values[spec.accessors[0]!.index]!.value : 0n
}

function sized(spec: CoreSpec, id: number, fail: CoreFail): number {
  const size = spec.btf.sizeof(id)
  if (size === undefined) throw fail(`${describe(spec.btf, id)} has no size`)
  return size
}

function elementValue(spec: CoreSpec, last: Accessor, kind: number, fail: CoreFail): Calculated {
  const size = sized(spec, last.type, fail)
  if (kind === CORE.FIELD_BYTE_OFFSET) {
    return { value: BigInt(Math.floor(spec.bitOffset / 8)), size, type: last.type, validate: true }
  }
  if (kind === CORE.FIELD_BYTE_SIZE) return { value: BigInt(size), size: 0, type: 0, validate: true }
  throw fail(`relocation <${CORE_NAME[kind]}> can't be applied to array access`)
}

function fieldValue(spec: CoreSpec, last: Accessor, kind: number, fail: CoreFail): Calculated {
  const owner = spec.btf.type(last.type)
  if (!isComposite(owner)) throw fail(`${describe(spec.btf, last.type)} has no members`)
  const m = owner.members[last.index]!
  const t = spec.btf.resolve(m.type)
  const { byteOffset, byteSize, bitSize } = m.bitSize ? bitfieldUnit(spec, m.bitSize, t, fail) : plainUnit(spec, t, fail)
  const validate = m.bitSize === 0
  const plain = (value: number, certain = validate): Calculated => ({ value: BigInt(value), size: 0, type: 0, validate: certain })
  switch (kind) {
    case CORE.FIELD_BYTE_OFFSET: {
      const memory = m.bitSize ? { size: 0, type: 0 } : elementOf(spec, t, fail)
      return { value: BigInt(byteOffset), ...memory, validate }
    }
    case CORE.FIELD_BYTE_SIZE: return plain(byteSize)
    case CORE.FIELD_SIGNED: return plain(isSigned(t) ? 1 : 0, true)
    case CORE.FIELD_LSHIFT_U64: return plain(64 - (spec.bitOffset + bitSize - byteOffset * 8))
    default: return plain(64 - bitSize, true)
  }
}

function plainUnit(spec: CoreSpec, t: BtfType, fail: CoreFail): { byteOffset: number; byteSize: number; bitSize: number } {
  const byteSize = sized(spec, t.id, fail)
  return { byteOffset: Math.floor(spec.bitOffset / 8), byteSize, bitSize: byteSize * 8 }
}

/** The smallest aligned integer, at least as wide as the declared type, that holds all bits of the field. */
function bitfieldUnit(
  spec: CoreSpec, bitSize: number, t: BtfType, fail: CoreFail,
): { byteOffset: number; byteSize: number; bitSize: number } {
  const at = (size: number): number => Math.floor(spec.bitOffset / 8 / size) * size
  let byteSize = Math.max(1, sized(spec, t.id, fail))
  while (spec.bitOffset + bitSize - at(byteSize) * 8 > byteSize * 8) {
    if (byteSize >= 8) throw fail("relocation can't be satisfied for bitfield")
    byteSize *= 2
  }
  return { byteOffset: at(byteSize), byteSize, bitSize }
}

/** Arrays are accessed element by element. */
function elementOf(spec: CoreSpec, t: BtfType, fail: CoreFail): { size: number; type: number } {
  for (let depth = 0; t.kind === KIND.ARRAY && depth < 32; depth++) t = spec.btf.resolve(t.element)
  return { size: sized(spec, t.id, fail), type: t.id }
}

function isSigned(t: BtfType): boolean {
  return (isEnum(t) && t.signed) || (t.kind === KIND.INT && (t.encoding & INT_SIGNED) !== 0)
}
