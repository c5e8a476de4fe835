// Asks the machine's own kernel: compiles progload.c once and feeds it cases. Undefined answers: no root, no compiler or no bpf(2).
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeInsns, type Insn } from '../../pkg/insn/insn.js'
import { root } from '../support/root.js'
import type { Case } from '../verifier/case.js'

export interface Answer { readonly errno: number, readonly log: string, readonly noise: string }

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The kernel's answers to cases, in order; undefined where there is no such kernel. */
export function askKernel(cases: readonly Case[], level = 1): Answer[] | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'progload-'))
  try {
    execFileSync('gcc', ['-O1', '-o', join(dir, 'progload'), root('test', 'oracle', 'progload.c')], { stdio: 'pipe' })
    const input = cases.map(c => request(c, level)).join('')
    const done = spawnSync(join(dir, 'progload'), { input, maxBuffer: 1 << 30 })
    const answers = parse(done.stdout.toString())
    return answers.length === cases.length ? answers : undefined
  } catch {
    return undefined
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** Map numbers of the loader start at 0; ids of cases at 1. */
function forLoader(insns: readonly Insn[]): Insn[] {
  return insns.map((i, n) => (i.code === 0x18 && (i.src === 1 || i.src === 2) && insns[n - 1]?.code !== 0x18 ? { ...i, imm: i.imm - 1 } : i))
}

function request(c: Case, level: number): string {
  const lines = ['reset']
  if (c.btf !== undefined) lines.push(`btf ${hex(c.btf)}`)
  c.maps.forEach(({ attr, inner, value, frozen }, n) => {
    const inside = inner === undefined ? '' : ` inner ${c.maps.findIndex(m => m.name === inner)}`
    const btf = attr.btfValueTypeId === 0 ? '' : ` btf ${attr.btfKeyTypeId} ${attr.btfValueTypeId}`
    lines.push(`map ${attr.type} ${attr.keySize} ${attr.valueSize} ${attr.maxEntries} ${attr.flags} ${attr.name}${inside}${btf}`)
    if (value !== undefined) lines.push(`value ${n} ${hex(value)}`)
    if (frozen) lines.push(`freeze ${n}`)
  })
  if (c.funcInfo !== undefined) lines.push(`func ${hex(c.funcInfo)}`)
  lines.push(`load ${c.type} ${c.attach} ${c.flags} ${level} ${c.license} ${hex(encodeInsns(forLoader(c.insns)))}`)
  return `${lines.join('\n')}\n`
}

function parse(text: string): Answer[] {
  return text.split('\nend\n').slice(0, -1).map(block => {
    const lines = block.split('\n')
    const at = lines.findIndex(l => l.startsWith('verdict '))
    return {
      errno: Number(lines[at]!.slice(8)),
      log: lines.slice(at + 1).filter(l => l.startsWith('|')).map(l => l.slice(1)).join('\n'),
      noise: lines.slice(0, at).filter(l => l !== 'end').join('; '),
    }
  })
}
