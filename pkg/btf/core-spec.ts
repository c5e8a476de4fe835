// What a CO-RE relocation points at: the root type and the accessors `0:1:2` behind it. Answers to bpf_core_parse_spec of
// tools/lib/bpf/relo_core.c.
import type { InputError } from '../bytes/errors.js'
import type { Btf } from './btf.js'
import { CORE_NAME, isEnumvalKind, isFieldKind, isTypeKind } from './core-kinds.js'
import { KIND, isComposite, isEnum, type BtfArray } from './types.js'

/** A record of .BTF.ext with its access string. */
export interface CoreRelo {
  /** Bytes from the start of the program. */
  readonly insnOff: number
  readonly typeId: number
  readonly access: string
  readonly kind: number
}

/** One step: a named member of a struct, or an array element ('' has no name). */
export interface Accessor {
  readonly type: number
  readonly index: number
  readonly name: string
}

export interface CoreSpec {
  readonly btf: Btf
  readonly root: number
  readonly kind: number
  /** Named members and array indexes; anonymous members are folded into offsets. */
  readonly accessors: Accessor[]
  /** Every index, anonymous members included. */
  readonly raw: number[]
  bitOffset: number
}

/** BPF_CORE_SPEC_MAX_LEN. */
export const MAX_SPEC = 64

export type CoreFail = (reason: string) => InputError

/** The local side of a relocation, from the BTF of the object. */
export function parseSpec(btf: Btf, relo: CoreRelo, fail: CoreFail): CoreSpec {
  const raw = parseAccess(relo.access, fail)
  const spec: CoreSpec = { btf, root: relo.typeId, kind: relo.kind, accessors: [], raw, bitOffset: 0 }
  if (isTypeKind(relo.kind)) {
    if (relo.access !== '0') throw fail(`invalid access string '${relo.access}' for a type`)
    return spec
  }
  const root = btf.resolve(relo.typeId)
  if (isEnumvalKind(relo.kind)) {
    const value = isEnum(root) && raw.length === 1 ? root.values[raw[0]!] : undefined
    if (!value) throw fail(`invalid enumerator '${relo.access}' of ${describe(btf, relo.typeId)}`)
    spec.accessors.push({ type: root.id, index: raw[0]!, name: value.name })
    return spec
  }
  if (!isFieldKind(relo.kind)) throw fail(`unrecognized CO-RE relocation (${relo.kind})`)
  walk(spec, root.id, fail)
  return spec
}

function parseAccess(text: string, fail: CoreFail): number[] {
  if (!/^\d{1,9}(:\d{1,9})*$/.test(text)) throw fail(`invalid access string '${text}'`)
  const raw = text.split(':').map(Number)
  if (raw.length > MAX_SPEC) throw fail(`access string '${text}' is too long`)
  return raw
}

function walk(spec: CoreSpec, id: number, fail: CoreFail): void {
  const { btf, raw } = spec
  const bad = (): InputError => fail(`invalid access '${raw.join(':')}' to ${describe(btf, spec.root)}`)
  spec.accessors.push({ type: id, index: raw[0]!, name: '' })
  spec.bitOffset = raw[0]! * sizeOf(btf, id, bad) * 8
  for (const index of raw.slice(1)) {
    const t = btf.resolve(id)
    if (isComposite(t)) {
      const m = t.members[index]
      if (!m) throw bad()
      spec.bitOffset += m.bitOffset
      if (m.name !== '') spec.accessors.push({ type: t.id, index, name: m.name })
      id = m.type
    } else if (t.kind === KIND.ARRAY) {
      if (index >= t.count && !isFlexible(btf, spec.accessors.at(-1), t)) throw bad()
      id = btf.resolve(t.element).id
      spec.accessors.push({ type: id, index, name: '' })
      spec.bitOffset += index * sizeOf(btf, id, bad) * 8
    } else {
      throw bad()
    }
  }
}

function sizeOf(btf: Btf, id: number, bad: () => InputError): number {
  const size = btf.sizeof(id)
  if (size === undefined) throw bad()
  return size
}

/** An array without length at the end of a struct, or of length 0 or 1 there, may be indexed freely. */
export function isFlexible(btf: Btf, accessor: Accessor | undefined, array: BtfArray): boolean {
  if (!accessor || accessor.name === '' || array.count > 0) return false
  const t = btf.type(accessor.type)
  return isComposite(t) && accessor.index === t.members.length - 1
}

/** As libbpf's log shows it: `<byte_off> [7] struct foo.bar[2].baz (0:1:2:0 @ offset 12)`. */
export function formatSpec(spec: CoreSpec): string {
  const head = `<${CORE_NAME[spec.kind] ?? 'unknown'}> ${describe(spec.btf, spec.root)}`
  if (isTypeKind(spec.kind)) return head
  if (isEnumvalKind(spec.kind)) {
    const t = spec.btf.resolve(spec.root)
    const accessor = spec.accessors[0]
    const value = isEnum(t) && accessor ? t.values[accessor.index] : undefined
    return value ? `${head}::${value.name} = ${value.value}` : head
  }
  const path = spec.accessors.map((a, i) => a.name ? `.${a.name}` : i > 0 || a.index > 0 ? `[${a.index}]` : '').join('')
  const bits = spec.bitOffset % 8 ? `.${spec.bitOffset % 8}` : ''
  return `${head}${path} (${spec.raw.join(':')} @ offset ${Math.floor(spec.bitOffset / 8)}${bits})`
}

/** `[12] struct foo`. */
export function describe(btf: Btf, id: number): string {
  const t = btf.type(id)
  const words: { [kind: number]: string } = {
    [KIND.STRUCT]: 'struct ', [KIND.UNION]: 'union ', [KIND.ENUM]: 'enum ', [KIND.ENUM64]: 'enum ', [KIND.FWD]: 'fwd ',
    [KIND.TYPEDEF]: 'typedef ', [KIND.INT]: 'int ', [KIND.UNKN]: 'void ',
  }
  return `[${id}] ${words[t.kind] ?? ''}${t.name === '' ? '<anon>' : t.name}`
}
