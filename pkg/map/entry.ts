// The value of devmap and cpumap elements: a number (ifindex, queue size) and perhaps a program. struct bpf_devmap_val, bpf_cpumap_val.
import type { MapAttr, MapHost } from './types.js'

/** Bytes of an entry in memory: what programs see of it, too. */
export const ENTRY = 8

/** A kernel fd that is not above 0 means no program; here ids stand for fds. */
export interface Entry {
  readonly number: number
  readonly progId: number
}

export function readEntry(value: Uint8Array): Entry {
  const view = new DataView(value.buffer, value.byteOffset, value.length)
  const prog = value.length >= ENTRY ? view.getInt32(4, true) : 0
  return { number: view.getUint32(0, true), progId: prog > 0 ? prog : 0 }
}

/** Puts an entry at `at`, taking and giving back programs. All zeros: empty. */
export function storeEntry(host: MapHost, at: number, { number, progId }: Entry): void {
  const { u32 } = host.mem
  const before = u32[(at >> 2) + 1]!
  if (progId !== 0) host.hold('prog', progId)
  u32[at >> 2] = number
  u32[(at >> 2) + 1] = progId
  if (before !== 0) host.drop('prog', before)
}

/** What bpf_redirect_map finds in an entry. */
export function progOf(host: MapHost, at: number): { progId?: number } {
  const progId = host.mem.u32[(at >> 2) + 1]!
  return progId === 0 ? {} : { progId }
}

/** Whether a program may sit in an entry: XDP, loaded for that place. */
export function fits(host: MapHost, progId: number, type: number, attachType: number): boolean {
  if (host.progType(progId) !== type) return false
  return host.progAttachType ? host.progAttachType(progId) === attachType : true
}

/** value_size is the number alone, or with a program. */
export function badValueSize(attr: Pick<MapAttr, 'valueSize'>): boolean {
  return attr.valueSize !== 4 && attr.valueSize !== ENTRY
}
