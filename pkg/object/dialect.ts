// Which proposal's reading of an object holds: the ids of sch_bpf, PIFO and PHYS_DEV collide with each other and with what
// upstream gave out later, so shapes, names and sections decide.
import { isComposite, isEnum, parseBtf, type Btf } from '../btf/index.js'
import { InputError } from '../bytes/errors.js'
import { BPF_CALL, BPF_JMP } from '../insn/opcode.js'
import type { Insn } from '../insn/insn.js'
import { FUNC, MAP_F, MAP_TYPE } from '../uapi/bpf.js'
import { RFC_FUNC, RFC_MAP_TYPE, RFC_PROG_TYPE } from '../uapi/rfc.js'
import { objectError } from './error.js'
import type { MapSpec, ObjectSpec, ProgSpec } from './spec.js'

export interface Dialect {
  /** schbpf1 … schbpf7, physdev1, physdev2, pifo2022; undefined: upstream's meaning, or ids of our own. */
  readonly name: string | undefined
  /** Told to the user once: what was found, and by what. */
  readonly note?: string
}

const MAX_PACKETS = 2048

/** The map type that a definition means: 31 and 32 by shape, all else as it says. */
export function mapTypeOf(map: MapSpec, dialect: string | undefined): number {
  if (map.section !== '.maps' && isPifo(map.type)) throw new InputError(`map '${map.name}': PIFO maps need a BTF definition (map_extra)`)
  if (dialect === 'upstream' || map.section !== '.maps') return map.type
  if (map.type === MAP_TYPE.USER_RINGBUF) return shapeOf31(map)
  if (map.type === MAP_TYPE.CGRP_STORAGE) return shapeOf32(map)
  return map.type
}

function shapeOf31(m: MapSpec): number {
  if (m.keySize === 4 && m.valueSize > 0 && m.maxEntries > 0 && isPowerOfTwo(m.mapExtra)) return RFC_MAP_TYPE.PIFO_GENERIC
  if (m.keySize === 8 && m.valueSize === 0 && m.maxEntries > 0 && m.maxEntries <= MAX_PACKETS && m.mapExtra === 0n) return RFC_MAP_TYPE.SKBMAP
  return m.type
}

function shapeOf32(m: MapSpec): number {
  if (m.keySize === 4 && m.maxEntries === 0 && m.flags & MAP_F.NO_PREALLOC) return m.type
  if (m.keySize === 4 && m.valueSize === 4 && m.maxEntries > 0 && isPowerOfTwo(m.mapExtra)) return RFC_MAP_TYPE.PIFO_XDP
  if (m.keySize === 8 && m.valueSize === 4 && m.maxEntries > 0 && m.maxEntries <= MAX_PACKETS && m.inner) return RFC_MAP_TYPE.FLOWMAP
  return m.type
}

function isPowerOfTwo(n: bigint): boolean {
  return n > 0n && (n & (n - 1n)) === 0n
}

/** The dialect of one program as `type`; `forced` comes from the command line or HOOKPOINT_DIALECT. */
export function dialectOf(object: ObjectSpec, prog: ProgSpec, type: number, forced?: string): Dialect {
  const said = forced ?? object.dialect
  if (said !== undefined) return { name: said === 'emu' || said === 'upstream' ? undefined : said }
  if (type === RFC_PROG_TYPE.SCHED_QDISC) return schBpf(object, prog)
  if (type === RFC_PROG_TYPE.PHYS_DEV) return physDev(object, prog)
  return pifo(object, prog, type)
}

function schBpf(object: ObjectSpec, prog: ProgSpec): Dialect {
  const context = prog.context
  if (context?.name === 'bpf_qdisc_ctx') return { name: 'schbpf7' }
  const btf = object.btf && parseBtf(object.btf, object.file)
  if (context?.name === 'sch_bpf_ctx' && btf) {
    if (context.size !== 24) return { name: hasMember(btf, 'sch_bpf_ctx', 'nr_packets') ? 'schbpf1' : 'schbpf2' }
    if (hasEnumerator(btf, 'SCH_BPF_CONTINUE')) return { name: 'schbpf4' }
    return { name: object.maps.some(m => isPacketMap(mapTypeOf(m, undefined))) ? 'schbpf5' : 'schbpf6' }
  }
  const name = prog.section.startsWith('qdisc/') ? 'schbpf7' : 'schbpf6'
  return { name, note: `${object.file}: no BTF of the context, read as sch_bpf v${name.slice(-1)}` }
}

function isPacketMap(type: number): boolean {
  return type === RFC_MAP_TYPE.SKBMAP || type === RFC_MAP_TYPE.FLOWMAP
}

function hasMember(btf: Btf, struct: string, member: string): boolean {
  return btf.named(struct).some(t => isComposite(t) && btf.member(t.id, member) !== undefined)
}

function hasEnumerator(btf: Btf, name: string): boolean {
  return btf.types.some(t => isEnum(t) && t.values.some(v => v.name === name))
}

function physDev(object: ObjectSpec, prog: ProgSpec): Dialect {
  if (prog.context?.name === 'xdp_metadata') return { name: 'physdev1' }
  if (prog.context?.name === 'bpf_phys_dev_md') return { name: 'physdev2' }
  if (prog.context?.name === 'xdp_md') throw objectError(object.file, `prog '${prog.name}'`, 'this is an XDP program')
  return { name: 'physdev1', note: `${object.file}: no BTF, return codes read as PHYS_DEV v1 (0 = pass, other = drop)` }
}

/** The PIFO series has ids of its own only in our header; with the posted ones, map shapes or a dequeue section tell. */
function pifo(object: ObjectSpec, prog: ProgSpec, type: number): Dialect {
  const posted = object.maps.some(m => m.type < RFC_MAP_TYPE.PIFO_GENERIC && isPifo(mapTypeOf(m, undefined)))
  const hooked = type === RFC_PROG_TYPE.DEQUEUE || object.progs.some(p => p.type === RFC_PROG_TYPE.DEQUEUE)
  if (!posted && !hooked) return { name: undefined }
  const calls = prog.link().insns.filter(i => i.code === (BPF_JMP | BPF_CALL) && i.src === 0).map(i => i.imm)
  if (calls.some(id => id >= 0x50000 && id < 0x60000)) return { name: undefined }
  if (!posted && !calls.some(id => id >= 208 && id <= 210)) return { name: undefined }
  return { name: 'pifo2022', note: `${object.file}: map types 31/32 and helpers 208 to 210 read as PIFO (pifo2022)` }
}

/** Posted helper numbers of the PIFO series -> ours. In an XDP program only the third can be the series'. */
const POSTED: ReadonlyMap<number, number> = new Map([
  [FUNC.ktime_get_tai_ns, RFC_FUNC.packet_dequeue], [FUNC.user_ringbuf_drain, RFC_FUNC.packet_drop], [FUNC.cgrp_storage_get, RFC_FUNC.schedule_iface_dequeue],
])

/** Calls of a program whose numbers were read as the series', with our numbers. */
export function renumberCalls(insns: Insn[], dialect: string | undefined, type: number): void {
  if (dialect !== 'pifo2022') return
  for (const i of insns) {
    if (i.code !== (BPF_JMP | BPF_CALL) || i.src !== 0) continue
    const ours = type === RFC_PROG_TYPE.DEQUEUE || i.imm === FUNC.cgrp_storage_get ? POSTED.get(i.imm) : undefined
    if (ours !== undefined) i.imm = ours
  }
}

function isPifo(type: number): boolean {
  return type === RFC_MAP_TYPE.PIFO_GENERIC || type === RFC_MAP_TYPE.PIFO_XDP
}

