// The real kernel's verdicts on fixtures/verifier, and ours beside them.
//   node dist/test/oracle/agree.js --record [FILTER]        asks the kernel and rewrites every verdict
//   node dist/test/oracle/agree.js --agree [FILTER] [-v]    agreement by theme in both directions, ratios of processed instructions
//   node dist/test/oracle/agree.js --logs LEVEL [FILTER]    whole logs, line by line: the first line that differs of every case
//   node dist/test/oracle/agree.js --shrink                 takes the cases that agree by now out of disagreements.txt
//   node dist/test/oracle/agree.js --objects FOLDER         every program of any folder's objects, against the running kernel
//   node dist/test/oracle/agree.js --show CASE [LEVEL]      both logs of the cases whose name contains CASE
import { readFileSync, writeFileSync } from 'node:fs'
import { vmlinuxBtf } from '../../pkg/btf/index.js'
import { allCases, byTheme, differenceOf, oursText, verdictText, type Difference } from '../verifier/agreement.js'
import { caseFiles, caseFolder, readCases, type Case } from '../verifier/cases.js'
import { objectCases, verdictFile } from '../verifier/object-cases.js'
import { ourVerdict } from '../verifier/ours.js'
import { ask, reachable, realKernelBtf } from './verdicts.js'

/** Logs longer than this say nothing new. */
const LONG = 1 << 22
const [mode, filter = '', option = ''] = process.argv.slice(2)

if (mode === '--record') record()
else if (mode === '--agree') agree(filter === '-v' ? '' : filter, [filter, option].includes('-v'))
else if (mode === '--logs') logs(Number(filter), option)
else if (mode === '--objects') objects(filter)
else if (mode === '--shrink') shrink()
else if (mode === '--show') show(filter, Number(option || 1))
else console.error('usage: agree.js --record [FILTER] | --agree [FILTER] [-v] | --logs LEVEL [FILTER] | --objects FOLDER | --shrink | --show CASE [LEVEL]')

function record(): void {
  if (!reachable()) throw new Error('no kernel to ask: needs root, bpf(2) and cc')
  for (const file of caseFiles().filter(name => name.includes(filter))) recordFile(file)
  if (!'c-'.includes(filter.slice(0, 2))) return
  const cases = objectCases()
  const texts = verdictsOf(cases)
  writeFileSync(verdictFile(), cases.map((one, n) => `${one.name}: ${texts[n]!}\n`).join(''))
}

function verdictsOf(cases: readonly Case[]): string[] {
  const kernel = realKernelBtf()
  return ask(cases.map(one => one.load(kernel))).map(verdictText)
}

function recordFile(file: string): void {
  const cases = readCases(file)
  if (cases.length === 0) return
  const texts = verdictsOf(cases)
  const lines = new Map<string, string[]>()
  cases.forEach((one, n) => {
    const line = `= ${one.prefix}${texts[n]!}`
    lines.set(one.title, [...lines.get(one.title) ?? [], line])
    if (one.verdict !== undefined && one.verdict !== texts[n]) console.log(`${one.name}: was ${one.verdict}, is ${texts[n]!}`)
  })
  const [head = '', ...parts] = readFileSync(`${caseFolder()}/${file}`, 'utf8').split(/^-- /m)
  const written = parts.map(part => {
    const own = part.trimEnd().split('\n').filter(line => !line.startsWith('= '))
    return `-- ${[...own, ...lines.get(own[0]!)!].join('\n')}\n\n`
  })
  writeFileSync(`${caseFolder()}/${file}`, head + written.join('').trimEnd() + '\n')
}

interface Row { one: Case, ours: string, difference: Difference }

function agree(part: string, verbose: boolean): void {
  report(allCases().filter(one => one.name.includes(part) && one.verdict !== undefined), verbose)
}

function objects(folder: string): void {
  const kernel = realKernelBtf()
  const cases = objectCases(folder)
  const verdicts = ask(cases.map(one => one.load(kernel))).map(verdictText)
  report(cases.map((one, n) => ({ ...one, verdict: verdicts[n] })), true)
}

