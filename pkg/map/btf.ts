// What BTF says about a map: the parts of its value that are the kernel's, and whether types fit the map. kernel/bpf/syscall.c (map_check_btf),
// kernel/bpf/btf.c (btf_parse_fields).
import type { Btf } from '../btf/btf.js'
import { KIND, type BtfMember, type BtfType } from '../btf/types.js'
import { MAP_F, MAP_TYPE } from '../uapi/bpf.js'
import { EACCES, EINVAL, ENOTSUPP, EOPNOTSUPP } from '../uapi/errno.js'
import { refuse, type NewMap } from './check.js'
import type { ValueField } from './types.js'

/** struct name -> kind of field and its bytes. */
const STRUCTS: Readonly<Record<string, readonly [kind: string, size: number]>> = {
  bpf_spin_lock: ['spin_lock', 4], bpf_res_spin_lock: ['res_spin_lock', 4], bpf_timer: ['timer', 16], bpf_wq: ['wq', 16],
  bpf_task_work: ['task_work', 16], bpf_list_head: ['list_head', 16], bpf_rb_root: ['rb_root', 16], bpf_refcount: ['refcount', 4],
}
const KPTR_TAGS: readonly string[] = ['kptr', 'kptr_untrusted', 'percpu_kptr']

const PLAIN: readonly number[] = [MAP_TYPE.HASH, MAP_TYPE.ARRAY]
const TIMED: readonly number[] = [...PLAIN, MAP_TYPE.LRU_HASH]
const POINTERS: readonly number[] = [...TIMED, MAP_TYPE.PERCPU_HASH, MAP_TYPE.PERCPU_ARRAY, MAP_TYPE.LRU_PERCPU_HASH]
/** Kind of field -> maps that may have it. uptr: task storage alone. */
const HOMES: Readonly<Record<string, readonly number[]>> = {
  spin_lock: PLAIN, res_spin_lock: PLAIN, timer: TIMED, wq: TIMED, task_work: TIMED, list_head: TIMED, rb_root: TIMED,
  kptr: POINTERS, refcount: POINTERS, uptr: [],
}
/** map_check_no_btf */
const WITHOUT_BTF: ReadonlySet<number> = new Set([
  MAP_TYPE.PERF_EVENT_ARRAY, MAP_TYPE.CGROUP_ARRAY, MAP_TYPE.STACK_TRACE, MAP_TYPE.ARRAY_OF_MAPS, MAP_TYPE.HASH_OF_MAPS, MAP_TYPE.DEVMAP,
  MAP_TYPE.DEVMAP_HASH, MAP_TYPE.CPUMAP, MAP_TYPE.XSKMAP,
])
/** Kinds that look at a missing key type themselves. */
const KEYLESS: ReadonlySet<number> = new Set([MAP_TYPE.ARRAY, MAP_TYPE.PERCPU_ARRAY, MAP_TYPE.LPM_TRIE, MAP_TYPE.BLOOM_FILTER, ...WITHOUT_BTF])
/** Types whose values programs only read. */
const READ_ONLY: ReadonlySet<number> = new Set([MAP_TYPE.DEVMAP, MAP_TYPE.DEVMAP_HASH])
const MAX_DEPTH = 8
const MAX_REPEATS = 64

/** map_check_btf: throws the kernel's errno; the fields of the value otherwise. Called when btf_value_type_id is given. */
export function checkMapBtf(attr: NewMap, btf: Btf): readonly ValueField[] {
  const key = attr.btfKeyTypeId === 0 ? undefined : sized(btf, attr.btfKeyTypeId, attr.keySize)
  refuse(key === undefined && !KEYLESS.has(attr.type), EINVAL)
  const value = sized(btf, attr.btfValueTypeId, attr.valueSize)
  const fields = valueFields(btf, attr.btfValueTypeId)
  if (fields.length > 0) checkHome(attr, fields)
  checkKind(attr, key, value)
  return fields
}

