// Asks the machine's own kernel for its verdicts on many loads at once, through progload.c, which is compiled when first needed.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseBtf, type Btf } from '../../pkg/btf/index.js'
import { insn, encodeInsns, type Insn } from '../../pkg/insn/insn.js'
import type { MapCreate, ProgLoad } from '../../pkg/request/bpf.js'
import { PSEUDO } from '../../pkg/uapi/bpf.js'
import { root } from '../support/root.js'
import { verdictOf, type Load, type Verdict } from '../verifier/load.js'

const VMLINUX = '/sys/kernel/btf/vmlinux'

/** BTF of the kernel that runs this. */
export const realKernelBtf = (): Btf => parseBtf(new Uint8Array(readFileSync(VMLINUX)), VMLINUX)

/** True where there is a kernel to ask: Linux, root, bpf(2), a C compiler. */
export function reachable(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && existsSync(VMLINUX) && tool() !== undefined
}

let built: string | undefined | null = null
function tool(): string | undefined {
  return (built === null ? (built = build()) : built) ?? undefined
}

function build(): string | undefined {
  const source = root('test', 'oracle', 'progload.c')
  const folder = join(tmpdir(), `hookpoint-oracle-${process.getuid?.() ?? 0}`)
  mkdirSync(folder, { recursive: true })
  const out = join(folder, 'progload')
  if (existsSync(out) && statSync(out).mtimeMs > statSync(source).mtimeMs) return out
  return spawnSync('cc', ['-O1', '-o', out, source]).status === 0 ? out : undefined
}

/** The kernel's verdicts, in order. */
export function ask(loads: readonly Load[], level = 1): Verdict[] {
  const input = loads.map(load => requestOf(load, level)).join('')
  const { status, stdout, stderr } = spawnSync(tool()!, [], { input, encoding: 'utf8', maxBuffer: 1 << 30 })
  if (status !== 0) throw new Error(`progload: ${stderr}`)
  return answers(stdout)
}

function answers(text: string): Verdict[] {
  const out: Verdict[] = []
  let trouble: string[] = []
  let log: string[] = []
  let errno = 0
  for (const line of text.split('\n')) {
    if (line.startsWith('|')) log.push(line.slice(1))
    else if (line.startsWith('verdict ')) errno = Number(line.slice(8))
    else if (line === 'end') {
      const verdict = verdictOf(errno, log.join('\n'))
      out.push(trouble.length > 0 ? { ...verdict, errno: -1, line: trouble.join('; ').slice(-200) } : verdict)
      trouble = log = []
      log = []
    } else if (line !== '') trouble.push(line)
  }
  return out
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function requestOf({ maps, btf, values, prog }: Load, level: number): string {
  return [
    ...(btf ? [`btf ${hex(btf)}`] : []), ...maps.map(mapLine),
    ...values.flatMap(({ map, bytes, frozen }) => [`value ${map - 1} ${hex(bytes)}`, ...(frozen ? [`freeze ${map - 1}`] : [])]),
    ...(prog.funcInfo ? [`func ${hex(prog.funcInfo.bytes)}`] : []), ...(prog.lineInfo ? [`line ${hex(prog.lineInfo.bytes)}`] : []),
    loadLine(prog, maps.length, level), 'reset', '',
  ].join('\n')
}

function mapLine(map: MapCreate): string {
  const { type, keySize, valueSize, maxEntries, flags = 0, name = '' } = map
  const inner = map.innerMapId ? ` inner ${map.innerMapId - 1}` : ''
  const btf = map.btfValueTypeId ? ` btf ${map.btfKeyTypeId ?? 0} ${map.btfValueTypeId}` : ''
  return `map ${type} ${keySize} ${valueSize} ${maxEntries} ${flags} ${name.replace(/[^\w.]/g, '_') || 'm'}${inner}${btf}${map.mapExtra ? ` extra ${map.mapExtra}` : ''}`
}

function loadLine(prog: ProgLoad, maps: number, level: number): string {
  const code = hex(encodeInsns(countedFromZero(prog.insns, maps)))
  return `load ${prog.type} ${prog.expectedAttachType ?? 0} ${prog.flags ?? 0} ${level} ${prog.license.replaceAll(' ', '_') || 'none'} ${code}`
}

/** progload counts maps from 0. */
function countedFromZero(insns: readonly Insn[], maps: number): Insn[] {
  return insns.map((i, n) => {
    const isMap = i.code === 0x18 && insns[n - 1]?.code !== 0x18 && (i.src === PSEUDO.MAP_FD || i.src === PSEUDO.MAP_VALUE)
    return isMap && i.imm >= 1 && i.imm <= maps ? insn(i.code, i.dst, i.src, i.off, i.imm - 1) : i
  })
}
