// Every sitting of fixtures/cli again, each on a new bare machine in memory (wire-*.txt: one with its NICs; *-strict.txt: the proposals as posted):
// same output, same errors, same exit status. UPDATE=1 rewrites the files. `NAME=value command` and `echo TEXT > FILE` work as in a shell.
// What the files say of Linux was recorded there (test/oracle/transcripts.test.ts).
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { run as bpftool } from '../../cmd/bpftool/index.js'
import { run as ip } from '../../cmd/ip/index.js'
import { run as tc } from '../../cmd/tc/index.js'
import { run as wire } from '../../cmd/wire/index.js'
import type { Io } from '../../pkg/cli/index.js'
import { tools } from '../../pkg/kernel/tools.js'
import { bootMemory } from '../../pkg/kernel/boot.js'
import type { Files } from '../../pkg/kernel/views.js'
import type { Kernel } from '../../pkg/request/kernel.js'
import type { Command } from '../support/command.js'
import { root } from '../support/root.js'
import { formatTranscript, parseTranscript, replay, wordsOf, type Outcome } from '../support/transcript.js'

const COMMANDS: Readonly<Record<string, Command>> = { ip, tc, wire, bpftool, sleep: () => 0 }

/** Words in front of a command that set a variable for it. */
function environment(words: string[]): Record<string, string> {
  const env: Record<string, string> = {}
  while (/^[A-Z_]+=/.test(words[0] ?? '')) {
    const [name = '', value = ''] = words.shift()!.split(/=(.*)/s)
    env[name] = value
  }
  return env
}

/** A terminal on one machine, which outlives its commands. */
function terminal({ bare, strict }: { bare: boolean; strict: boolean }): (command: string, input: string) => Outcome {
  const texts = new Map<string, string>()
  const files: Files = {
    read: (path) => texts.get(path), write: (path, text) => void texts.set(path, text), remove: (path) => void texts.delete(path),
    exists: (path) => texts.has(path),
  }
  const kernel = bootMemory({ toolchain: () => tools, bare, strict, files, cpus: bare ? 2 : 4 }) as Kernel & { rollback(): void }
  // Closing is the session's business in a process of its own; here it only takes back what a failed command did.
  const shared: Kernel = { request: (op, request) => kernel.request(op, request), commit: () => kernel.commit(), close: () => kernel.rollback() }
  return (command, input) => {
    const ran = { out: '', err: '', status: 0 }
    const line = wordsOf(command)
    const env = environment(line)
    const [name = '', ...words] = line
    if (name === 'echo') {
      files.write(words.at(-1)!, `${words.slice(0, -2).join(' ')}\n`)
      return ran
    }
    const io: Io = {
      stdout: (text) => { ran.out += String(text) }, stderr: (text) => { ran.err += text }, stdin: () => input, env, cwd: root(), tty: false,
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
    const now = replay(wanted, terminal({ bare: !name.startsWith('wire-'), strict: name.endsWith('-strict.txt') }))
    if (process.env['UPDATE'] === '1') return writeFileSync(path, formatTranscript(now))
    for (const [i, step] of wanted.steps.entries()) t.strictSame(now.steps[i], step, step.command)
  })
}
