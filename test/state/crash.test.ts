// pkg/state under kill -9 and under several writers at once: what was acknowledged is there, nothing is torn, locks heal.
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { openStore, type Store } from '../../pkg/state/store.js'
import { random, scratch, SMALL } from './support.js'

type Child = ChildProcessByStdio<null, Readable, Readable>

const PROGRAM = fileURLToPath(new URL('./writer.js', import.meta.url))
const KILLS = 60

function run(...args: string[]): Child {
  const env = { ...process.env }
  delete env['NODE_EXTRA_CA_CERTS']
  return spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env })
}

/** Waits for a child's end; what it printed. */
async function ended(child: Child): Promise<{ out: string; errors: string }> {
  const text = { out: '', errors: '' }
  child.stdout.on('data', (chunk: Buffer) => { text.out += chunk.toString() })
  child.stderr.on('data', (chunk: Buffer) => { text.errors += chunk.toString() })
  await new Promise((resolve) => child.on('close', resolve))
  return text
}

/** What is torn in a state whose every part should say the same number; '' when nothing is. */
function torn(store: Store): string {
  const n = Number(store.get('n') ?? 0)
  if (n === 0) return ''
  const fill = n % 255 + 1
  if (JSON.stringify(store.get(`key/${n % 7}`)) !== JSON.stringify({ n, text: 'x'.repeat(n % 300) })) return `key of ${n}`
  if (store.has(`key/${(n + 3) % 7}`)) return `deleted key of ${n}`
  for (const page of [store.readPage('area', n % 3), store.readPage('same', 0)]) if (!page?.every((byte) => byte === fill)) return `page of ${n}`
  if (Buffer.from(store.readBlob('blob')!).toString() !== `blob ${n} ${'y'.repeat(n % 2000)}`) return `blob of ${n}`
  return ''
}

t.test(`${KILLS} times kill -9: every acknowledged commit is found, none is torn`, async (t) => {
  const dir = scratch(t)
  const next = random(7)
  let acknowledged = 0
  for (let i = 0; i < KILLS; i++) {
    const child = run('tally', dir)
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), next(25)))
    const { out, errors } = await ended(child)
    if (errors !== '') return t.fail(errors)
    acknowledged = Math.max(acknowledged, ...out.split('\n').slice(0, -1).map(Number))
    const store = openStore(dir, 'read')
    const n = Number(store.get('n'))
    if (n < acknowledged || n > acknowledged + 1) return t.fail(`found ${n}, acknowledged ${acknowledged}`)
    if (torn(store) !== '') return t.fail(torn(store))
    store.close()
  }
  t.ok(acknowledged > KILLS, `${acknowledged} commits`)
  const store = openStore(dir, 'write', SMALL)
  for (let i = 0; i < 10; i++) {
    store.set('last', i)
    store.commit()
  }
  store.close()
  t.same(fs.readdirSync(dir).sort(), ['meta.log', 'seg'], 'nothing of the dead is left')
})

t.test('four writers at once count exactly, and readers beside them see only whole commits', async (t) => {
  const dir = scratch(t)
  const children = [0, 1, 2, 3].map(() => ended(run('count', dir, '60')))
  const all = Promise.all(children)
  let done = false
  void all.then(() => { done = true })
  let last = 0
  while (!done) {
    await new Promise((resolve) => setTimeout(resolve, 3))
    const store = openStore(dir, 'read')
    const n = Number(store.get('counter') ?? 0)
    if (n < last) t.fail(`${n} after ${last}`)
    last = n
    store.close()
  }
  t.same(await all, [0, 1, 2, 3].map(() => ({ out: '', errors: '' })))
  const store = openStore(dir, 'read')
  t.equal(store.get('counter'), 240)
  t.equal(store.generation, 240)
})

t.test('a living holder is waited for, a dead one is not', async (t) => {
  const dir = scratch(t)
  const child = run('hold', dir)
  const end = ended(child)
  await new Promise((resolve) => child.stdout.once('data', resolve))
  t.throws(() => openStore(dir, 'write', { wait: 20 }), { name: 'InputError', message: `state directory ${dir} is locked by process ${child.pid}` })
  openStore(dir, 'read').close()
  child.kill('SIGKILL')
  await end
  t.ok(fs.existsSync(join(dir, 'lock')), 'the lock of the dead is still there')
  const store = openStore(dir, 'write', { wait: 0 })
  t.throws(() => openStore(dir, 'write'), { name: 'InputError', message: `state directory ${dir} is already open for writing in this process` })
  store.close()
  t.notOk(fs.existsSync(join(dir, 'lock')))
})

t.test('locks that name nobody alive are broken, also that of a breaker that died', async (t) => {
  const dir = scratch(t)
  const [pid, start, space] = identityOf(dir)
  const dead = [`999999999 5 ${space}\n`, `${pid} ${Number(start) + 1} ${space}\n`, '', 'garbage']
  for (const text of dead) {
    fs.writeFileSync(join(dir, 'lock'), text)
    fs.writeFileSync(join(dir, 'lock.b'), text)
    fs.writeFileSync(join(dir, 'lock.999999999.0'), text)
    openStore(dir, 'write', { wait: 50 }).close()
    t.same(fs.readdirSync(dir), [], JSON.stringify(text))
  }
  fs.writeFileSync(join(dir, 'lock'), `999999999 5 pid:[1]\n`)
  t.throws(() => openStore(dir, 'write', { wait: 5 }), { name: 'InputError', message: /of another container; remove .*lock if that is gone/ })
})

t.test('several breakers of one dead lock never win together', async (t) => {
  const dir = scratch(t)
  const results = await Promise.all([0, 1, 2, 3].map(() => ended(run('orphan', dir, '150'))))
  t.same(results, [0, 1, 2, 3].map(() => ({ out: '', errors: '' })))
  const store = openStore(dir, 'read')
  t.equal(store.get('counter'), 600)
  t.equal(store.generation, 600)
})

/** The words of a lock that this process takes. */
function identityOf(dir: string): string[] {
  const store = openStore(dir, 'write')
  const words = fs.readFileSync(join(dir, 'lock'), 'latin1').trim().split(' ')
  store.close()
  return words
}
