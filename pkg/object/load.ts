// Turns a spec into requests: BTF, maps, then programs with everything that depends on this machine written into their instructions.
// Answers to bpf_object__load of tools/lib/bpf/libbpf.c.
import type { Btf } from '../btf/index.js'
import { parseBtf, vmlinuxBtf } from '../btf/index.js'
import { KernelError } from '../bytes/errors.js'
import type { Kernel } from '../request/kernel.js'
import type { Kconfig } from './kconfig.js'
import { loadMaps, loadTable, setSlot } from './load-maps.js'
import { loadProg, type LoadedProg } from './load-progs.js'
import { objectError } from './error.js'
import { tailCallSection } from './legacy-maps.js'
import { loadedTable, type LoadedTable } from './struct-ops-attach.js'
import { kernTables, tableProgs } from './struct-ops-kern.js'
import type { MapSpec, ObjectSpec, Pinning, ProgSpec } from './spec.js'

export interface LoadOptions {
  /** Which programs; default: all that are loaded without being asked for. Programs that fill prog_arrays come with them. */
  readonly progs?: readonly ProgSpec[]
  /** Overrides what the sections say. */
  readonly type?: number
  readonly expectedAttachType?: number
  /** Where LIBBPF_PIN_BY_NAME maps are pinned: /sys/fs/bpf unless a tool has its own place. */
  readonly pinRoot?: string
  /** Where bpf_elf_map's pinning goes; default: global maps to the pinRoot, others nowhere. */
  readonly elfPin?: (pinning: Pinning, name: string) => string | undefined
  /** Maps that exist already, by name: used as they are. */
  readonly reuse?: ReadonlyMap<string, number>
  readonly kconfig?: Kconfig
  readonly dialect?: string
  readonly logLevel?: number
  /** Lines that libbpf would print, without its prefix. */
  readonly warn?: (line: string) => void
  /** BTF that CO-RE and kfuncs resolve against; default: the emulated kernel's. */
  readonly vmlinux?: () => Btf
}

export interface LoadedMap {
  readonly name: string
  readonly id: number
  readonly reused: boolean
  /** Where it is pinned because its definition says so. */
  readonly path: string | undefined
}

export interface LoadedObject {
  readonly btfId: number | undefined
  readonly maps: readonly LoadedMap[]
  readonly progs: readonly LoadedProg[]
  /** struct_ops tables, created and not yet registered: attachStructOps does that. */
  readonly tables: readonly LoadedTable[]
}

/** What the steps of one load share. */
export interface LoadContext {
  readonly object: ObjectSpec
  readonly kernel: Kernel
  readonly options: LoadOptions
  /** Type of the first program that has one: tail-called programs in sections `ID/KEY` are of it too. */
  readonly mainType: number
  readonly btfId: number | undefined
  readonly localBtf: () => Btf
  readonly vmlinux: () => Btf
  readonly warn: (line: string) => void
  readonly pinPath: (map: MapSpec) => string | undefined
}

/** Instructions of all programs of one load: subprograms are copied into each, and a small file can ask for very many copies. */
const MAX_TOTAL = 4_000_000

/** Loads an object; KernelError says what the kernel refused (log and all), InputError what the object gets wrong. */
export function loadObject(object: ObjectSpec, kernel: Kernel, options: LoadOptions = {}): LoadedObject {
  const chosen = chooseProgs(object, options)
  const load = contextOf(object, kernel, options, chosen)
  for (const note of object.notes) load.warn(note)
  const { tables, slots } = kernTables({ object, local: load.localBtf, kernel: load.vmlinux, warn: load.warn })
  const maps = loadMaps(load)
  const tableMaps = tables.map(table => loadTable(load, table))
  let total = 0
  const progs = chosen.map(prog => {
    const linked = prog.link()
    total += linked.insns.length
    if (total > MAX_TOTAL) throw objectError(object.file, `prog '${prog.name}'`, `programs have more than ${MAX_TOTAL} instructions together`)
    return loadProg(load, prog, linked, maps, slots.get(prog))
  })
  fillProgSlots(load, maps, progs)
  return {
    btfId: load.btfId, maps: [...maps, ...tableMaps], progs, tables: tables.map((table, i) => loadedTable(table, tableMaps[i]!.id, progs)),
  }
}

/** All programs of a section, or the ones of that name; also functions of .text. Static ones only where nothing else fits. */
export function findProgs(object: ObjectSpec, by: { section?: string; name?: string }): ProgSpec[] {
  const found = [...object.progs, ...object.text].filter(p =>
    (by.section === undefined || p.section === by.section) && (by.name === undefined || p.name === by.name))
  return found.some(p => !p.static) ? found.filter(p => !p.static) : found
}

function chooseProgs(object: ObjectSpec, options: LoadOptions): ProgSpec[] {
  // Static functions beside a global one in the same section are its subprograms.
  const withGlobal = new Set(object.progs.filter(p => !p.static).map(p => p.section))
  const { wanted, unwanted } = tableProgs(object)
  const auto = (p: ProgSpec): boolean => (p.autoload || wanted.has(p)) && !unwanted.has(p)
  const asked = options.progs ?? object.progs.filter(p => auto(p) && !(p.static && withGlobal.has(p.section)))
  const tails = object.maps.flatMap(m => m.slots ?? []).flatMap(s => (s.prog ? findProgs(object, s.prog) : []))
  const isAsked = (p: ProgSpec): boolean => asked.some(a => a.name === p.name && a.section === p.section)
  return [...asked, ...new Set(tails.filter(p => !isAsked(p)))]
}

function contextOf(object: ObjectSpec, kernel: Kernel, options: LoadOptions, chosen: readonly ProgSpec[]): LoadContext {
  const warn = options.warn ?? (() => {})
  let local: Btf | undefined
  return {
    object, kernel, options, warn,
    mainType: options.type ?? [...chosen, ...object.progs].find(p => p.type !== 0)?.type ?? 0,
    btfId: loadBtf(object, kernel, warn),
    localBtf: () => {
      if (!object.btf) throw objectError(object.file, "sec '.BTF'", 'BTF is required, but is missing or corrupted')
      return (local ??= parseBtf(object.btf, object.file))
    },
    vmlinux: options.vmlinux ?? vmlinuxBtf,
    pinPath: map => pinPath(map, options),
  }
}

/** BTF is a convenience: without it an object still loads. */
function loadBtf(object: ObjectSpec, kernel: Kernel, warn: (line: string) => void): number | undefined {
  if (!object.btf) return undefined
  try {
    return kernel.request('btf.load', { bytes: object.btf }).id
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    warn(`Error loading .BTF into kernel: -${error.errno}. BTF is optional, ignoring.`)
    return undefined
  }
}

function pinPath(map: MapSpec, options: LoadOptions): string | undefined {
  const root = options.pinRoot ?? '/sys/fs/bpf'
  const byName = `${root}/${map.name}`
  if (map.pinning === 'none') return undefined
  if (map.pinning === 'name') return byName
  if (options.elfPin) return options.elfPin(map.pinning, map.name)
  return map.pinning === 'global' ? byName : undefined
}

function fillProgSlots(load: LoadContext, maps: readonly LoadedMap[], progs: readonly LoadedProg[]): void {
  load.object.maps.forEach((map, i) => {
    for (const slot of map.slots ?? []) {
      const prog = progs.find(p => p.name === slot.prog?.name && p.section === slot.prog.section)
      if (prog && (!maps[i]!.reused || tailCallSection(prog.section))) setSlot(load, map, maps[i]!.id, slot.index, prog.id)
    }
  })
}
