// pkg/state: the store against a model of maps, its files against damage and full disks, the plain files beside it.
import * as fs from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { crc32 as zlibCrc32 } from 'node:zlib'
import t from 'tap'
import { InputError } from '../../pkg/bytes/errors.js'
import { crc32, slowCrc32 } from '../../pkg/state/crc.js'
import { calls } from '../../pkg/state/disk.js'
import { exportState, importState } from '../../pkg/state/export.js'
import { list, readFile, removeTree, writeFileAtomic } from '../../pkg/state/files.js'
import { formatLine } from '../../pkg/state/log.js'
import { memoryStore, openStore, PAGE, type Json, type Store } from '../../pkg/state/store.js'
import { root } from '../support/root.js'
import { random, scratch, SMALL } from './support.js'

function page(fill: number): Uint8Array {
  return new Uint8Array(PAGE).fill(fill)
}

function reading<T>(dir: string, work: (store: Store) => T): T {
  const store = openStore(dir, 'read')
  try {
    return work(store)
  } finally {
    store.close()
  }
}

function writing(dir: string, work: (store: Store) => void, limits = SMALL): void {
  const store = openStore(dir, 'write', limits)
  try {
    work(store)
    store.commit()
  } finally {
    store.close()
  }
}

function exported(dir: string): string {
  return reading(dir, (store) => JSON.stringify(exportState(store)))
}

t.test('the checksum is zlib\'s, summed here or there', async (t) => {
  const next = random(1)
  for (const length of [0, 1, 2, 3, 4, 5, 9, 255, 256, 1000, 5000]) {
    const bytes = Uint8Array.from({ length }, () => next(256))
    t.equal(slowCrc32(bytes), zlibCrc32(bytes), `${length} bytes`)
    t.equal(crc32(bytes), zlibCrc32(bytes))
  }
})

t.test('a store that nobody wrote to is empty, and reading makes no directory', async (t) => {
  const dir = join(scratch(t), 'none', 'such')
  const store = openStore(dir, 'read')
  t.equal(store.get('x'), undefined)
  t.same(store.keys(''), [])
  t.equal(store.generation, 0)
  t.notOk(fs.existsSync(dir))
  store.promote()
  store.set('x', null)
  t.ok(store.dirty)
  store.commit()
  t.equal(store.generation, 1)
  store.close()
  t.ok(reading(dir, (s) => s.has('x') && s.get('x') === null))
  t.same(fs.readdirSync(dir), ['meta.log'], 'no lock and no temporary file stays')
})

for (const [kind, make] of [['directory', (dir: string) => openStore(dir, 'write', SMALL)], ['memory', memoryStore]] as const) {
  t.test(`values, pages and blobs of a ${kind}`, async (t) => {
    const store = make(scratch(t))
    const odd: Json = { __proto__x: 1, list: [1, null, 'ä\u0000\n\ud800', true], deep: { a: {} } }
    store.set('k', odd)
    t.same(store.get('k'), odd)
    t.not(store.get('k'), store.get('k'), 'every get is a copy')
    store.set('__proto__', 1)
    store.set('a', JSON.parse('{"__proto__":{"x":1}}') as Json)
    store.set('\ud800', 2)
    store.set('', 3)
    store.commit()
    t.equal(JSON.stringify(store.get('a')), '{"__proto__":{"x":1}}')
    t.same(store.keys(''), ['', '__proto__', 'a', 'k', '\ud800'])
    store.set('k', odd)
    t.notOk(store.dirty, 'the same value is no change')

    store.writePage('m', 3, page(1))
    store.writePage('m', 0xffff_ffff, page(2))
    store.writePage('m#', 0, page(3))
    store.writePage('m', 4, page(0))
    t.same(store.pages('m'), [3, 0xffff_ffff])
    t.equal(store.pageCrc('m', 3), zlibCrc32(page(1)))
    t.equal(store.pageCrc('m', 4), undefined)
    const mine = store.readPage('m', 3)!
    mine[0] = 99
    t.equal(store.readPage('m', 3)![0], 1, 'a page that was handed out is a copy')
    store.commit()
    store.writePage('m', 3, page(1))
    t.notOk(store.dirty, 'the same page is no change')
    t.same(store.areas(), ['m', 'm#'])
    store.dropArea('m')
    t.same([store.pages('m'), store.pages('m#')], [[], [0]])
    t.equal(store.readPage('m', 3), undefined)
    store.rollback()
    t.same(store.pages('m'), [3, 0xffff_ffff])

    store.writeBlob('empty', new Uint8Array(0))
    store.writeBlob('b', new Uint8Array([1, 2, 3]))
    store.commit()
    t.same([store.readBlob('empty')!.length, [...store.readBlob('b')!]], [0, [1, 2, 3]])
    store.deleteBlob('b')
    store.deleteBlob('never')
    store.commit()
    t.same([store.readBlob('b'), store.blobs('')], [undefined, ['empty']])
    t.throws(() => store.writePage('m', 0, new Uint8Array(5)), { name: 'Bug' })
    t.throws(() => store.writePage('m', -1, page(1)), { name: 'Bug' })
    store.close()
  })
}

