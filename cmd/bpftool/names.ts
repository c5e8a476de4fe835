// Names of numbers as libbpf_bpf_*_str() gives them (tools/lib/bpf/libbpf.c), and back.
import { ATTACH_TYPE, LINK_TYPE, MAP_TYPE, PROG_TYPE } from '../../pkg/uapi/bpf.js'
import { RFC_ATTACH_TYPE, RFC_MAP_TYPE, RFC_PROG_TYPE } from '../../pkg/uapi/rfc.js'

function table(...enums: Readonly<Record<string, number>>[]): Map<number, string> {
  return new Map(enums.flatMap((one) => Object.entries(one)).map(([name, number]) => [number, name.toLowerCase()]))
}

const PROG_NAMES = table(PROG_TYPE, RFC_PROG_TYPE)
const MAP_NAMES = table(MAP_TYPE, RFC_MAP_TYPE)
const LINK_NAMES = table(LINK_TYPE)
const ATTACH_NAMES = table(RFC_ATTACH_TYPE, ATTACH_TYPE)

export const progTypeName = (type: number): string | undefined => PROG_NAMES.get(type)
export const mapTypeName = (type: number): string | undefined => MAP_NAMES.get(type)
export const linkTypeName = (type: number): string | undefined => LINK_NAMES.get(type)
export const attachTypeName = (type: number): string | undefined => ATTACH_NAMES.get(type)

/** Whole words only. */
export function mapTypeOf(name: string): number | undefined {
  for (const [type, known] of MAP_NAMES) if (known === name && type !== MAP_TYPE.UNSPEC) return type
  return undefined
}
