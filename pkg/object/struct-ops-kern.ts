// A struct_ops table of an object brought into the shape that this kernel gives it: members by name, programs told which member they
// are. Answers to bpf_map__init_kern_struct_ops and bpf_object__adjust_struct_ops_autoload of tools/lib/bpf/libbpf.c.
import { KernelError } from '../bytes/errors.js'
import { KIND, type Btf, type BtfComposite, type BtfMember } from '../btf/index.js'
import { EINVAL, EOPNOTSUPP, type Errno } from '../uapi/errno.js'
import type { MapSpec, ObjectSpec, ProgSpec, TableFunc } from './spec.js'

/** Where a program goes: PROG_LOAD's attach_btf_id and expected_attach_type. */
export interface Slot {
  readonly typeId: number
  readonly member: number
}

export interface KernTable {
  readonly map: MapSpec
  /** The table's name in the kernel: tcp_congestion_ops. */
  readonly struct: string
  readonly valueTypeId: number
  /** bpf_struct_ops_NAME as MAP_UPDATE takes it, program ids still missing. */
  readonly value: Uint8Array
  readonly funcs: readonly { readonly at: number; readonly prog: ProgSpec }[]
}

export interface TablesContext {
  readonly object: ObjectSpec
  readonly local: () => Btf
  readonly kernel: () => Btf
  readonly warn: (line: string) => void
}

const VALUE_PREFIX = 'bpf_struct_ops_'

/** All tables that are to be created, and the slot of every program in them. */
export function kernTables(context: TablesContext): { tables: KernTable[]; slots: Map<ProgSpec, Slot> } {
  const slots = new Map<ProgSpec, Slot>()
  const maps = context.object.maps.filter(map => map.table?.autocreate)
  return { tables: maps.map(map => new Init(context, map, slots).table()), slots }
}

/** Programs whose loading the tables decide: those of tables that are created come, those of others only stay away. */
export function tableProgs(object: ObjectSpec): { wanted: Set<ProgSpec>; unwanted: Set<ProgSpec> } {
  const [wanted, unwanted] = [new Set<ProgSpec>(), new Set<ProgSpec>()]
  for (const { table } of object.maps) {
    for (const func of table?.funcs ?? []) (table?.autocreate ? wanted : unwanted).add(progOf(object, func)!)
  }
  for (const prog of wanted) unwanted.delete(prog)
  return { wanted, unwanted }
}

const progOf = (object: ObjectSpec, func: TableFunc): ProgSpec | undefined =>
  object.progs.find(p => p.name === func.prog.name && p.section === func.prog.section)

class Init {
  readonly #context: TablesContext
  readonly #map: MapSpec
  readonly #slots: Map<ProgSpec, Slot>
  readonly #local: Btf
  readonly #kernel: Btf
  readonly #whose: string

  constructor(context: TablesContext, map: MapSpec, slots: Map<ProgSpec, Slot>) {
    this.#context = context
    this.#map = map
    this.#slots = slots
    this.#local = context.local()
    this.#kernel = context.kernel()
    this.#whose = `struct_ops init_kern ${map.name}`
  }