/** The model: what a store holds, in plain maps. */
class Model {
  values = new Map<string, Json>()
  pages = new Map<string, number>()
  blobs = new Map<string, string>()

  copy(): Model {
    const copy = new Model()
    copy.values = new Map(this.values)
    copy.pages = new Map(this.pages)
    copy.blobs = new Map(this.blobs)
    return copy
  }
}

function step(store: Store, model: Model, next: (n: number) => number): void {
  const [n, key] = [next(1000), `${['a/', 'b/', 'bb/'][next(3)]}${next(60)}`]
  const [area, index] = [`m${next(3)}`, next(5)]
  const name = `f${next(8)}`
  const acts: (() => void)[] = [
    () => { store.set(key, { n, fill: 'z'.repeat(next(80)) }); model.values.set(key, store.get(key)!) },
    () => { store.delete(key); model.values.delete(key) },
    () => { store.writePage(area, index, page(n % 4)); if (n % 4 === 0) model.pages.delete(`${area} ${index}`); else model.pages.set(`${area} ${index}`, n % 4) },
    () => { store.writeBlob(name, Buffer.from(`${n}`.repeat(next(900)))); model.blobs.set(name, Buffer.from(store.readBlob(name)!).toString()) },
    () => { store.deleteBlob(name); model.blobs.delete(name) },
    () => { if (n < 100) { store.dropArea(area); for (const at of model.pages.keys()) if (at.startsWith(`${area} `)) model.pages.delete(at) } },
  ]
  acts[[0, 0, 0, 1, 2, 3, 4, 5][next(8)]!]!()
}

/** What differs between store and model, '' when nothing does. */
function difference(store: Store, model: Model): string {
  for (const prefix of ['', 'a/', 'b', 'b/1', 'c']) {
    const keys = [...model.values.keys()].filter((key) => key.startsWith(prefix)).sort()
    if (JSON.stringify(store.keys(prefix)) !== JSON.stringify(keys)) return `keys ${prefix}: ${store.keys(prefix).join()} for ${keys.join()}`
  }
  for (const [key, value] of model.values) if (JSON.stringify(store.get(key)) !== JSON.stringify(value)) return `value ${key}`
  for (const area of ['m0', 'm1', 'm2']) {
    for (let n = 0; n < 5; n++) if (store.readPage(area, n)?.[77] !== model.pages.get(`${area} ${n}`)) return `page ${area} ${n}`
    const pages = [0, 1, 2, 3, 4].filter((n) => model.pages.has(`${area} ${n}`))
    if (store.pages(area).join() !== pages.join()) return `pages of ${area}`
  }
  if (store.blobs('').join() !== [...model.blobs.keys()].sort().join()) return 'blobs'
  for (const [name, text] of model.blobs) if (Buffer.from(store.readBlob(name)!).toString() !== text) return `blob ${name}`
  return ''
}

for (const seed of [1, 2, 3, 4]) {
  t.test(`random transactions, reopened and folded, against a model (seed ${seed})`, async (t) => {
    const dir = scratch(t)
    const next = random(seed)
    let model = new Model()
    let store = openStore(dir, 'write', SMALL)
    const memory = memoryStore()
    for (let i = 0; i < 250; i++) {
      const before = model.copy()
      for (let n = next(8); n >= 0; n--) step(store, model, next)
      const inside = difference(store, model)
      if (inside !== '') return t.fail(`transaction ${i}, before its end: ${inside}`)
      if (next(5) === 0) [model] = [before, store.rollback()]
      else store.commit()
      if (next(10) === 0) {
        store.close()
        const found = reading(dir, (reader) => difference(reader, model))
        if (found !== '') return t.fail(`after transaction ${i}: ${found}`)
        store = openStore(dir, 'write', SMALL)
      }
    }
    store.close()
    t.equal(reading(dir, (reader) => difference(reader, model)), '')
    const files = fs.readdirSync(join(dir, 'seg'))
    t.ok(files.length < 12, `${files.length} files stay`)
    const bytes = files.reduce((sum, file) => sum + fs.statSync(join(dir, 'seg', file)).size, 0)
    t.ok(bytes < 700_000, `garbage is collected: ${bytes} bytes stay`)
    for (let i = 0, other = random(seed), m = new Model(); i < 200; i++) {
      step(memory, m, other)
      if (i % 7 === 0) memory.commit()
      if (difference(memory, m) !== '') return t.fail(`memory: ${difference(memory, m)}`)
    }
  })
}

