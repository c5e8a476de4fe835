// `hookpoint`: its words, on a house that only notes what is asked of it; and its states, on directories.
import t from 'tap'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../cmd/hookpoint/index.js'
import { quote } from '../../cmd/hookpoint/environment.js'
import type { House } from '../../cmd/hookpoint/house.js'
import type { Io } from '../../pkg/cli/io.js'
import { tools } from '../../pkg/kernel/tools.js'
import { bootDirectory } from '../../pkg/kernel/boot.js'
import { exportMachine, hasMachine, importMachine } from '../../pkg/kernel/transfer.js'
import { removeState } from '../../pkg/state/reset.js'
import type { Json } from '../../pkg/state/store.js'

type Ran = { out: string; err: string; status: number; asked: unknown[][] }

async function hookpoint(argv: readonly string[], { made = false, dir = '/machine', stdin = '' } = {}): Promise<Ran> {
  const ran: Ran = { out: '', err: '', status: 0, asked: [] }
  const note = (...what: unknown[]): void => { ran.asked.push(what) }
  const io: Io = {
    stdout: (text) => { ran.out += String(text) }, stderr: (text) => { ran.err += text }, stdin: () => stdin,
    env: { PATH: '/usr/bin', SHELL: '/bin/zsh' }, cwd: '/', tty: false,
    readFile: () => { throw Object.assign(new Error(''), { code: 'ENOENT' }) }, writeFile: (path) => note('write', path),
    openKernel: (access) => { note('open', access); return { close: () => {} } as unknown as ReturnType<Io['openKernel']> },
  }
  const house: House = {
    dir, bin: '/x/dist/bin', home: '/x', hasMachine: () => made, make: (options) => note('make', options), exportState: () => ({ format: 'hookpoint-state' }),
    importState: (json) => note('import', json), reset: () => note('reset'), run: (program, words, env) => { note('run', program, words, env); return 3 },
  }
  ran.status = await run(argv, io, house)
  return ran
}

t.test('init', async (t) => {
  t.match(await hookpoint(['init']), { status: 0, out: '', asked: [['make', {}]] })
  t.match(await hookpoint(['init', '--bare', '--cpus', '2']), { asked: [['make', { bare: true, cpus: 2 }]] })
  t.match(await hookpoint(['init'], { made: true }), { status: 1, err: '"/machine" holds a machine already; "hookpoint state reset" removes it\n', asked: [] })
  for (const cpus of ['0', 'x', '257']) t.match(await hookpoint(['init', '--cpus', cpus]), { status: 255, err: `--cpus takes a number from 1 to 256, not "${cpus}"\n`, asked: [] })
  t.match(await hookpoint(['init', '--cpus']), { status: 255, err: /Not enough arguments following: cpus/ })
  t.match(await hookpoint(['init', '--zork']), { status: 255, err: 'Unknown argument: zork\nTry "hookpoint --help".\n', asked: [] })
})

t.test('env and shell', async (t) => {
  t.match(await hookpoint(['env']), { out: 'export PATH=/x/dist/bin:"$PATH"\nexport HOOKPOINT_STATE=/machine\n', asked: [['open', 'read']] })
  const odd = await hookpoint(['env'], { dir: '/it\'s "odd" $(x)\n' })
  const read = spawnSync('sh', ['-c', `${odd.out}printf %s "$HOOKPOINT_STATE"`], { encoding: 'utf8' })
  t.equal(read.stdout, '/it\'s "odd" $(x)\n', 'sh reads back what was there')
  t.equal(quote('a b'), '\'a b\'')
  t.match(await hookpoint(['shell', '-c', 'ip link']), {
    status: 3, asked: [['open', 'read'], ['run', '/bin/zsh', ['-c', 'ip link'], { PATH: '/x/dist/bin:/usr/bin', HOOKPOINT_STATE: '/machine' }]],
  })
})

t.test('the other commands', async (t) => {
  t.match(await hookpoint(['tc', '-s', 'qdisc', '--help']), { status: 3, asked: [['run', process.execPath, ['/x/dist/bin/tc', '-s', 'qdisc', '--help']]] })
  t.match(await hookpoint(['zork']), { status: 255, err: 'Unknown argument: zork\nTry "hookpoint --help".\n' })
  t.match(await hookpoint([]), { status: 255, err: /^Which command\?/ })
})

