// Global variables: every .data*, .rodata*, .bss* section is the only value of an array map, and .kconfig is one made up of
// externs. Answers to bpf_object__init_global_data_maps and bpf_object__init_internal_map of libbpf.
import { KIND, type Btf } from '../btf/index.js'
import { SHT, isExecutable, type Elf, type Section } from '../elf/index.js'
import { BPF_OBJ_NAME_LEN, MAP_F, MAP_TYPE } from '../uapi/bpf.js'
import type { Externs } from './externs.js'
import type { MapSpec } from './spec.js'

export interface DataMap {
  readonly spec: MapSpec
  /** -1: .kconfig, which is no section. */
  readonly section: number
}

type DataKind = 'data' | 'rodata' | 'bss'

/** Data maps in section order. */
export function dataMaps(elf: Elf, btf: Btf | undefined, object: string): DataMap[] {
  return elf.sections.flatMap(section => {
    const kind = dataKind(section)
    return kind && section.size > 0 ? [{ spec: dataMap(section, kind, btf, object), section: section.index }] : []
  })
}

function dataKind(s: Section): DataKind | undefined {
  if (isExecutable(s)) return undefined
  const is = (name: string): boolean => s.name === name || s.name.startsWith(`${name}.`)
  if (s.type === SHT.NOBITS) return is('.bss') || is('.data') ? 'bss' : undefined
  if (s.type !== SHT.PROGBITS) return undefined
  return is('.data') ? 'data' : is('.rodata') ? 'rodata' : undefined
}

function dataMap(section: Section, kind: DataKind, btf: Btf | undefined, object: string): MapSpec {
  return {
    ...arrayOfOne(dataMapName(object, section.name), section.name, section.size, kind, btf),
    ...(section.data.length ? { initial: section.data.slice() } : {}),
  }
}

function arrayOfOne(name: string, section: string, size: number, data: DataKind | 'kconfig', btf: Btf | undefined): MapSpec {
  const freeze = data === 'rodata' || data === 'kconfig'
  const datasec = btf?.find(section, KIND.DATASEC)
  // libbpf asks for mmap only where it finds a variable that user space may want to reach: one that is not static.
  const mmapable = datasec?.kind === KIND.DATASEC && datasec.vars.some(v => {
    const t = btf!.type(v.type)
    return t.kind === KIND.VAR && t.linkage !== 0
  })
  return {
    name, section, type: MAP_TYPE.ARRAY, keySize: 4, valueSize: size, maxEntries: 1,
    flags: (freeze ? MAP_F.RDONLY_PROG : 0) | (mmapable ? MAP_F.MMAPABLE : 0),
    mapExtra: 0n, numaNode: 0, pinning: 'none', btfKeyTypeId: 0, btfValueTypeId: datasec?.id ?? 0, freeze, data,
  }
}

/** The map of .kconfig externs; its value is filled in when the configuration is known. */
export function kconfigMap(externs: Externs, btf: Btf | undefined, object: string): DataMap[] {
  if (externs.kconfig.length === 0) return []
  return [{ spec: arrayOfOne(dataMapName(object, '.kconfig'), '.kconfig', externs.kconfigSize, 'kconfig', btf), section: -1 }]
}

/** `prefix.rodata` in fifteen characters, the end whole if it can be; sections with a name of their own keep it. */
export function dataMapName(object: string, section: string): string {
  if (section.includes('.', 1)) return section
  const suffix = Math.min(Math.max(7, section.length), BPF_OBJ_NAME_LEN - 1)
  const prefix = BPF_OBJ_NAME_LEN - 1 - suffix
  return (object.slice(0, prefix) + section.slice(0, suffix)).replace(/[^A-Za-z0-9_.]/g, '_')
}

/** Of `/x/my-prog.bpf.o`: `my-prog`, at most fifteen characters. */
export function objectName(file: string): string {
  const base = file.slice(file.lastIndexOf('/') + 1).slice(0, BPF_OBJ_NAME_LEN - 1)
  const dot = base.indexOf('.')
  return dot < 0 ? base : base.slice(0, dot)
}
