// Loads from a map pointer: what struct bpf_map says of a map never changes, so such loads become constants
// (check_ptr_to_map_access(), kernel/bpf/verifier.c; offsets of 6.18). What has no meaning here reads as 0.
import { MAP_TYPE } from '../uapi/bpf.js'
import { EACCES } from '../uapi/errno.js'
import type { MapAttr } from '../map/types.js'
import type { Env } from './env.js'
import type { Access } from './mem.js'
import { unknownScalar, type Reg } from './reg.js'

/** Struct of a kind of map and its size, by BTF of 6.18. */
const HTAB = ['bpf_htab', 832] as const
const QUEUE = ['bpf_queue_stack', 312] as const
const DTAB = ['bpf_dtab', 344] as const
const structs: Readonly<Record<number, readonly [string, number]>> = {
  [MAP_TYPE.HASH]: HTAB, [MAP_TYPE.PERCPU_HASH]: HTAB, [MAP_TYPE.LRU_HASH]: HTAB, [MAP_TYPE.LRU_PERCPU_HASH]: HTAB,
  [MAP_TYPE.HASH_OF_MAPS]: HTAB, [MAP_TYPE.QUEUE]: QUEUE, [MAP_TYPE.STACK]: QUEUE, [MAP_TYPE.DEVMAP]: DTAB, [MAP_TYPE.DEVMAP_HASH]: DTAB,
  [MAP_TYPE.CPUMAP]: ['bpf_cpu_map', 304], [MAP_TYPE.XSKMAP]: ['xsk_map', 304], [MAP_TYPE.RINGBUF]: ['bpf_ringbuf_map', 304],
  [MAP_TYPE.BLOOM_FILTER]: ['bpf_bloom_filter', 312],
}
const ARRAY = ['bpf_array', 312] as const

/** Offset, size and value of the members that tell something. */
function members(map: MapAttr): readonly (readonly [number, number])[] {
  return [[64, map.type], [68, map.keySize], [72, map.valueSize], [76, map.maxEntries], [80, map.mapExtra], [88, map.flags], [92, map.id]]
}

export function loadFromMap(env: Env, a: Access, r: Reg, off: number): void {
  const [name, size] = structs[r.map!.type] ?? ARRAY
  if (a.write) env.fail(EACCES, `only read from ${name} is supported`)
  if (off < 0) env.fail(EACCES, `R${a.regno} is ${name} invalid negative access: off=${off}`)
  if (off + a.size > size) env.fail(EACCES, `access beyond struct ${name} at off ${off} size ${a.size}`)
  const value = constantAt(r.map!, off, a.size)
  const aux = env.aux[env.insn]!
  const varies = r.mapUid !== 0 && off < 96 && off + a.size > 76
  if (varies || (aux.constLoad !== undefined && aux.constLoad !== value)) env.missing('one load of a member of several maps')
  aux.constLoad = value
  if (a.value >= 0) env.setReg(a.value, unknownScalar)
}

function constantAt(map: MapAttr, off: number, size: number): bigint {
  const view = new DataView(new ArrayBuffer(104))
  for (const [at, value] of members(map)) view.setUint32(at, value, true)
  let out = 0n
  for (let k = size - 1; k >= 0; k--) out = (out << 8n) | BigInt(off + k < 104 ? view.getUint8(off + k) : 0)
  return out
}
