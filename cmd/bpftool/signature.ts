// A function's type in one line (btf_dumper.c: btf_dumper_type_only): `int xdp_count(struct xdp_md * ctx)`. Not C's inside-out syntax.
import type { Btf } from '../../pkg/btf/btf.js'
import { isComposite, isEnum, KIND, type BtfFuncProto } from '../../pkg/btf/types.js'

/** '' when the id is no function. */
export function signature(btf: Btf, id: number): string {
  const t = btf.type(id)
  return t.kind === KIND.FUNC ? typeText(btf, id, 0) : ''
}

const MAX_DEPTH = 32
const QUALIFIER: Readonly<Record<number, string>> = {
  [KIND.CONST]: 'const ', [KIND.VOLATILE]: 'volatile ', [KIND.RESTRICT]: 'restrict ', [KIND.TYPE_TAG]: '',
}

function typeText(btf: Btf, id: number, depth: number): string {
  const t = btf.type(id)
  if (depth > MAX_DEPTH) return ''
  if (t.kind === KIND.UNKN) return 'void '
  if (isComposite(t)) return `${t.kind === KIND.STRUCT ? 'struct' : 'union'} ${t.name} `
  if (isEnum(t)) return `enum ${t.name} `
  switch (t.kind) {
    case KIND.PTR: return `${typeText(btf, t.type, depth + 1)}* `
    case KIND.ARRAY: return `${typeText(btf, t.element, depth + 1)}[${t.count}]`
    case KIND.FWD: return `${t.union ? 'union' : 'struct'} ${t.name} `
    case KIND.CONST: case KIND.VOLATILE: case KIND.RESTRICT: case KIND.TYPE_TAG: return `${QUALIFIER[t.kind]}${typeText(btf, t.type, depth + 1)}`
    case KIND.FUNC: return functionText(btf, btf.type(t.type) as BtfFuncProto, t.name, depth)
    case KIND.FUNC_PROTO: return functionText(btf, t, '', depth)
    default: return `${t.name} `
  }
}

function functionText(btf: Btf, proto: BtfFuncProto, name: string, depth: number): string {
  if (proto.kind !== KIND.FUNC_PROTO) return ''
  const params = proto.params.map((p) => {
    if (p.type === 0) return '...'
    const type = typeText(btf, p.type, depth + 1)
    return p.name === '' ? type.replace(/ $/, '') : `${type}${p.name}`
  })
  return `${typeText(btf, proto.ret, depth + 1)}${name}(${params.join(', ')})`
}