t.test('a reader sees one state to the end, whatever is committed and folded meanwhile', async (t) => {
  const dir = scratch(t)
  writing(dir, (store) => { store.set('n', 0); store.writePage('p', 0, page(1)); store.writeBlob('b', Buffer.from('old')) })
  const reader = openStore(dir, 'read')
  for (let i = 1; i < 60; i++) writing(dir, (s) => { s.set('n', i); s.set(`k${i}`, i); s.writePage('p', 0, page(i + 1)); s.writeBlob('b', Buffer.from(`new ${i}`)) })
  t.equal(reader.get('n'), 0)
  t.same(reader.keys(''), ['n'])
  t.equal(reader.readPage('p', 0)![5], 1)
  t.equal(Buffer.from(reader.readBlob('b')!).toString(), 'old')
  const generation = reader.generation
  reader.promote()
  t.equal(reader.generation, generation + 59, 'promoted, it starts over from what is there')
  t.equal(reader.get('n'), 59)
  reader.set('n', -1)
  reader.commit()
  reader.close()
  t.equal(reading(dir, (s) => s.get('n')), -1)
})

t.test('garbage between live pages is collected', async (t) => {
  const dir = scratch(t)
  const store = openStore(dir, 'write', SMALL)
  for (let i = 0; i < 40; i++) {
    store.writePage('kept', i, page(i + 1))
    for (let n = 0; n < 3; n++) store.writePage('often', n, page((i + n) % 200 + 1))
    store.commit()
  }
  for (let i = 0; i < 40; i++) if (store.readPage('kept', i)![PAGE - 1] !== i + 1) t.fail(`page ${i}`)
  store.close()
  const [live, stored] = [43 * PAGE, fs.readdirSync(join(dir, 'seg')).reduce((sum, file) => sum + fs.statSync(join(dir, 'seg', file)).size, 0)]
  t.ok(stored < live * 1.6 + 100_000, `${stored} bytes for ${live}`)
  t.equal(reading(dir, (s) => s.readPage('kept', 0)![0]), 1)
})

t.test('a promotion with nothing new keeps what was read', async (t) => {
  const dir = scratch(t)
  writing(dir, (store) => store.set('a', 1))
  const store = openStore(dir, 'read')
  t.throws(() => store.set('a', 2), { name: 'Bug' })
  store.promote()
  store.promote()
  t.equal(store.generation, 1)
  store.set('a', 2)
  store.writeBlob('b', new Uint8Array(9))
  store.close()
  t.equal(reading(dir, (s) => s.get('a')), 1, 'closing drops what was not committed')
})

t.test('export is stable and import restores it', async (t) => {
  const [one, two] = [scratch(t), scratch(t)]
  writing(one, (s) => { s.set('b', { z: 1, a: [{ y: 1, x: 2 }] }); s.set('a', 1); s.writePage('m', 2, page(7)); s.writeBlob('x', new Uint8Array([0, 1])) })
  writing(two, (s) => { s.set('gone', 1); s.writePage('m', 9, page(7)); s.writePage('gone', 9, page(7)); s.writeBlob('gone', page(1)) })
  const text = exported(one)
  t.match(text, /"values":\{"a":1,"b":\{"a":\[\{"x":2,"y":1\}\],"z":1\}\}/)
  importState(two, JSON.parse(text) as Json)
  t.equal(exported(two), text)
  for (const bad of ['null', '{}', text.replace('"version":1', '"version":2'), text.replace('0x0000', '0x3fff'), text.replace('"length":2', '"length":1')]) {
    t.throws(() => importState(two, JSON.parse(bad) as Json), { name: 'InputError' }, bad.slice(0, 40))
  }
  t.equal(exported(two), text, 'a bad import changes nothing')
})

