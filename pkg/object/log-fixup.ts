// Poisoned instructions in a verifier log get the names that only the loader knows. Answers to fixup_verifier_log of libbpf.
import { CORE_POISON } from './core-patch.js'
import { KFUNC_POISON } from './ksyms.js'

export interface Poisoned {
  /** Slot of a poisoned CO-RE instruction to its relocation, as formatSpec prints it. */
  readonly core: ReadonlyMap<number, string>
  /** Weak kfuncs by their index behind KFUNC_POISON. */
  readonly kfuncs: readonly string[]
}

/** The same log, with the two lines of an unknown function replaced where we put that function. */
export function fixupLog(log: string, poisoned: Poisoned): string {
  return log.replace(/^(\d+): \(85\) call unknown#(\d+)\ninvalid func unknown#\2\n/gm, (lines: string, slot: string, id: string) => {
    const core = poisoned.core.get(Number(slot))
    if (Number(id) === CORE_POISON && core) return `${slot}: <invalid CO-RE relocation>\nfailed to resolve CO-RE relocation ${core}\n`
    const kfunc = poisoned.kfuncs[Number(id) - KFUNC_POISON]
    return kfunc ? `${slot}: <missing kernel function>\nkfunc '${kfunc}' is referenced but wasn't resolved\n` : lines
  })
}
