// The text of `bpftool btf dump`, format raw (tools/bpf/bpftool/btf.c of bpftool 7.1).
import type { Btf } from './btf.js'
import { KIND, KIND_NAME, type BtfComposite, type BtfEnum, type BtfType } from './types.js'

const LINKAGE_NAME = ['static', 'global', 'extern']

/** Every type of the blob, one or more lines each. */
export function dumpRaw(btf: Btf): string {
  return btf.types.map(t => dumpRawType(btf, t) + '\n').join('')
}

/** One type without its last newline: `[5] PTR '(anon)' type_id=8`. */
export function dumpRawType(btf: Btf, t: BtfType): string {
  return `[${t.id}] ${KIND_NAME[t.kind]} '${quoted(t.name)}'${details(btf, t)}`
}

/** A name as raw dumps show it. */
export function quoted(name: string): string {
  return name === '' ? '(anon)' : name
}

/** SIGNED, CHAR, BOOL or (none); combinations are unknown to bpftool. */
export function intEncodingName(encoding: number): string {
  return ({ 0: '(none)', 1: 'SIGNED', 2: 'CHAR', 4: 'BOOL' } as Record<number, string>)[encoding] ?? 'UNKN'
}

export function linkageName(linkage: number): string {
  return LINKAGE_NAME[linkage] ?? '(unknown)'
}

function details(btf: Btf, t: BtfType): string {
  switch (t.kind) {
    case KIND.UNKN: return ''
    case KIND.INT:
      return ` size=${t.size} bits_offset=${t.bitOffset} nr_bits=${t.bits} encoding=${intEncodingName(t.encoding)}`
    case KIND.PTR: case KIND.CONST: case KIND.VOLATILE: case KIND.RESTRICT: case KIND.TYPEDEF: case KIND.TYPE_TAG:
      return ` type_id=${t.type}`
    case KIND.ARRAY: return ` type_id=${t.element} index_type_id=${t.index} nr_elems=${t.count}`
    case KIND.STRUCT: case KIND.UNION: return ` size=${t.size} vlen=${t.members.length}${members(t)}`
    case KIND.ENUM: case KIND.ENUM64: return enumDetails(t)
    case KIND.FWD: return ` fwd_kind=${t.union ? 'union' : 'struct'}`
    case KIND.FUNC: return ` type_id=${t.type} linkage=${linkageName(t.linkage)}`
    case KIND.FUNC_PROTO:
      return ` ret_type_id=${t.ret} vlen=${t.params.length}` + t.params.map(p => `\n\t'${quoted(p.name)}' type_id=${p.type}`).join('')
    case KIND.VAR: return ` type_id=${t.type}, linkage=${linkageName(t.linkage)}`
    case KIND.DATASEC:
      return ` size=${t.size} vlen=${t.vars.length}` + t.vars.map(v => {
        const target = btf.type(v.type)
        return `\n\ttype_id=${v.type} offset=${v.offset} size=${v.size} (${KIND_NAME[target.kind]} '${quoted(target.name)}')`
      }).join('')
    case KIND.FLOAT: return ` size=${t.size}`
    case KIND.DECL_TAG: return ` type_id=${t.type} component_idx=${t.component}`
  }
}

function members(t: BtfComposite): string {
  return t.members.map(m => {
    const size = m.bitSize ? ` bitfield_size=${m.bitSize}` : ''
    return `\n\t'${quoted(m.name)}' type_id=${m.type} bits_offset=${m.bitOffset}${size}`
  }).join('')
}

function enumDetails(t: BtfEnum): string {
  const suffix = t.kind === KIND.ENUM ? '' : t.signed ? 'LL' : 'ULL'
  const head = ` encoding=${t.signed ? 'SIGNED' : 'UNSIGNED'} size=${t.size} vlen=${t.values.length}`
  return head + t.values.map(v => `\n\t'${quoted(v.name)}' val=${v.value}${suffix}`).join('')
}
