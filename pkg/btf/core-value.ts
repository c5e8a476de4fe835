// The number that a CO-RE relocation stands for on one side, local or kernel. Answers to bpf_core_calc_field_relo and its siblings.
import { CORE, CORE_NAME } from './core-kinds.js'
import { describe, type Accessor, type CoreFail, type CoreSpec } from './core-spec.js'
import { INT_SIGNED, KIND, isComposite, isEnum, type BtfType } from './types.js'

/** size and type: of the memory accessed, 0 when none is. validate: the compiler must have come to the same number. */
export interface Calculated {
  value: bigint
  size: number
  type: number
  validate: boolean
}

export function valueOf(spec: CoreSpec, kind: number, fail: CoreFail): Calculated {
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
