// bpftool against transcripts of the real one, in this process and on a machine in memory.
import t from 'tap'
import { readdirSync, readFileSync } from 'node:fs'
import { run as runBpftool } from '../../../cmd/bpftool/index.js'
import { run as runIp } from '../../../cmd/ip/index.js'
import { run as runTc } from '../../../cmd/tc/index.js'
import { splitWords, type Access, type Io } from '../../../pkg/cli/index.js'
import { tools } from '../../../pkg/kernel/tools.js'
import { bootMemory } from '../../../pkg/kernel/boot.js'
import type { Kernel } from '../../../pkg/request/kernel.js'
import { root } from '../../support/root.js'
import { format, parse, Placeholders, type Result } from './transcript.js'

const TOOLS: Readonly<Record<string, (argv: readonly string[], io: Io) => number>> = { bpftool: runBpftool, ip: runIp, tc: runTc }

/** A machine as new as a network namespace, with the CPUs of the one that the transcripts were made on. */
function sitting(options: { bare?: boolean; cpus?: number } = { bare: true, cpus: 2 }): { run: (line: string, stdin?: string) => Result; kernel: Kernel; files: Map<string, Uint8Array> } {
  const kernel = bootMemory({ toolchain: () => tools, ...options })
  const files = new Map<string, Uint8Array>()
  const run = (line: string, stdin = ''): Result => {
    const seen = { stdout: '', stderr: '' }
    const io: Io = {
      stdout: (text) => { seen.stdout += typeof text === 'string' ? text : new TextDecoder().decode(text) }, stderr: (text) => { seen.stderr += text },
      stdin: () => stdin, env: {}, cwd: root(), tty: false,
      readFile: (path) => files.get(path) ?? readFileSync(path.startsWith('/') ? path : root(path)),
      writeFile: (path, bytes) => { files.set(path, bytes.slice()) },
      openKernel: (access) => session(kernel, access),
    }
    const [name = '', ...words] = splitWords(line)
    const status = TOOLS[name]!(words, io)
    return { ...seen, status }
  }
  return { run, kernel, files }
}

/** A command's session on a machine that outlives it: what was not committed is undone. */
function session(kernel: Kernel, access: Access): Kernel {
  let open = access === 'write'
  return {
    request: (op, request) => kernel.request(op, request),
    commit: () => { kernel.commit(); open = false },
    close: () => { if (open) (kernel as Kernel & { rollback(): void }).rollback() },
  }
}

const ok = (line: string, { stdout, stderr, status }: Result): string => {
  if (status !== 0) throw new Error(`${line}: ${stderr}${stdout}`)
  return stdout
}

for (const name of readdirSync(root('fixtures/cli')).filter((file) => /^bpftool-.*\.txt$/.test(file))) {
  t.test(`as the real one: ${name}`, async (t) => {
    const { run } = sitting()
    const holders = new Placeholders()
    for (const { command, output } of parse(readFileSync(root('fixtures/cli', name), 'utf8'))) {
      t.equal(holders.apply(format(run(command))), output, command)
    }
  })
}
void ok
