// Puts a loaded table to work: the map's only value is set, and a table of .struct_ops.link gets a link. Answers to
// bpf_map__attach_struct_ops of tools/lib/bpf/libbpf.c.
import { KernelError } from '../bytes/errors.js'
import type { Kernel } from '../request/kernel.js'
import { ATTACH_TYPE, MAP_F, UPDATE } from '../uapi/bpf.js'
import { EBUSY } from '../uapi/errno.js'
import { viewOf } from './error.js'
import type { LoadedProg } from './load-progs.js'
import type { KernTable } from './struct-ops-kern.js'

export interface LoadedTable {
  readonly name: string
  readonly struct: string
  readonly mapId: number
  readonly flags: number
  /** What MAP_UPDATE takes, program ids in the places of functions. */
  readonly value: Uint8Array
}

/** bpf_map_prepare_vdata: the ids of the programs that were loaded meanwhile. */
export function loadedTable(table: KernTable, mapId: number, progs: readonly LoadedProg[]): LoadedTable {
  const value = table.value.slice()
  for (const { at, prog } of table.funcs) {
    const loaded = progs.find(p => p.name === prog.name && p.section === prog.section)
    viewOf(value).setUint32(at, loaded?.id ?? 0, true)
  }
  return { name: table.map.name, struct: table.struct, mapId, flags: table.map.flags, value }
}

/** Registers the table; for one of .struct_ops.link the link that keeps it registered. */
export function attachStructOps(kernel: Kernel, table: LoadedTable): { linkId?: number } {
  const update = { mapId: table.mapId, key: new Uint8Array(4), value: table.value, flags: UPDATE.ANY }
  if ((table.flags & MAP_F.LINK) === 0) {
    kernel.request('map.update', update)
    return {}
  }
  try {
    kernel.request('map.update', update)
  } catch (error) {
    // Updated before: a link may be made again.
    if (!(error instanceof KernelError) || error.errno !== EBUSY) throw error
  }
  return { linkId: kernel.request('bpf_link.create', { mapId: table.mapId, attachType: ATTACH_TYPE.STRUCT_OPS }).id }
}
