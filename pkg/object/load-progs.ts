// One program: linked, relocated to the maps and the kernel of this machine, loaded. Answers to bpf_object_load_prog of libbpf.
import type { InputError } from '../bytes/errors.js'
import { KernelError } from '../bytes/errors.js'
import { formatSpec, resolveCore } from '../btf/index.js'
import type { ProgLoad } from '../request/bpf.js'
import { EINVAL, strerror } from '../uapi/errno.js'
import { BPF_OBJ_NAME_LEN, PROG_TYPE } from '../uapi/bpf.js'
import { patchCore } from './core-patch.js'
import { dialectOf, renumberCalls } from './dialect.js'
import { objectError } from './error.js'
import { patchKsym } from './ksyms.js'
import type { LoadContext, LoadedMap } from './load.js'
import { fixupLog, type Poisoned } from './log-fixup.js'
import { tailCallSection } from './legacy-maps.js'
import type { LinkedProg, ProgSpec } from './spec.js'
import type { Slot } from './struct-ops-kern.js'

export interface LoadedProg {
  readonly name: string
  readonly section: string
  readonly id: number
  readonly type: number
  readonly log: string
  readonly notes: readonly string[]
}

export function loadProg(load: LoadContext, prog: ProgSpec, linked: LinkedProg, maps: readonly LoadedMap[], slot?: Slot): LoadedProg {
  const type = progType(load, prog)
  const { name: dialect, note } = dialectOf(load.object, prog, type, load.options.dialect)
  patchMaps(linked, maps)
  renumberCalls(linked.insns, dialect, type)
  const poisoned = { core: patchCores(load, prog, linked), kfuncs: patchKsyms(load, prog, linked) }
  const request: ProgLoad = {
    type, name: prog.name.slice(0, BPF_OBJ_NAME_LEN - 1), insns: linked.insns, license: load.object.license,
    ...sectionAttributes(load, prog, type), ...tableSlot(load, prog, type, slot),
    kernVersion: load.object.kernVersion, ...infoOf(load, linked),
    ...(dialect === undefined ? {} : { dialect }),
    ...(load.options.logLevel === undefined ? {} : { logLevel: load.options.logLevel }),
  }
  const { id, log, notes } = send(load, prog, request, poisoned)
  return { name: prog.name, section: prog.section, id, type, log, notes: note ? [note, ...notes] : notes }
}

function progType(load: LoadContext, prog: ProgSpec): number {
  const type = load.options.type ?? (prog.type || (tailCallSection(prog.section) ? load.mainType : 0))
  if (type !== 0) return type
  throw objectError(load.object.file, `prog '${prog.name}'`, `missing BPF prog type, check ELF section name '${prog.section}'`)
}

/** What a section says besides the type holds only for that type. */
function sectionAttributes(load: LoadContext, prog: ProgSpec, type: number): { expectedAttachType: number; flags: number } {
  const own = prog.type === type
  return { expectedAttachType: load.options.expectedAttachType ?? (own ? prog.expectedAttachType : 0), flags: own ? prog.flags : 0 }
}

/** libbpf_prepare_prog_load: a struct_ops program is a member of some table. */
function tableSlot(load: LoadContext, prog: ProgSpec, type: number, slot: Slot | undefined): Pick<ProgLoad, 'attachBtfId' | 'expectedAttachType'> {
  if (type !== PROG_TYPE.STRUCT_OPS) return {}
  if (slot) return { attachBtfId: slot.typeId, expectedAttachType: slot.member }
  load.warn(`prog '${prog.name}': SEC("struct_ops") program isn't referenced anywhere, did you forget to use it?`)
  load.warn(`prog '${prog.name}': failed to prepare load attributes: -${EINVAL}`)
  load.warn(`prog '${prog.name}': failed to load: -${EINVAL}`)
  load.warn(`failed to load object '${load.object.file}'`)
  throw new KernelError(EINVAL)
}

function patchMaps(linked: LinkedProg, maps: readonly LoadedMap[]): void {
  for (const ref of linked.mapRefs) {
    linked.insns[ref.slot]!.imm = maps[ref.map]!.id
    linked.insns[ref.slot + 1]!.imm = ref.off | 0
  }
}

/** Slots that were poisoned, with their relocations in words. */
function patchCores(load: LoadContext, prog: ProgSpec, linked: LinkedProg): Map<number, string> {
  const poisoned = new Map<number, string>()
  linked.coreRelos.forEach((relo, n) => {
    const whose = `prog '${prog.name}': relo #${n}`
    const value = resolveCore(relo, load.localBtf(), load.vmlinux(), `${load.object.file}: ${whose}`)
    if (value.poison || value.badMemSize) poisoned.set(relo.slot, formatSpec(value.local))
    patchCore(linked.insns, relo.slot, value, reason => objectError(load.object.file, whose, reason))
  })
  return poisoned
}

function patchKsyms(load: LoadContext, prog: ProgSpec, linked: LinkedProg): string[] {
  const fail = (whose: string, reason: string): InputError => objectError(load.object.file, `prog '${prog.name}': ${whose}`, reason)
  const names = [...new Set(linked.ksymRefs.map(r => r.name))]
  for (const ref of linked.ksymRefs) patchKsym(linked.insns, ref, names.indexOf(ref.name), load.vmlinux(), load.localBtf(), fail)
  return names
}

function infoOf(load: LoadContext, linked: LinkedProg): Pick<ProgLoad, 'btfId' | 'funcInfo' | 'lineInfo'> {
  if (load.btfId === undefined) return {}
  return {
    btfId: load.btfId,
    ...(linked.funcInfo ? { funcInfo: linked.funcInfo } : {}),
    ...(linked.lineInfo ? { lineInfo: linked.lineInfo } : {}),
  }
}

function send(load: LoadContext, prog: ProgSpec, request: ProgLoad, poisoned: Poisoned): { id: number; log: string; notes: string[] } {
  try {
    return load.kernel.request('prog.load', request)
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    const log = error.log === undefined ? undefined : fixupLog(error.log, poisoned)
    load.warn(`prog '${prog.name}': BPF program load failed: ${strerror(error.errno)}`)
    if (log) load.warn(`prog '${prog.name}': -- BEGIN PROG LOAD LOG --\n${log}-- END PROG LOAD LOG --`)
    load.warn(`prog '${prog.name}': failed to load: -${error.errno}`)
    load.warn(`failed to load object '${load.object.file}'`)
    throw new KernelError(error.errno, error.extack, log, error.explain)
  }
}
