// What the real kernel makes of every case of fixtures/insn: the recorded results are its own. UPDATE=1 records them anew. Its
// verifier log has the words that our disassembler must find, and random arithmetic is compared without a record.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { asm } from '../../pkg/insn/asm.js'
import { disasm } from '../../pkg/insn/disasm.js'
import * as b from '../../pkg/insn/build.js'
import { encodeInsns, type Insn } from '../../pkg/insn/insn.js'
import { PSEUDO } from '../../pkg/uapi/bpf.js'
import { caseFiles, caseFolder, MEM_SIZE, readCases, trimmed, type Case } from '../insn/cases.js'
import { randomArithmetic, randomRegisters } from '../fuzz/program.js'
import { Random } from '../fuzz/random.js'
import { AT, engines, imageOf, memory, run64, testHost } from '../insn/machine.js'
import { root } from '../support/root.js'

interface Answer { ok: boolean, retval: number, value: string, errno: number, log: string }

const update = process.env['UPDATE'] === '1'
const R0_AT = MEM_SIZE
const BPF_DW = 0x18

/** r1 = &map value; r0 = body(r1); map value[64] = r0; return 0. The body stands behind, as a subprogram. */
function program(one: Case): Insn[] {
  if (one.packet !== undefined) return [...one.insns]
  const head = [
    ...b.ldImm64(b.R1, 0, 0, PSEUDO.MAP_VALUE),
    b.callRel(5),
    ...b.ldImm64(b.R1, 0, R0_AT, PSEUDO.MAP_VALUE),
    b.stxMem(BPF_DW, b.R1, b.R0, 0),
    b.mov64Imm(b.R0, 0),
    b.exit(),
  ]
  return [...head, ...one.insns]
}

function request(one: Case): string {
  const insns = program(one)
  return JSON.stringify({
    insns: Buffer.from(encodeInsns(insns)).toString('hex'),
    subprogs: imageOf(insns).subprogs,
    mem: Buffer.from(one.mem).toString('hex'),
    packet: one.packet === undefined ? null : Buffer.from(one.packet).toString('hex'),
  })
}

interface Result { r0: string, memAfter: string | undefined }

function resultOf(one: Case, answer: Answer): Result {
  const value = Buffer.from(answer.value, 'hex')
  if (one.packet !== undefined) return { r0: `0x${answer.retval.toString(16)}`, memAfter: undefined }
  const after = trimmed(value.subarray(0, MEM_SIZE))
  return { r0: `0x${value.readBigUInt64LE(R0_AT).toString(16)}`, memAfter: after === trimmed(one.mem) ? undefined : after }
}

/** The case's text with these results in place of the old ones. */
function rewritten(part: string, result: Result): string {
  const lines = part.trimEnd().split('\n').filter(line => !/^(= |mem=)/.test(line))
  lines.push(`= ${result.r0}`)
  if (result.memAfter !== undefined) lines.push(`mem= ${result.memAfter}`)
  return lines.join('\n') + '\n\n'
}

function ask(cases: readonly Case[]): Answer[] | undefined {
  const input = cases.map(one => `${request(one)}\n`).join('')
  const { status, stdout } = spawnSync('python3', [root('test', 'oracle', 'run-insns.py')], { input, encoding: 'utf8', maxBuffer: 1 << 28 })
  return status === 0 ? stdout.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Answer) : undefined
}

const reachable = process.platform === 'linux' && process.getuid?.() === 0 && ask([]) !== undefined
for (const file of reachable ? caseFiles() : []) {
  t.test(file, async t => {
    const cases = readCases(file).filter(one => one.noOracle === undefined)
    const answers = ask(cases)!
    const results = new Map<string, Result>()
    cases.forEach((one, n) => {
      const answer = answers[n]!
      if (!answer.ok) return t.fail(`${one.title}: refused: ${answer.log}`)
      const result = resultOf(one, answer)
      results.set(one.title, result)
      t.same(textDifferences(program(one), answer.log), [], `${one.title}: text`)
      if (!update) t.same(result, { r0: one.r0, memAfter: one.memAfter }, one.title)
    })
    if (update) record(file, results)
  })
}
if (!reachable) t.pass('no kernel to ask here', { skip: 'needs root, bpf(2) and python3' })

/** Lines of the log that name an instruction otherwise than we do. */
function textDifferences(insns: readonly Insn[], log: string): string[] {
  return log.split('\n').flatMap(line => {
    const m = /^(\d+): (\([0-9a-f]{2}\) .*?) *(;.*)?$/.exec(line)
    if (m === null) return []
    const pc = Number(m[1])
    const isObject = insns[pc]!.code === 0x18 && insns[pc]!.src !== 0
    const ours = disasm(insns, pc)
    return isObject || ours === m[2] ? [] : [`${m[2]!} | ${ours}`]
  })
}

/** Arithmetic on eight registers, which are left in memory. */
function arithmetic(seed: number): Case {
  const random = new Random(seed)
  const lines = ['r8 = r1', ...randomRegisters(random, 0, 7)]
  for (let n = 0; n < 12; n++) lines.push(randomArithmetic(random))
  for (let r = 0; r < 8; r++) lines.push(`*(u64 *)(r8 +${8 * r}) = r${r}`)
  const text = [...lines, 'exit'].join('\n')
  return {
    file: '', title: `seed ${seed}`, text, insns: asm(text), mem: new Uint8Array(MEM_SIZE), packet: undefined, noOracle: undefined,
    r0: undefined, memAfter: undefined,
  }
}

if (reachable) {
  t.test('random arithmetic', async t => {
    const cases = Array.from({ length: 300 }, (_, n) => arithmetic(n + 1))
    const answers = ask(cases)!
    cases.forEach((one, n) => {
      const answer = answers[n]!
      if (!answer.ok) return t.fail(`${one.title}: refused: ${answer.log.slice(-300)}`)
      const wanted = resultOf(one, answer)
      for (const [name, engine] of engines) {
        memory().u8.set(one.mem, AT.mem)
        const r0 = run64(engine.compile(imageOf(one.insns), testHost()), AT.mem)
        const memAfter = trimmed(memory().u8.subarray(AT.mem, AT.mem + MEM_SIZE))
        t.same({ r0, memAfter }, { r0: wanted.r0, memAfter: wanted.memAfter ?? '' }, `${one.title}, ${name}`)
      }
    })
  })
}

function record(file: string, results: ReadonlyMap<string, Result>): void {
  const [head = '', ...parts] = readFileSync(`${caseFolder()}/${file}`, 'utf8').split(/^-- /m)
  const texts = parts.map(part => {
    const result = results.get(part.split('\n')[0]!)
    return `-- ${result === undefined ? part : rewritten(part, result)}`
  })
  writeFileSync(`${caseFolder()}/${file}`, head + texts.join('').trimEnd() + '\n')
}
