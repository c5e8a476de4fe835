// Random programs, our verdict against the machine's kernel: lists each disagreement with its program.
//   node dist/test/oracle/fuzz-verifier.js [COUNT] [SEED]
import { disasm } from '../../pkg/insn/disasm.js'
import { outcome, outcomeOf, verifyCase } from '../verifier/run.js'
import type { Case } from '../verifier/case.js'
import { randomCase } from '../verifier/random-case.js'
import { askKernel } from './loader.js'

const count = Number(process.argv[2] ?? 1000)
const seed = Number(process.argv[3] ?? 1)

const show = (c: Case): string => c.insns.map((i, n) => (i.code === 0 ? '' : `    ${n}: ${disasm(c.insns, n)}\n`)).join('')
let [agree, words, unsound, accepted] = [0, 0, 0, 0]
for (let from = 0; from < count; from += 500) {
  const cases = Array.from({ length: Math.min(500, count - from) }, (_, n) => randomCase(seed * 1_000_003 + from + n))
  const answers = askKernel(cases)
  if (answers === undefined) throw new Error('no kernel to ask')
  cases.forEach((c, n) => {
    const theirs = outcome(answers[n]!.errno, answers[n]!.log)
    const result = verifyCase(c)
    const ours = outcomeOf(result)
    const same = (theirs === 'accept') === (ours === 'accept')
    if (theirs === 'accept') accepted++
    if (same) agree++
    if (theirs === ours) words++
    else console.log(`${c.title}${same ? '' : ours === 'accept' ? ' UNSOUND?' : ' REFUSED'}\n  kernel: ${theirs}\n  here:   ${ours}${same ? '' : `\n${show(c)}`}`)
    if (ours === 'accept' && !same) unsound++
  })
}
console.log(`${agree} of ${count} verdicts agree (${accepted} accepted there), ${words} with the same last line, ${unsound} accepted only here`)
