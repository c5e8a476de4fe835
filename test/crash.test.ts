// kill -9 at random moments of real commands: every change that a command acknowledged with status 0 is found, and none is torn.
import t from 'tap'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './support/root.js'

const KILLS = 200

const state = mkdtempSync(join(tmpdir(), 'hookpoint-crash-'))
t.teardown(() => spawnSync('rm', ['-rf', state]))
const env: NodeJS.ProcessEnv = { ...process.env, HOOKPOINT_STATE: state }
delete env['NODE_EXTRA_CA_CERTS']

function run(command: string, ...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(root('dist', 'bin', command), argv, { env, encoding: 'utf8' })
  return { status, stdout, stderr }
}

/** Starts a command and kills it after some ms unless it is done; its exit status, null when it was killed. */
function killed(command: string, argv: string[], after: number): Promise<number | null> {
  return new Promise((resolve) => {
    const child = spawn(root('dist', 'bin', command), argv, { env, stdio: 'ignore' })
    const timer = setTimeout(() => child.kill('SIGKILL'), after)
    child.on('exit', (status) => {
      clearTimeout(timer)
      resolve(status)
    })
  })
}

/** What an undisturbed command takes on this machine today, in ms: the slowest of five. */
function usual(): number {
  const times = Array.from({ length: 5 }, (_, n) => {
    const started = performance.now()
    run('ip', 'link', 'add', `warm${n}`, 'type', 'dummy')
    return performance.now() - started
  })
  return Math.max(...times)
}

/** Park and Miller's generator: the same moments in every run, as far as a clock allows. */
function moments(seed: number): () => number {
  let x = seed
  return () => (x = (x * 48271) % 0x7fffffff) / 0x7fffffff
}

t.test(`${KILLS} commands killed at random`, async (t) => {
  t.equal(run('ip', 'link', 'show').status, 0)
  const latest = 2 * usual()
  const next = moments(20210821)
  const acknowledged = new Set<string>()
  const tried = new Set<string>()
  let limit = 1000
  let survivors = 0
  for (let n = 0; n < KILLS; n += 1) {
    const name = `d${n}`
    const after = next() * latest
    if (n % 2 === 0) {
      tried.add(name)
      if (await killed('ip', ['link', 'add', name, 'type', 'dummy'], after) === 0) acknowledged.add(name)
    } else if (await killed('tc', ['qdisc', 'replace', 'dev', 'eth0', 'root', 'handle', '1:', 'pfifo', 'limit', String(2000 + n)], after) === 0) {
      limit = 2000 + n
      survivors += 1
    }
  }
  const shown = run('ip', '-br', 'link', 'show')
  t.equal(shown.status, 0, shown.stderr)
  const names = new Set(shown.stdout.split('\n').map((line) => line.split(/\s+/)[0] ?? '').filter((name) => /^d\d+$/.test(name)))
  t.same([...acknowledged].filter((name) => !names.has(name)), [], 'acknowledged devices are there')
  t.same([...names].filter((name) => !tried.has(name)), [], 'and none that nobody asked for')
  t.ok(acknowledged.size + survivors > 0, 'some commands lived long enough')
  t.ok(acknowledged.size + survivors < KILLS, 'some did not')

  const qdisc = run('tc', 'qdisc', 'show', 'dev', 'eth0')
  const found = Number(/limit (\d+)p/.exec(qdisc.stdout)?.[1] ?? 1000)
  t.ok(found >= limit, `the last acknowledged limit ${limit} or a later one: ${found}`)

  t.equal(run('ip', 'link', 'set', 'lo', 'mtu', '65000').status, 0, 'a dead command leaves no lock behind')
  const torn = [...names].filter((name) => !existsSync(join(state, 'sys/class/net', name, 'queues/tx-0/xps_cpus')))
  t.same(torn, [], 'files follow the devices that a killed command made')
  const whole = run('ip', '-d', 'link', 'show', 'type', 'dummy')
  t.equal(whole.stdout.split('\n').filter((line) => /^\d+: d\d+:/.test(line)).length, names.size, 'each of them is whole')
})
