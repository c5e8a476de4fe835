// Fields of a map's value that have a meaning of their own, found by BTF: struct btf_record (kernel/bpf/btf.c, btf_parse_fields()).
import { KIND } from '../btf/types.js'
import type { Btf } from '../btf/btf.js'
import type { MapAttr } from '../map/types.js'
import type { Env } from './env.js'

export interface SpecialField {
  readonly name: string
  readonly off: number
  readonly size: number
  readonly kptr: boolean
}

const sizes: Readonly<Record<string, number>> = {
  bpf_spin_lock: 4, bpf_res_spin_lock: 4, bpf_timer: 16, bpf_wq: 16, bpf_list_head: 16, bpf_list_node: 24, bpf_rb_root: 16,
  bpf_rb_node: 32, bpf_refcount: 4, bpf_task_work: 16,
}

const cache = new WeakMap<MapAttr, readonly SpecialField[]>()
const none: readonly SpecialField[] = []

export function specialFields(env: Env, map: MapAttr): readonly SpecialField[] {
  const known = cache.get(map)
  if (known !== undefined) return known
  const btf = map.btfValueTypeId === 0 ? undefined : env.btfOf(map.btfId)
  const found = btf === undefined ? none : collect(btf, map.btfValueTypeId, 0, 0)
  cache.set(map, found)
  return found
}

const records = new WeakMap<Btf, Map<number, readonly SpecialField[]>>()

/** The fields of any type. */
export function recordOf(btf: Btf, id: number): readonly SpecialField[] {
  const known = records.get(btf) ?? new Map<number, readonly SpecialField[]>()
  records.set(btf, known)
  if (!known.has(id)) known.set(id, collect(btf, id, 0, 0))
  return known.get(id)!
}

function collect(btf: Btf, id: number, base: number, depth: number): SpecialField[] {
  const t = btf.resolve(id)
  if (depth > 8) return []
  if (t.kind === KIND.DATASEC) return t.vars.flatMap(v => collect(btf, v.type, base + v.offset, depth + 1))
  if (t.kind === KIND.VAR) return collect(btf, t.type, base, depth + 1)
  if (t.kind === KIND.ARRAY) return collectArray(btf, t.element, t.count, base, depth)
  if (t.kind !== KIND.STRUCT && t.kind !== KIND.UNION) return []
  if (t.kind === KIND.STRUCT && sizes[t.name] !== undefined) return [{ name: t.name, off: base, size: sizes[t.name]!, kptr: false }]
  const out: SpecialField[] = []
  for (const m of t.members) {
    if (m.bitSize !== 0) continue
    const off = base + (m.bitOffset >> 3)
    const kptr = kptrName(btf, m.type)
    if (kptr !== undefined) out.push({ name: kptr, off, size: 8, kptr: true })
    else out.push(...collect(btf, m.type, off, depth + 1))
  }
  return out
}

function collectArray(btf: Btf, element: number, count: number, base: number, depth: number): SpecialField[] {
  const size = btf.sizeof(element) ?? 0
  const first = collect(btf, element, 0, depth + 1)
  if (first.length === 0 || count > 64) return []
  return Array.from({ length: count }, (_, n) => first.map(f => ({ ...f, off: base + n * size + f.off }))).flat()
}

/** A pointer to something tagged kptr, kptr_untrusted, percpu_kptr or uptr. */
function kptrName(btf: Btf, id: number): string | undefined {
  const t = btf.resolve(id)
  if (t.kind !== KIND.PTR) return undefined
  const target = btf.type(t.type)
  if (target.kind !== KIND.TYPE_TAG) return undefined
  return ['kptr', 'kptr_untrusted', 'percpu_kptr', 'uptr'].includes(target.name) ? 'kptr' : undefined
}