  table(): KernTable {
    const { typeId } = this.#map.table!
    const struct = this.#local.type(typeId).name.replace(/___.*$/, '')
    const kernel = this.#struct(struct)
    const value = this.#struct(VALUE_PREFIX + struct)
    const data = value.members.find(m => this.#kernel.resolve(m.type).id === kernel.id)
    if (!data) throw this.#fail(EINVAL, `struct_ops init_kern: struct ${struct} data is not found in struct ${VALUE_PREFIX}${struct}`)
    const bytes = new Uint8Array(value.size)
    const start = data.bitOffset / 8
    const local = this.#local.type(typeId) as BtfComposite
    const funcs = local.members.flatMap(member => this.#member(member, kernel, bytes.subarray(start), start))
    return { map: this.#map, struct, valueTypeId: value.id, value: bytes, funcs }
  }

  #struct(name: string): BtfComposite {
    const found = this.#kernel.find(name, KIND.STRUCT)
    if (found?.kind !== KIND.STRUCT) throw this.#fail(EINVAL, `struct_ops init_kern: struct ${name} is not found in kernel BTF`)
    return found
  }

  #fail(errno: Errno, line: string): KernelError {
    this.#context.warn(line)
    this.#context.warn(`failed to load object '${this.#context.object.file}'`)
    return new KernelError(errno)
  }

  /** Copies one member; a callback comes back with its place. */
  #member(member: BtfMember, kernel: BtfComposite, to: Uint8Array, start: number): KernTable['funcs'] {
    const { data, funcs } = this.#map.table!
    const at = member.bitOffset >> 3
    const size = this.#local.sizeof(member.type)
    if (size === undefined) throw this.#fail(EINVAL, `${this.#whose}: failed to resolve the size of member ${member.name}`)
    const bytes = data.subarray(at, at + size)
    const func = funcs.find(f => f.offset === at)
    const index = kernel.members.findIndex(m => m.name === member.name)
    const kern = kernel.members[index]
    if (!kern) {
      if (!func && bytes.every(byte => byte === 0)) return []
      throw this.#fail(EOPNOTSUPP, `${this.#whose}: Cannot find member ${member.name} in kernel BTF`)
    }
    if (member.bitSize !== 0 || kern.bitSize !== 0) throw this.#fail(EOPNOTSUPP, `${this.#whose}: bitfield ${member.name} is not supported`)
    const [own, theirs] = [this.#local.resolve(member.type), this.#kernel.resolve(kern.type)]
    if (own.kind !== theirs.kind) {
      throw this.#fail(EOPNOTSUPP, `${this.#whose}: Unmatched member type ${member.name} ${own.kind} != ${theirs.kind}(kernel)`)
    }
    if (own.kind === KIND.PTR) return func ? [this.#func(func, member, kern, index, kernel.id, start)] : []
    const room = this.#kernel.sizeof(kern.type) ?? -1
    if (size !== room) throw this.#fail(EOPNOTSUPP, `${this.#whose}: Error in size of member ${member.name}: ${size} != ${room}(kernel)`)
    to.set(bytes, kern.bitOffset >> 3)
    return []
  }

  #func(func: TableFunc, member: BtfMember, kern: BtfMember, index: number, typeId: number, start: number): KernTable['funcs'][number] {
    const pointer = this.#kernel.resolve(kern.type)
    const target = pointer.kind === KIND.PTR ? this.#kernel.resolve(pointer.type) : pointer
    if (target.kind !== KIND.FUNC_PROTO) throw this.#fail(EOPNOTSUPP, `${this.#whose}: kernel member ${member.name} is not a func ptr`)
    const prog = progOf(this.#context.object, func)
    if (!prog) throw this.#fail(EOPNOTSUPP, `${this.#whose}: member ${member.name} is not a struct_ops program`)
    this.#claim(prog, member.name, { typeId, member: index })
    return { at: start + (kern.bitOffset >> 3), prog }
  }

  /** A program is one member of one kind of table. */
  #claim(prog: ProgSpec, name: string, slot: Slot): void {
    const known = this.#slots.get(prog)
    this.#slots.set(prog, slot)
    if (!known || (known.typeId === slot.typeId && known.member === slot.member)) return
    const which = `${this.#whose} func ptr ${name}: invalid reuse of prog ${prog.name} in sec ${prog.section} with type ${prog.type}`
    if (known.typeId !== slot.typeId) throw this.#fail(EINVAL, `${which}: attach_btf_id ${known.typeId} != kern_type_id ${slot.typeId}`)
    throw this.#fail(EINVAL, `${which}: expected_attach_type ${known.member} != kern_member_idx ${slot.member}`)
  }
}
