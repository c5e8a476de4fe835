// The recorded answers of fixtures/map and fixtures/helper are still the running kernel's. UPDATE=1 records them anew.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../support/root.js'

const RECORDERS = { 'test/oracle/maps.py': 'fixtures/map', 'test/oracle/helper-calls.py': 'fixtures/helper' }

/** Only 6.18 is the model, and per-CPU values were recorded on two CPUs. */
function unable(): string | false {
  if (process.getuid?.() !== 0 || !existsSync('/sys/kernel/btf/vmlinux')) return 'needs root and a kernel with BPF'
  if (spawnSync('python3', ['--version']).status !== 0) return 'needs python3'
  const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()
  if (!release.startsWith('6.18')) return `the running kernel is ${release}`
  return readFileSync('/sys/devices/system/cpu/possible', 'utf8').trim() === '0-1' ? false : 'needs two possible CPUs'
}

for (const [script, folder] of Object.entries(RECORDERS)) {
  t.test(`${script} records ${folder}`, { skip: unable() }, async (t) => {
    const out = process.env['UPDATE'] === '1' ? root(folder) : mkdtempSync(join(tmpdir(), 'hookpoint-'))
    const ran = spawnSync('python3', [script, out], { cwd: root(), encoding: 'utf8' })
    // The kernel has one trace pipe for all; nobody but its reader of the moment can compare with it.
    if (/trace_pipe/.test(ran.stderr) && /Errno 16/.test(ran.stderr)) return void t.skip('another process reads the trace pipe', async () => undefined)
    t.equal(ran.status, 0, ran.stderr.slice(-500))
    for (const name of readdirSync(out)) {
      const lines = (dir: string): string[] => readFileSync(join(dir, name), 'utf8').split('\n')
      const recorded = lines(root(folder))
      t.same(lines(out).filter((line, i) => line !== recorded[i]), [], name)
    }
    if (out !== root(folder)) rmSync(out, { recursive: true })
  })
}