t.test('the state of format 1 opens', async (t) => {
  const expected = JSON.parse(fs.readFileSync(root('fixtures/state/v1.json'), 'utf8')) as Json
  t.same(JSON.parse(exported(root('fixtures/state/v1'))), expected)
})

t.test('a state of a newer format is refused and left alone', async (t) => {
  const dir = scratch(t)
  const line = formatLine('{"format":2,"something":"else"}')
  fs.writeFileSync(join(dir, 'meta.log'), line)
  for (const mode of ['read', 'write'] as const) {
    t.throws(() => openStore(dir, mode), { name: 'InputError', message: `state directory ${dir} has format 2, this hookpoint reads formats up to 1: use a newer one` })
  }
  t.same(fs.readdirSync(dir), ['meta.log'])
  t.same(fs.readFileSync(join(dir, 'meta.log')), line)
})

function copyOfFixture(t: Parameters<typeof scratch>[0]): string {
  const dir = join(scratch(t), 'state')
  fs.cpSync(root('fixtures/state/v1'), dir, { recursive: true })
  return dir
}

/** What became of a state: the export, 'refused', or the stack of what should not have been thrown. */
function outcome(dir: string): string {
  try {
    return exported(dir)
  } catch (error) {
    if (error instanceof InputError && !error.message.includes('\n') && error.message.includes(dir)) return 'refused'
    return String(error instanceof Error ? error.stack : error)
  }
}

t.test('a flipped byte anywhere gives the same data or a refusal', async (t) => {
  const dir = copyOfFixture(t)
  const good = exported(dir)
  const bad: string[] = []
  for (const name of ['meta.log', ...fs.readdirSync(join(dir, 'seg')).map((file) => `seg/${file}`)]) {
    const path = join(dir, name)
    const bytes = fs.readFileSync(path)
    const stride = name.startsWith('seg/data') ? 127 : 1
    for (let at = 0; at < bytes.length; at += stride) {
      for (const bits of [0x01, 0x20, 0x80, bytes[at]! ^ 10]) {
        if (bits === 0) continue
        const flipped = Buffer.from(bytes)
        flipped[at]! ^= bits
        fs.writeFileSync(path, flipped)
        const got = outcome(dir)
        if (got !== good && got !== 'refused') bad.push(`${name} at ${at} ^ ${bits}: ${got.slice(0, 300)}`)
      }
    }
    fs.writeFileSync(path, bytes)
  }
  t.same(bad, [])
  t.equal(exported(dir), good)
})

t.test('a log cut short anywhere holds a whole number of commits or is refused; other files are refused', async (t) => {
  const dir = copyOfFixture(t)
  const log = fs.readFileSync(join(dir, 'meta.log'))
  const whole = new Set([outcome(dir), 'refused'])
  for (let at = 0; at < log.length; at++) {
    fs.writeFileSync(join(dir, 'meta.log'), log.subarray(0, at))
    if (at > 0 && log[at - 1] === 10) whole.add(outcome(dir))
    else if (!whole.has(outcome(dir))) t.fail(`cut at ${at}: ${outcome(dir).slice(0, 200)}`)
  }
  t.ok(whole.size >= 4)
  fs.writeFileSync(join(dir, 'meta.log'), log)
  for (const file of fs.readdirSync(join(dir, 'seg'))) {
    const path = join(dir, 'seg', file)
    const bytes = fs.readFileSync(path)
    fs.writeFileSync(path, bytes.subarray(0, bytes.length >> 1))
    t.equal(outcome(dir), 'refused', `half of ${file}`)
    fs.rmSync(path)
    t.equal(outcome(dir), 'refused', `${file} missing`)
    t.throws(() => reading(dir, (s) => exportState(s)), { message: `state directory ${dir} is damaged: seg/${file} at byte 0: the file is missing (left as it is)` })
    fs.writeFileSync(path, bytes)
  }
  fs.rmSync(join(dir, 'meta.log'))
  t.equal(outcome(dir), 'refused', 'log missing')
})