t.test('help, version, completion', async (t) => {
  t.match(await hookpoint(['--version']), { status: 0, out: /^hookpoint \d+\.\d+\.\d+\n$/ })
  const { out } = await hookpoint(['--help'])
  for (const word of ['init', 'env', 'shell', 'demo', 'state', 'completion', 'tc', 'ip', 'bpftool', 'wire']) t.match(out, `hookpoint ${word}`)
  t.match((await hookpoint(['state', '--help'])).out, /hookpoint state import <file>/)
  const scripts = (await hookpoint(['completion'])).out
  for (const name of ['hookpoint', 'tc', 'ip', 'bpftool', 'wire']) t.match(scripts, `#-begin-${name}-completions-#`)
  const at = async (...words: string[]): Promise<string[]> => (await hookpoint(['--get-yargs-completions', 'hookpoint', ...words])).out.trim().split('\n')
  t.strictSame(await at('st'), ['state'])
  t.strictSame(await at('state', ''), ['export', 'import', 'reset'])
  t.strictSame(await at('init', '--'), ['--bare', '--cpus'])
  t.match(await hookpoint(['--get-yargs-completions', 'hookpoint', 'ip', 'li']), { asked: [['run', process.execPath, ['/x/dist/bin/ip', '--get-yargs-completions', 'ip', 'li']]] })
})

t.test('state', async (t) => {
  t.match(await hookpoint(['state', 'export']), { out: '{\n  "format": "hookpoint-state"\n}\n' })
  t.match(await hookpoint(['state', 'export', '-']), { out: /hookpoint-state/ })
  t.match(await hookpoint(['state', 'export', 'x.json']), { out: '', asked: [['write', 'x.json']] })
  t.match(await hookpoint(['state', 'import', '-'], { stdin: '{"a":1}' }), { asked: [['import', { a: 1 }]] })
  t.match(await hookpoint(['state', 'import', 'nofile']), { status: 1, err: 'cannot read nofile: No such file or directory\n' })
  t.match(await hookpoint(['state', 'import', '-'], { stdin: 'x\n' }), { status: 1, err: /^-: no JSON: [^\n]*\n$/ })
  t.match(await hookpoint(['state', 'reset']), { status: 0, asked: [['reset']] })
})

t.test('a machine goes out, comes back, is removed', async (t) => {
  const home = t.testdir()
  const [one, two] = [join(home, 'one'), join(home, 'two')]
  const mask = 'sys/class/net/eth0/queues/tx-1/xps_cpus'
  t.equal(hasMachine(one), false)
  bootDirectory(one, 'write', { toolchain: () => tools, cpus: 2 }).close()
  t.equal(hasMachine(one), true)
  writeFileSync(join(one, mask), '2\n')
  const out = exportMachine(one)
  t.equal(JSON.stringify(exportMachine(one)), JSON.stringify(out), 'always in the same order')
  importMachine(two, JSON.parse(JSON.stringify(out)) as Json)
  t.strictSame(exportMachine(two), out)
  t.equal(readFileSync(join(two, mask), 'utf8'), '2\n', 'with what a user wrote into its files')
  t.equal(bootDirectory(two, 'read', { toolchain: () => tools }).request('sys.info', {}).cpus, 2)
  t.throws(() => importMachine(two, { format: 'zork' }), { message: 'not a state export: the file has the wrong form' })
  t.strictSame(exportMachine(two), out, 'a file that is no export changes nothing')
  writeFileSync(join(one, 'notes.txt'), 'mine')
  removeState(one)
  t.strictSame(readdirSync(one), ['notes.txt'], 'only what is ours')
  removeState(two)
  t.notOk(existsSync(two))
  mkdirSync(two)
  for (const dir of [one, two, join(home, 'none')]) t.throws(() => removeState(dir), { message: `"${dir}" holds no machine of hookpoint's, and is left as it is` })
})
