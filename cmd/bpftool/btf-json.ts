// `btf dump … format raw` with -j (btf.c: dump_btf_type): the fields of each line as members.
import { intEncodingName, linkageName, quoted } from '../../pkg/btf/dump-raw.js'
import { isComposite, isEnum, KIND, KIND_NAME, type BtfType } from '../../pkg/btf/types.js'

export function typeRecord(t: BtfType): object {
  return { id: t.id, kind: KIND_NAME[t.kind], name: quoted(t.name), ...details(t) }
}

function details(t: BtfType): object {
  if (isComposite(t)) return { size: t.size, vlen: t.members.length, members: t.members.map(member) }
  if (isEnum(t)) {
    const values = t.values.map(({ name, value }) => ({ name: quoted(name), val: value }))
    return { encoding: t.signed ? 'SIGNED' : 'UNSIGNED', size: t.size, vlen: t.values.length, values }
  }
  switch (t.kind) {
    case KIND.INT: return { size: t.size, bits_offset: t.bitOffset, nr_bits: t.bits, encoding: intEncodingName(t.encoding) }
    case KIND.PTR: case KIND.CONST: case KIND.VOLATILE: case KIND.RESTRICT: case KIND.TYPEDEF: case KIND.TYPE_TAG: return { type_id: t.type }
    case KIND.ARRAY: return { type_id: t.element, index_type_id: t.index, nr_elems: t.count }
    case KIND.FWD: return { fwd_kind: t.union ? 'union' : 'struct' }
    case KIND.FUNC: return { type_id: t.type, linkage: linkageName(t.linkage) }
    case KIND.FUNC_PROTO: {
      const params = t.params.map(({ name, type }) => ({ name: quoted(name), type_id: type }))
      return { ret_type_id: t.ret, vlen: t.params.length, params }
    }
    case KIND.VAR: return { type_id: t.type, linkage: linkageName(t.linkage) }
    case KIND.DATASEC: return { size: t.size, vlen: t.vars.length, vars: t.vars.map(({ type, offset, size }) => ({ type_id: type, offset, size })) }
    case KIND.FLOAT: return { size: t.size }
    case KIND.DECL_TAG: return { type_id: t.type, component_idx: t.component }
    default: return {}
  }
}

function member(m: { readonly name: string; readonly type: number; readonly bitOffset: number; readonly bitSize: number }): object {
  return { name: quoted(m.name), type_id: m.type, bits_offset: m.bitOffset, ...(m.bitSize ? { bitfield_size: m.bitSize } : {}) }
}
