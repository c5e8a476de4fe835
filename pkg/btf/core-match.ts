// Which kernel types a CO-RE relocation may mean, and whether the same accesses work on one of them. Answers to
// bpf_core_find_cands and bpf_core_spec_match of libbpf.
import type { Btf } from './btf.js'
import { fieldsCompatible, sameKind, typesCompatible, typesMatch } from './core-compat.js'
import { CORE, essentialName, isEnumvalKind, isTypeKind } from './core-kinds.js'
import { MAX_SPEC, isFlexible, type Accessor, type CoreSpec } from './core-spec.js'
import { KIND, isComposite, isEnum, type BtfType } from './types.js'

const essentials = new WeakMap<Btf, Map<string, BtfType[]>>()

/** Kernel types of the same kind whose name is the same but for flavours. */
export function candidates(local: BtfType, kernel: Btf): BtfType[] {
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
export function matchSpec(local: CoreSpec, kernel: Btf, id: number): CoreSpec | undefined {
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
