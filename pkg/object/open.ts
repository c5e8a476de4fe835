// Opens an object: ELF bytes to a pure spec. Answers to bpf_object__open of tools/lib/bpf/libbpf.c and to the maps
// and tail-call sections of iproute2's lib/bpf_legacy.c.
import { InputError } from '../bytes/errors.js'
import { KIND, parseBtf, type Btf } from '../btf/index.js'
import { openElf, type Elf } from '../elf/index.js'
import { btfMapSlots, btfMaps } from './btf-maps.js'
import { Code, type Func } from './code.js'
import { dataMaps, kconfigMap, objectName, type DataMap } from './data-maps.js'
import { objectError, viewOf } from './error.js'
import { ExtInfo } from './ext-info.js'
import { collectExterns, type Externs } from './externs.js'
import { fixBtf } from './fix-btf.js'
import { elfMapSlots, legacyMaps } from './legacy-maps.js'
import { linkProgram, type Targets } from './link.js'
import { sectionDef } from './sections.js'
import type { MapSpec, ObjectSpec, ProgSpec } from './spec.js'
import { structOpsMaps } from './struct-ops.js'

export interface OpenOptions {
  /** Path as the user gave it; errors begin with it and global data maps are named after it. */
  readonly file: string
}

/** Reads an object; throws InputError and nothing else. Programs are linked when they are asked for. */
export function openObject(bytes: Uint8Array, options: OpenOptions): ObjectSpec {
  const { file } = options
  const elf = openElf(bytes, file)
  const name = objectName(file)
  const notes: string[] = []
  const btf = readBtf(elf, notes)
  const code = new Code(elf)
  const externs = collectExterns(elf, btf)
  const { maps, targets } = collectMaps(elf, btf, code, externs, name)
  const info = readExtInfo(elf, btf)
  const { progs, text } = programs(code, targets, info, btf)
  return {
    file, name, maps, progs, text, notes,
    license: readLicense(elf),
    kernVersion: readVersion(elf),
    btf: btf && fixBtf(btf, elf, externs, code.functions),
    kconfig: externs.kconfig,
    dialect: readText(elf, 'dialect'),
  }
}

function readText(elf: Elf, section: string): string | undefined {
  const data = elf.section(section)?.data
  if (!data) return undefined
  const end = data.indexOf(0)
  return new TextDecoder().decode(end < 0 ? data : data.subarray(0, end))
}

function readLicense(elf: Elf): string {
  return readText(elf, 'license')?.slice(0, 127) ?? ''
}

/** The words of `int _version SEC("version")`; one that is not four bytes long is refused as libbpf does. */
function readVersion(elf: Elf): number {
  const section = elf.section('version')
  if (!section) return 0
  if (section.data.length !== 4) throw objectError(elf.file, `sec 'version'`, 'invalid kver section')
  return viewOf(section.data).getUint32(0, true)
}

/** libbpf goes on without BTF that it can't read, unless the object can't do without. */
function readBtf(elf: Elf, notes: string[]): Btf | undefined {
  const section = elf.section('.BTF')
  if (!section || section.data.length === 0) return undefined
  try {
    return parseBtf(section.data, elf.file)
  } catch (error) {
    if (!(error instanceof InputError) || elf.section('.maps')) throw error
    notes.push(`Error loading ELF section .BTF: ${error.message}. Ignored and continue.`)
    return undefined
  }
}

function readExtInfo(elf: Elf, btf: Btf | undefined): ExtInfo | undefined {
  const section = elf.section('.BTF.ext')
  return btf && section && section.data.length ? new ExtInfo(section.data, btf, elf.file) : undefined
}

/** All maps in libbpf's order, and how code finds them. */
function collectMaps(
  elf: Elf, btf: Btf | undefined, code: Code, externs: Externs, object: string,
): { maps: MapSpec[]; targets: Targets } {
  const [legacy, modern] = [legacyMaps(elf, btf), btfMaps(elf, btf)]
  const data = dataMaps(elf, btf, object)
  const config = kconfigMap(externs, btf, object)
  const defined = [...legacy, ...modern]
  const entries = code.functions.map(f => ({ name: f.name, section: f.section.name }))
  const maps = [
    ...elfMapSlots(legacy.map(m => m.spec), entries, elf.file),
    ...btfMapSlots(elf, btf, modern, legacy.length, code),
    ...[...data, ...config].map(m => m.spec),
    ...structOpsMaps(elf, btf, code),
  ]
  checkNames(maps, elf.file)
  return { maps, targets: targetsOf(defined, [...data, ...config], externs) }
}

function checkNames(maps: readonly MapSpec[], file: string): void {
  const seen = new Set<string>()
  for (const { name } of maps) {
    if (seen.has(name)) throw objectError(file, `map '${name}'`, 'is defined twice')
    seen.add(name)
  }
}

function targetsOf(
  defined: readonly { section: number; offset: number }[], data: readonly DataMap[], externs: Externs,
): Targets {
  const places = new Map(defined.map((m, i) => [`${m.section}:${m.offset}`, i]))
  const sections = new Map(data.map((m, i) => [m.section, defined.length + i]))
  const config = new Map(externs.kconfig.map(e => [e.name, e.offset]))
  return {
    map: (section, offset) => places.get(`${section}:${offset}`),
    data: section => sections.get(section),
    extern: name => {
      const offset = config.get(name)
      return offset === undefined ? externs.ksyms.get(name) : { kind: 'kconfig', map: sections.get(-1)!, offset }
    },
  }
}

/** Functions of .text are subprograms as soon as there is any other function. */
function programs(code: Code, targets: Targets, info: ExtInfo | undefined, btf: Btf | undefined): { progs: ProgSpec[]; text: ProgSpec[] } {
  const all = code.functions.map(f => ({ f, spec: program(f, code, targets, info, btf) }))
  const isText = (f: Func): boolean => /^\.text(\.|$)/.test(f.section.name) && code.functions.length > 1
  return { progs: all.filter(p => !isText(p.f)).map(p => p.spec), text: all.filter(p => isText(p.f)).map(p => p.spec) }
}

function program(f: Func, code: Code, targets: Targets, info: ExtInfo | undefined, btf: Btf | undefined): ProgSpec {
  const optional = f.section.name.startsWith('?')
  const section = optional ? f.section.name.slice(1) : f.section.name
  const def = sectionDef(section)
  const slash = section.indexOf('/')
  return {
    name: f.name, section, type: def?.type ?? 0, expectedAttachType: def?.attach ?? 0, flags: def?.flags ?? 0,
    attachTo: slash < 0 ? undefined : section.slice(slash + 1),
    autoload: !optional,
    static: f.static,
    context: info && btf ? contextOf(f, info, btf) : undefined,
    link: () => linkProgram(f, code, targets, info),
  }
}

/** What the first argument points at. */
function contextOf(f: Func, info: ExtInfo, btf: Btf): { name: string; size: number } | undefined {
  const id = info.funcType(f)
  const func = id === undefined || id >= btf.count ? undefined : btf.type(id)
  const proto = func?.kind === KIND.FUNC ? btf.type(func.type) : undefined
  const argument = proto?.kind === KIND.FUNC_PROTO ? proto.params[0] : undefined
  const pointer = argument && btf.resolve(argument.type)
  if (pointer?.kind !== KIND.PTR) return undefined
  const target = btf.resolve(pointer.type)
  return { name: target.name, size: btf.sizeof(target.id) ?? 0 }
}
