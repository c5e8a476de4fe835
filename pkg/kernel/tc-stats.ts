// A bpf qdisc's own numbers, for `tc -s qdisc show` (the sch_bpf RFC of 2021, a wish of the RFC's reviewers): maps of its programs that hold one
// struct, read by their BTF.
import type { BtfValue } from '../btf/print-value.js'
import { KIND } from '../btf/types.js'
import type { MapAttr } from '../map/types.js'
import { MAP_TYPE } from '../uapi/bpf.js'
import type { Machine } from './machine.js'

export type TcStatsMap = { name: string; fields: [string, string][] }

/** In the order of map ids. */
export function tcStats(machine: Machine, progIds: readonly number[]): TcStatsMap[] {
  const mapIds = new Set(progIds.flatMap((id) => machine.progs.find(id)?.mapIds ?? []))
  return [...mapIds].sort((a, b) => a - b).flatMap((id) => statsOf(machine, id) ?? [])
}

function statsOf(machine: Machine, id: number): TcStatsMap | undefined {
  const attr = machine.maps.attr(id)
  const bytes = attr && holdsOneValue(attr) ? machine.btfs.find(attr.btfId) : undefined
  if (!attr || !bytes) return undefined
  const { parseBtf, readValue } = machine.tools
  const btf = parseBtf(bytes, attr.name)
  if (btf.resolve(attr.btfValueTypeId).kind !== KIND.STRUCT) return undefined
  const value = readValue(btf, attr.btfValueTypeId, machine.maps.lookup({ mapId: id, key: new Uint8Array(4) }), true)
  return value.kind === 'struct' ? { name: attr.name, fields: value.members.map(([name, it]) => [name, textOf(it)]) } : undefined
}

const holdsOneValue = ({ type, maxEntries, btfId, btfValueTypeId }: MapAttr): boolean =>
  type === MAP_TYPE.ARRAY && maxEntries === 1 && btfId > 0 && btfValueTypeId > 0

function textOf(value: BtfValue): string {
  switch (value.kind) {
    case 'scalar': return String(value.value)
    case 'raw': return value.text
    case 'array': return `[ ${value.items.map(textOf).join(' ')} ]`
    case 'struct': return `{ ${value.members.map(([name, it]) => `${name} ${textOf(it)}`).join(' ')} }`
  }
}
