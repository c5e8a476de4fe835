// Compares whole objects with the real kernel: verdict and last telling line of the log, return values, frames, contexts and map contents.
//   --save records the kernel's answers as fixtures/run/*.json keep them
//   node .../run-objects.js [-v] [-r] [--save DIR] OBJECT...        one line a difference, counts at the end
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { behaviourOf, packets, type Behaviour } from '../object/behaviour.js'
import { root } from '../support/root.js'
import { recordOf, tellingLine } from '../object/behaviour-record.js'
import { compareBehaviour } from './run-compare.js'

interface Answer extends Behaviour { readonly path: string }

/** The kernel's answers in order. */
export async function* askKernel(paths: readonly string[]): AsyncGenerator<Answer> {
  const dir = mkdtempSync(join(tmpdir(), 'runobj-'))
  try {
    execFileSync('gcc', ['-O1', '-o', join(dir, 'runobj'), root('test', 'oracle', 'runobj.c'), '-lbpf'], { stdio: 'pipe' })
    const child = spawn('unshare', ['-n', join(dir, 'runobj')], { stdio: ['pipe', 'pipe', 'inherit'] })
    for (const packet of packets) child.stdin.write(`packet ${Buffer.from(packet).toString('hex')}\n`)
    for (const path of paths) child.stdin.write(`object ${path}\n`)
    child.stdin.end()
    let text = ''
    for await (const line of createInterface({ input: child.stdout })) {
      if (line !== '\0') text += line
      else {
        yield JSON.parse(text) as Answer
        text = ''
      }
    }
  } finally {
    rmSync(dir, { recursive: true })
  }
}

async function main(args: string[]): Promise<void> {
  const paths = args.filter(arg => arg.endsWith('.o'))
  const save = args.includes('--save') ? args[args.indexOf('--save') + 1] : undefined
  let [same, loads, runs] = [0, 0, 0]
  for await (const answer of askKernel(paths)) {
    const bytes = new Uint8Array(readFileSync(answer.path))
    const [jit, interp] = [true, false].map(engine => compareBehaviour(behaviourOf(bytes, answer.path, engine), answer))
    const differences = [...jit!.map(text => (interp!.includes(text) ? text : `jit ${text}`)), ...interp!.filter(text => !jit!.includes(text)).map(text => `interp ${text}`)]
    loads += answer.err === 0 ? 1 : 0
    runs += answer.runs.length
    if (differences.length === 0) same += 1
    for (const text of args.includes('-v') ? differences : differences.slice(0, 2)) console.log(`${answer.path}: ${text}`)
    if (args.includes('-r') && answer.err !== 0) console.log(`${answer.path}: kernel refuses: ${tellingLine(answer.log)}`)
    if (save) writeFileSync(join(save, `${basename(answer.path, '.o')}.json`), JSON.stringify(recordOf(answer), null, 1) + '\n')
  }
  console.log(`${paths.length} objects, ${loads} load on the kernel, ${runs} runs; ${same} behave the same`)
}

if (process.argv[1]?.endsWith('run-objects.js')) await main(process.argv.slice(2))