function report(cases: readonly Case[], verbose: boolean): void {
  const rows: Row[] = cases.map(one => {
    const ours = oursText(one)
    return { one, ours, difference: differenceOf(one.verdict!, ours) }
  })
  for (const [theme, own] of byTheme(rows, row => row.one.theme)) console.log(summary(theme, own))
  console.log(summary('all', rows))
  console.log(ratios(rows))
  const order: Difference[] = ['unsound', 'strict', 'words']
  if (verbose) for (const kind of order) for (const row of rows.filter(r => r.difference === kind)) print(row)
}

function summary(theme: string, rows: readonly Row[]): string {
  const count = (test: (row: Row) => boolean): number => rows.filter(test).length
  const accepted = (row: Row): boolean => row.one.verdict!.startsWith('ok ')
  const [good, bad] = [count(accepted), count(row => !accepted(row))]
  const [strict, unsound, words] = (['strict', 'unsound', 'words'] as const).map(kind => count(row => row.difference === kind))
  return `${theme.padEnd(24)} accepts ${good - strict!}/${good}  refuses ${bad - unsound!}/${bad}  same line ${bad - unsound! - words!}/${bad}`
}

/** Quantiles of our processed instructions over the kernel's. */
function ratios(rows: readonly Row[]): string {
  const both = rows.filter(row => row.one.verdict!.startsWith('ok ') && row.ours.startsWith('ok '))
  const ratio = both.map(row => ({ name: row.one.name, value: Number(row.ours.slice(3)) / Number(row.one.verdict!.slice(3)) }))
  ratio.sort((a, b) => a.value - b.value)
  const at = (q: number): string => (ratio[Math.min(ratio.length - 1, Math.floor(q * ratio.length))]?.value ?? 1).toFixed(2)
  const apart = ratio.filter(one => one.value > 1.05 || one.value < 0.95).map(one => `  ${one.value.toFixed(2)} ${one.name}`)
  return [`processed insns, ours/kernel's: min ${at(0)} p10 ${at(0.1)} median ${at(0.5)} p90 ${at(0.9)} max ${at(1)}`, ...apart].join('\n')
}

function print({ one, ours, difference }: Row): void {
  console.log(`${difference}: ${one.name}\n  kernel: ${one.verdict!}\n  here:   ${ours}`)
}

function logs(level: number, part: string): void {
  const kernel = realKernelBtf()
  const cases = allCases().filter(one => one.name.includes(part) && !/\bok \d{5}|E2BIG/.test(one.verdict ?? ''))
  const theirs = ask(cases.map(one => one.load(kernel)), level)
  let same = 0
  cases.forEach((one, n) => {
    const [real, mine] = [theirs[n]!.log, ourVerdict(one.load(vmlinuxBtf()), level).log].map(log => plain(log.slice(0, LONG)).split('\n'))
    const at = real!.findIndex((line, k) => line.trimEnd() !== mine![k]?.trimEnd())
    if (at < 0) same++
    else console.log(`${one.name}, line ${at + 1}\n  kernel: ${real![at]!}\n  here:   ${mine![at] ?? 'nothing'}`)
  })
  console.log(`${same} of ${cases.length} logs are the kernel's`)
}

/** Addresses of kernel objects are nobody's business. */
function plain(log: string): string {
  return log.replace(/(\(18\) r\d+ = )0x[0-9a-f]+[ \t]*/g, '$1ADDRESS ').replace(/#\d{4,}[ \t]*/g, '#ID ')
}

function shrink(): void {
  const file = `${caseFolder()}/disagreements.txt`
  const agreed = new Set(allCases().filter(one => differenceOf(one.verdict ?? '', oursText(one)) === 'same').map(one => one.name))
  const lines = readFileSync(file, 'utf8').split('\n')
  writeFileSync(file, lines.filter(line => !agreed.has(line.split(' => ')[0]!)).join('\n'))
}

function show(part: string, level: number): void {
  for (const one of allCases().filter(c => c.name.includes(part))) {
    const theirs = reachable() ? ask([one.load(realKernelBtf())], level)[0]!.log : 'no kernel here'
    console.log(`== ${one.name}\n-- kernel\n${theirs}\n-- here\n${ourVerdict(one.load(vmlinuxBtf()), level).log}`)
  }
}