t.test('a writer leaves a damaged state as it is, and goes on after a torn line', async (t) => {
  const dir = copyOfFixture(t)
  const path = join(dir, 'meta.log')
  const log = fs.readFileSync(path)
  const hurt = Buffer.from(log)
  hurt[log.length - 20]! ^= 1
  fs.writeFileSync(path, hurt)
  t.throws(() => openStore(dir, 'write'), { name: 'InputError', message: /meta\.log at byte \d+: wrong checksum/ })
  t.same(fs.readFileSync(path), hurt)
  t.notOk(fs.existsSync(join(dir, 'lock')))

  fs.writeFileSync(path, Buffer.concat([log, Buffer.from('0badc0de {"generation":99,"set":{"lots of it":"'.padEnd(300, 'x'))]))
  t.equal(outcome(dir), outcome(root('fixtures/state/v1')))
  writing(dir, (store) => store.set('after', 1), {})
  t.equal(reading(dir, (s) => s.get('after')), 1)
  t.equal(fs.readFileSync(path, 'utf8').split('\n').length, log.toString().split('\n').length + 1)
})

t.test('places that can\'t hold a state', async (t) => {
  const dir = scratch(t)
  fs.writeFileSync(join(dir, 'file'), '')
  for (const mode of ['read', 'write'] as const) {
    t.throws(() => openStore(join(dir, 'file'), mode), { name: 'InputError', message: /^cannot (read|create) state directory .*file: / })
  }
  fs.writeFileSync(join(dir, 'meta.log'), '')
  t.throws(() => openStore(dir, 'read'), { name: 'InputError', message: /no header/ })
})

/** Runs the work on a disk with so many bytes left. */
function withRoom(bytes: number, work: () => void): void {
  const { write } = calls
  let room = bytes
  calls.write = ((fd: number, buffer: Uint8Array, offset: number, length: number, at: number) => {
    if (room === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })
    const n = write(fd, buffer, offset, Math.min(length, room), at)
    room -= n
    return n
  }) as typeof write
  try {
    work()
  } finally {
    calls.write = write
  }
}

/** Commits numbered transactions until one fails; the number of the last that was acknowledged. */
function fill(store: Store, from: number, count: number): { done: number; error: unknown } {
  let done = from
  try {
    for (let n = from + 1; n <= from + count; n++) {
      store.set('n', n)
      store.set(`k${n % 5}`, 'v'.repeat(n % 90))
      store.writeBlob('b', Buffer.from(`${n} `.repeat(40)))
      if (n % 3 === 0) store.writePage('p', n % 2, page(n % 250 + 1))
      store.commit()
      done = n
    }
    return { done, error: undefined }
  } catch (error) {
    store.rollback()
    return { done, error }
  }
}

function checkFill(store: Store, done: number): string {
  if ((store.get('n') ?? 0) !== done) return `n is ${String(store.get('n'))}, not ${done}`
  if (done > 0 && Buffer.from(store.readBlob('b')!).toString() !== `${done} `.repeat(40)) return 'blob'
  for (const n of [done, done - 1, done - 2, done - 3, done - 4]) {
    if (n > 0 && store.get(`k${n % 5}`) !== 'v'.repeat(n % 90)) return `k${n % 5}`
    if (n > 0 && n % 3 === 0 && store.readPage('p', n % 2)?.[9] !== n % 250 + 1) return `page of ${n}`
  }
  return ''
}

t.test('a disk that fills up at any byte loses nothing that was acknowledged', async (t) => {
  const wrong: string[] = []
  for (let room = 40; room < 60_000; room += room < 3000 ? 61 : 1013) {
    const dir = fs.mkdtempSync(join(scratch(t), 'full-'))
    const store = openStore(dir, 'write', SMALL)
    let result: ReturnType<typeof fill> = { done: 0, error: undefined }
    withRoom(room, () => { result = fill(store, 0, 40) })
    if (result.error !== undefined && !(result.error instanceof InputError && /no space left on device$/.test(result.error.message))) wrong.push(String(result.error))
    const log = fs.existsSync(join(dir, 'meta.log')) ? fs.readFileSync(join(dir, 'meta.log'), 'latin1') : '\n'
    if (!log.endsWith('\n')) wrong.push(`${room}: the part of a line that failed is still there`)
    wrong.push(checkFill(store, result.done), reading(dir, (s) => checkFill(s, result.done)))
    const more = fill(store, result.done, 12)
    if (more.error !== undefined) wrong.push(String(more.error))
    store.close()
    wrong.push(reading(dir, (s) => checkFill(s, result.done + 12)))
    fs.rmSync(dir, { recursive: true })
  }
  t.same(wrong.filter((text) => text !== ''), [])
})

