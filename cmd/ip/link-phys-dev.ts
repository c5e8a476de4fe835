// `phys_dev` of ip link: the early driver filter of the PHYS_DEV proposal (B. Blanco, 2016), in the words that xdp has.
import type { Context } from '../../pkg/cli/index.js'
import type { ObjectSpec } from '../../pkg/object/index.js'
import type { Writer } from '../../pkg/print/index.js'
import type { Link } from '../../pkg/request/rtnl.js'
import { RFC_PROG_TYPE } from '../../pkg/uapi/rfc.js'
import { loadBpf, type BpfWords } from '../lib/bpf.js'
import { printProg } from '../lib/prog.js'

const SECTION = 'phys_dev'

export function physDevRequest(context: Context, source: BpfWords): { progId: number } {
  if (source.off) return { progId: -1 }
  return { progId: loadBpf(context, source, { type: RFC_PROG_TYPE.PHYS_DEV, section: onlySection, namespace: 'xdp', status: 255 }).id }
}

/** The samples' sections end in a number, so any that begins with the word will do, if it is the only one. */
function onlySection(object: ObjectSpec): string {
  const names = new Set(object.progs.map(({ section }) => section).filter((section) => section.startsWith(SECTION)))
  return names.size === 1 ? [...names][0]! : SECTION
}

/** `phys_dev/id:7 ` on the device's first line; JSON: the program. */
export function printPhysDevWord(w: Writer, { physDev }: Link, details: boolean): void {
  if (physDev === undefined) return
  w.text('phys_dev/id:%u ', physDev.prog.id)
  if (w.isJson) w.object('phys_dev', () => printProg(w, physDev.prog, details))
}

/** With -d the program's line. */
export function printPhysDevLine(w: Writer, { physDev }: Link, details: boolean): void {
  if (physDev === undefined || w.isJson || !details) return
  w.nl()
  w.text('    prog/phys_dev ')
  printProg(w, physDev.prog, details)
}

/** With -s -s what became of the frames. */
export function printPhysDevStats(w: Writer, { physDev }: Link): void {
  if (physDev === undefined) return
  const { runs, drops, passes, aborts, invalids } = physDev.stats
  w.nl()
  w.object('phys_dev_stats', () => {
    w.uint('run', '    phys_dev: run %u', runs)
    w.uint('drop', ' drop %u', drops)
    w.uint('pass', ' pass %u', passes)
    w.uint('abort', ' abort %u', aborts)
    w.uint('invalid', ' invalid %u', invalids)
  })
}
