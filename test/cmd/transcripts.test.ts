// Every sitting of fixtures/cli again, each on a new bare machine in memory (wire-*.txt: one with its NICs): same output, same errors, same exit status. UPDATE=1 rewrites the files.
// What the files say of Linux was recorded there (test/oracle/transcripts.test.ts).
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { run as ip } from '../../cmd/ip/index.js'
import { run as tc } from '../../cmd/tc/index.js'
import { run as wire } from '../../cmd/wire/index.js'
import type { Io } from '../../pkg/cli/index.js'
import { tools } from '../../pkg/kernel/tools.js'
import { bootMemory } from '../../pkg/kernel/boot.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import type { Command } from '../support/command.js'
import { root } from '../support/root.js'
import { formatTranscript, parseTranscript, replay, wordsOf, type Outcome } from '../support/transcript.js'

const COMMANDS: Readonly<Record<string, Command>> = { ip, tc, wire, sleep: () => 0 }

/** A terminal on one machine, which outlives its commands. */
function terminal(bare: boolean): (command: string, input: string) => Outcome {
  const kernel = bootMemory({ toolchain: () => tools, bare, cpus: bare ? 2 : 4 }) as Kernel & { rollback(): void }
  // Closing is the session's business in a process of its own; here it only takes back what a failed command did.
  const shared: Kernel = { request: (op, request) => kernel.request(op, request), commit: () => kernel.commit(), close: () => kernel.rollback() }
  return (command, input) => {
    const ran = { out: '', err: '', status: 0 }
    const [name = '', ...words] = wordsOf(command)
    const io: Io = {
      stdout: (text) => { ran.out += String(text) }, stderr: (text) => { ran.err += text }, stdin: () => input, env: {}, cwd: root(), tty: false,
      readFile: (path) => readFileSync(root(path)), writeFile: () => {}, openKernel: () => shared,
    }
    ran.status = COMMANDS[name]!(words, io)
    return ran
  }
}

for (const name of readdirSync(root('fixtures', 'cli')).filter((one) => one.endsWith('.txt') && !one.startsWith('bpftool-')).sort()) {
  t.test(name, async (t) => {
    const path = root('fixtures', 'cli', name)
    const text = readFileSync(path, 'utf8')
    const wanted = parseTranscript(text)
    const now = replay(wanted, terminal(!name.startsWith('wire-')))
    if (process.env['UPDATE'] === '1') return writeFileSync(path, formatTranscript(now))
    for (const [i, step] of wanted.steps.entries()) t.strictSame(now.steps[i], step, step.command)
  })
}