/** btf_type_id_size: the type behind a name, whose size must be the map's. */
function sized(btf: Btf, id: number, size: number): BtfType {
  refuse(id >= btf.count || btf.sizeof(id) !== size, EINVAL)
  return btf.resolve(id)
}

function checkHome(attr: NewMap, fields: readonly ValueField[]): void {
  refuse((attr.flags & (MAP_F.RDONLY_PROG | MAP_F.WRONLY_PROG)) !== 0 || READ_ONLY.has(attr.type), EACCES)
  refuse(fields.some((field) => !HOMES[field.kind]!.includes(attr.type)), EOPNOTSUPP)
}

/** The kinds' own map_check_btf. */
function checkKind(attr: NewMap, key: BtfType | undefined, value: BtfType): void {
  refuse(WITHOUT_BTF.has(attr.type), ENOTSUPP)
  if (attr.type === MAP_TYPE.BLOOM_FILTER) refuse(key !== undefined, EINVAL)
  if (attr.type === MAP_TYPE.LPM_TRIE) refuse(key?.kind !== KIND.STRUCT, EINVAL)
  if (attr.type === MAP_TYPE.ARRAY || attr.type === MAP_TYPE.PERCPU_ARRAY) refuse(!arrayKey(attr, key, value), EINVAL)
}

/** A u32; or no key type, for the one value that is a data section. */
function arrayKey(attr: NewMap, key: BtfType | undefined, value: BtfType): boolean {
  if (key) return key.kind === KIND.INT && key.size === 4
  return attr.type === MAP_TYPE.ARRAY && attr.maxEntries === 1 && value.kind === KIND.DATASEC
}

/** Special fields of a value type, ascending. */
export function valueFields(btf: Btf, id: number): readonly ValueField[] {
  return collect(btf, id, 0, 0).sort((a, b) => a.offset - b.offset)
}

function collect(btf: Btf, id: number, base: number, depth: number): ValueField[] {
  if (depth > MAX_DEPTH) return []
  const type = btf.resolve(id)
  const known = type.kind === KIND.STRUCT ? STRUCTS[type.name] : undefined
  if (known) return [{ kind: known[0], offset: base, size: known[1] }]
  if (type.kind === KIND.STRUCT || type.kind === KIND.UNION) return type.members.flatMap((member) => fromMember(btf, member, base, depth))
  if (type.kind === KIND.DATASEC) return type.vars.flatMap((variable) => collect(btf, variable.type, base + variable.offset, depth + 1))
  if (type.kind === KIND.VAR) return collect(btf, type.type, base, depth + 1)
  return type.kind === KIND.ARRAY ? repeated(btf, type.element, type.count, base, depth) : []
}

function fromMember(btf: Btf, member: BtfMember, base: number, depth: number): ValueField[] {
  if (member.bitSize !== 0) return []
  const offset = base + (member.bitOffset >> 3)
  const pointer = pointerKind(btf, member.type)
  return pointer ? [{ kind: pointer, offset, size: 8 }] : collect(btf, member.type, offset, depth + 1)
}

/** A pointer to something tagged. */
function pointerKind(btf: Btf, id: number): string | undefined {
  const type = btf.resolve(id)
  if (type.kind !== KIND.PTR) return undefined
  const target = btf.type(type.type)
  if (target.kind !== KIND.TYPE_TAG) return undefined
  if (KPTR_TAGS.includes(target.name)) return 'kptr'
  return target.name === 'uptr' ? 'uptr' : undefined
}

function repeated(btf: Btf, element: number, count: number, base: number, depth: number): ValueField[] {
  const pointer = pointerKind(btf, element)
  const first = pointer ? [{ kind: pointer, offset: 0, size: 8 }] : collect(btf, element, 0, depth + 1)
  const stride = btf.sizeof(element) ?? 0
  if (first.length === 0 || count > MAX_REPEATS) return []
  return Array.from({ length: count }, (_, n) => first.map((field) => ({ ...field, offset: base + n * stride + field.offset }))).flat()
}
