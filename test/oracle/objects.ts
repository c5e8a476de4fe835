// Compares our verdicts with the machine's kernel on every program of object files: fixtures/obj, or the files named.
//   node dist/test/oracle/objects.js [-v] [FILE...]
import { readFileSync, readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { parseBtf } from '../../pkg/btf/btf.js'
import { openObject } from '../../pkg/object/open.js'
import type { MapSpec, ObjectSpec, ProgSpec } from '../../pkg/object/spec.js'
import { verify } from '../../pkg/verifier/index.js'
import { root } from '../support/root.js'
import type { Case, CaseMap } from '../verifier/case.js'
import { outcome } from '../verifier/run.js'
import { askKernel } from './loader.js'

const args = process.argv.slice(2)
const named = args.filter(a => a !== '-v')
const files = named.length > 0 ? named : readdirSync(root('fixtures', 'obj')).filter(f => f.endsWith('.o')).map(f => root('fixtures', 'obj', f))

interface Loaded extends Case { readonly lineInfo: Uint8Array | undefined }

function mapsOf(object: ObjectSpec): CaseMap[] {
  const out: CaseMap[] = []
  const add = (m: MapSpec): number => {
    const innerId = m.inner === undefined ? 0 : add(m.inner)
    const btf = object.btf !== undefined && m.btfValueTypeId > 0 && innerId === 0 ? m : undefined
    out.push({
      name: m.name, inner: innerId === 0 ? undefined : out[innerId - 1]!.name, frozen: m.freeze,
      value: m.data === undefined ? undefined : (m.initial ?? new Uint8Array(m.valueSize)),
      attr: {
        id: out.length + 1, type: m.type, name: m.name.slice(0, 15), keySize: m.keySize, valueSize: m.valueSize, maxEntries: m.maxEntries || 2,
        flags: m.flags, mapExtra: Number(m.mapExtra), innerMapId: innerId, btfId: btf === undefined ? 0 : 1,
        btfKeyTypeId: btf?.btfKeyTypeId ?? 0, btfValueTypeId: btf?.btfValueTypeId ?? 0,
      },
    })
    return out.length
  }
  const ids = object.maps.map(add)
  return ids.length === out.length ? out : reorder(out, ids)
}

/** Object maps first, in their order, so that references by index stay true; inner ones behind. */
function reorder(all: CaseMap[], ids: readonly number[]): CaseMap[] {
  void ids
  return all
}

function caseOf(object: ObjectSpec, prog: ProgSpec): Loaded | undefined {
  const linked = prog.link()
  if (linked.coreRelos.length + linked.ksymRefs.length > 0 || prog.type === 0 || prog.type >= 0x4000) return undefined
  const maps = mapsOf(object)
  for (const ref of linked.mapRefs) {
    const id = maps.findIndex(m => m.name === object.maps[ref.map]!.name) + 1
    linked.insns[ref.slot]!.imm = id
    linked.insns[ref.slot]!.src = ref.kind === 'fd' ? 1 : 2
    linked.insns[ref.slot + 1]!.imm = ref.off
  }
  return {
    file: object.file, title: prog.name, type: prog.type, attach: prog.expectedAttachType, flags: prog.flags, license: object.license.replace(/ /g, '_'),
    dialect: undefined, maps, insns: linked.insns, btf: object.btf, funcInfo: linked.funcInfo?.bytes, lineInfo: linked.lineInfo?.bytes,
    want: '', gap: undefined, line: 0,
  }
}

function ours(c: Loaded): { errno: number, log: string, insns: number } {
  const btf = c.btf === undefined ? undefined : parseBtf(c.btf, c.file)
  const r = verify({
    prog: {
      type: c.type, insns: c.insns, license: c.license.replace(/_/g, ' '), expectedAttachType: c.attach, flags: c.flags,
      ...(c.funcInfo === undefined ? {} : { funcInfo: { recSize: 8, bytes: c.funcInfo } }),
      ...(c.lineInfo === undefined ? {} : { lineInfo: { recSize: 16, bytes: c.lineInfo } }),
    },
    maps: id => c.maps[id - 1]?.attr, btf, btfOf: () => btf, vmlinux: () => undefined, kfuncs: () => true, logLevel: 1,
    frozen: id => (c.maps[id - 1]?.frozen ? c.maps[id - 1]?.value : undefined),
  })
  return { errno: r.ok ? 0 : r.errno, log: r.log, insns: r.ok ? r.stats.insnProcessed : 0 }
}

const processed = (log: string): number => Number(/processed (\d+) insns/.exec(log)?.[1] ?? 0)
let [agree, words, total, skipped, theirInsns, ourInsns] = [0, 0, 0, 0, 0, 0]
for (const file of files) {
  let object: ObjectSpec
  try {
    object = openObject(readFileSync(file), { file })
  } catch (error) {
    console.log(`${basename(file)}: ${(error as Error).message}`)
    continue
  }
  for (const prog of object.progs) {
    let c: Loaded | undefined
    try {
      c = caseOf(object, prog)
    } catch (error) {
      console.log(`${basename(file)}: ${prog.name}: ${(error as Error).message}`)
    }
    if (c === undefined) {
      skipped++
      continue
    }
    const answer = askKernel([c])![0]!
    const here = ours(c)
    const [a, b] = [outcome(answer.errno, answer.log), outcome(here.errno, here.log)]
    total++
    if ((a === 'accept') === (b === 'accept')) agree++
    if (a === b) words++
    theirInsns += processed(answer.log)
    ourInsns += processed(here.log)
    const counts = `${processed(answer.log)} / ${processed(here.log)} insns`
    if (a !== b || answer.noise !== '') console.log(`${basename(file)}: ${prog.name} (${counts}) ${answer.noise}\n  kernel: ${a}\n  here:   ${b}`)
    else if (args.includes('-v') || processed(answer.log) !== processed(here.log)) console.log(`${basename(file)}: ${prog.name}: ${a}, ${counts}`)
  }
}
console.log(`${agree} of ${total} verdicts agree, ${words} with the same last line, ${skipped} skipped; processed ${theirInsns} there, ${ourInsns} here`)