t.test('a crash between any two system calls, or in the middle of a write, leaves a whole number of commits', async (t) => {
  const [dir, copy] = [join(scratch(t), 'state'), join(scratch(t), 'copy')]
  const { write, rename } = calls
  const wrong: string[] = []
  let [acknowledged, looks] = [0, 0]
  const look = (when: string): void => {
    fs.cpSync(dir, copy, { recursive: true })
    const store = openStore(copy, 'write', { wait: 0, ...SMALL })
    const n = Number(store.get('n') ?? 0)
    if (n !== acknowledged && n !== acknowledged + 1) wrong.push(`${when}: ${n}, acknowledged ${acknowledged}`)
    const after = checkFill(store, n)
    if (after !== '') wrong.push(`${when} of ${acknowledged + 1}: ${after}`)
    store.close()
    fs.rmSync(copy, { recursive: true })
    looks += 1
  }
  const outside = <T>(when: string, work: () => T): T => {
    Object.assign(calls, { write, rename })
    look(`before ${when}`)
    const result = work()
    look(`after ${when}`)
    Object.assign(calls, { write: halfWrite, rename: seenRename })
    return result
  }
  const halfWrite = (fd: number, buffer: Uint8Array, offset: number, length: number, at: number): number =>
    outside('a write', () => write(fd, buffer, offset, Math.max(length >> 1, 1), at))
  const seenRename = (from: string, to: string): void => outside('a rename', () => rename(from, to))
  const store = openStore(dir, 'write', SMALL)
  fs.rmSync(join(dir, 'lock'))
  Object.assign(calls, { write: halfWrite, rename: seenRename })
  try {
    for (; acknowledged < 18; acknowledged++) t.equal(fill(store, acknowledged, 1).error, undefined)
  } finally {
    Object.assign(calls, { write, rename })
  }
  store.close()
  t.same(wrong, [])
  t.ok(looks > 200, `${looks} looks`)
})

t.test('a small file system that is really full', async (t) => {
  const dir = scratch(t)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', dir], { stdio: 'ignore' })
  } catch {
    return void t.skip('no right to mount a tmpfs here', () => {})
  }
  try {
    const store = openStore(join(dir, 's'), 'write', SMALL)
    fill(store, 0, 5)
    t.throws(() => fs.writeFileSync(join(dir, 'ballast'), new Uint8Array(1 << 20)), { code: 'ENOSPC' })
    const { done, error } = fill(store, 5, 500)
    t.match(error, { name: 'InputError', message: /no space left on device$/ })
    t.equal(reading(join(dir, 's'), (s) => checkFill(s, done)), '')
    fs.rmSync(join(dir, 'ballast'))
    t.same(fill(store, done, 20), { done: done + 20, error: undefined })
    store.close()
    t.equal(reading(join(dir, 's'), (s) => checkFill(s, done + 20)), '')
  } finally {
    execFileSync('umount', [dir])
  }
})

t.test('HOOKPOINT_SYNC=1 commits and folds as well', async (t) => {
  const dir = scratch(t)
  process.env['HOOKPOINT_SYNC'] = '1'
  t.teardown(() => { delete process.env['HOOKPOINT_SYNC'] })
  const store = openStore(dir, 'write', SMALL)
  t.same(fill(store, 0, 20), { done: 20, error: undefined })
  store.close()
  t.equal(reading(dir, (s) => checkFill(s, 20)), '')
})

t.test('plain files beside the store', async (t) => {
  const dir = scratch(t)
  const path = 'sys/class/net/eth0/queues/tx-0/xps_cpus'
  t.equal(readFile(dir, path), undefined)
  t.same(list(dir, 'sys/class/net'), [])
  writeFileAtomic(dir, path, '0f\n')
  t.equal(readFile(dir, path), '0f\n')
  t.same(list(dir, 'sys/class/net/eth0/queues'), ['tx-0'])
  t.same(list(dir, 'sys/class/net/eth0/queues/tx-0'), ['xps_cpus'])
  removeTree(dir, 'sys/class/net/eth0')
  removeTree(dir, 'sys/class/net/eth0')
  t.same(list(dir, 'sys/class/net'), [])
  for (const bad of ['../x', 'a/../../x', '/etc/passwd', '', 'a//b', './a', 'a\0b', 'meta.log', 'seg/keys.1', 'lock']) {
    for (const act of [readFile, removeTree, list, (d: string, p: string) => writeFileAtomic(d, p, '')]) t.throws(() => act(dir, bad), { name: 'InputError' }, JSON.stringify(bad))
  }
})
