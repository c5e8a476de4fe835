// Compares our verdicts with the machine's kernel on every case of fixtures/verifier/cases, and prints the line of agreement.
//   node dist/test/oracle/verifier.js [record] [FILTER]      record: writes the kernel's answers into the `want` lines
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { root } from '../support/root.js'
import { parseCases, type Case } from '../verifier/case.js'
import { outcome, outcomeOf, verifyCase } from '../verifier/run.js'
import { askKernel } from './loader.js'

const args = process.argv.slice(2)
const record = args.includes('record')
const filter = args.find(a => a !== 'record')

function files(): string[] {
  return readdirSync(root('fixtures', 'verifier', 'cases')).filter(f => f.endsWith('.txt')).sort()
}

/** Types of the proposals exist on no kernel: their answers are written by hand. */
const askable = (c: Case): boolean => c.type < 0x4000

let agree = 0
let words = 0
let total = 0
for (const file of files()) {
  const path = root('fixtures', 'verifier', 'cases', file)
  const text = readFileSync(path, 'utf8')
  const cases = parseCases(file, text).filter(c => askable(c) && (filter === undefined || `${file} ${c.title}`.includes(filter)))
  const answers = askKernel(cases)
  if (answers === undefined) throw new Error('no kernel to ask')
  const lines = text.split('\n')
  cases.forEach((c, n) => {
    const { errno, log, noise } = answers[n]!
    if (noise !== '') console.log(`${file}: ${c.title}: ${noise}`)
    const theirs = outcome(errno, log)
    const ours = outcomeOf(verifyCase(c))
    total++
    if ((theirs === 'accept') === (ours === 'accept')) agree++
    if (theirs === ours) words++
    else console.log(`${file}: ${c.title}\n  kernel: ${theirs}\n  here:   ${ours}`)
    if (record && c.line < lines.length) lines[c.line] = `want ${theirs}`
  })
  if (record) writeFileSync(path, lines.join('\n'))
}
console.log(`${agree} of ${total} verdicts agree, ${words} with the same last line`)
