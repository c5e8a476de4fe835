// The floors of the house: imports go down only, doors stay shut, and the top level is what it is meant to be.
import t from 'tap'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { root } from './support/root.js'

/** From the ground up. A folder may import from rows above its own in this list, and from those left of it in its row. */
const FLOORS: readonly (readonly string[])[] = [
  ['pkg/uapi', 'pkg/bytes'],
  ['pkg/units', 'pkg/wasm', 'pkg/packet', 'pkg/elf', 'pkg/insn', 'pkg/btf', 'pkg/request'],
  ['pkg/mem', 'pkg/state', 'pkg/map', 'pkg/skb'],
  ['pkg/prog', 'pkg/helper', 'pkg/verifier', 'pkg/interp', 'pkg/jit'],
  ['pkg/hook', 'pkg/dev', 'pkg/sched', 'pkg/datapath'],
  ['pkg/kernel'],
  ['pkg/grammar', 'pkg/print', 'pkg/live', 'pkg/cli'],
  ['pkg'],
  ['cmd'],
]

/** The user side and the kernel side meet in pkg/request only; a command gets the kernel handed to it by its main.ts. */
const USER = ['pkg/object', 'pkg/grammar', 'pkg/print', 'pkg/cli', 'pkg/live']
const KERNEL = ['pkg/mem', 'pkg/state', 'pkg/map', 'pkg/skb', 'pkg/prog', 'pkg/helper', 'pkg/verifier', 'pkg/interp', 'pkg/jit',
  'pkg/hook', 'pkg/dev', 'pkg/sched', 'pkg/datapath', 'pkg/kernel']

/** Packages that only the named folders may import. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  elfy: ['pkg/elf'],
  yargs: ['pkg/cli'],
  ink: ['pkg/live'],
  react: ['pkg/live'],
  execa: ['test'],
  tap: ['test'],
  esbuild: ['cmd/build'],
  'node:fs': ['pkg/state', 'pkg/packet', 'cmd', 'test'],
}

const TOP = ['.ci', '.gitattributes', '.gitignore', '.npmrc', '.taprc', 'CHANGELOG.md', 'LICENSE', 'README.md', 'cmd', 'fixtures', 'man',
  'package-lock.json', 'package.json', 'pkg', 'test', 'tsconfig.json']

function sources(dir: string): string[] {
  return readdirSync(root(dir), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) => relative(root(), join(entry.parentPath, entry.name)))
}

function folder(file: string): string {
  const [top = '', second = ''] = file.split('/')
  if (top !== 'pkg') return top === 'cmd' ? `cmd/${second}` : top
  return file.split('/').length > 2 ? `pkg/${second}` : 'pkg'
}

/** pkg/object is floor 2 of the user side: it stands on floor 1 and nothing kernel-side imports it. */
function height(dir: string): [number, number] {
  if (dir === 'pkg/object') return [2, 0]
  const name = dir.startsWith('cmd') ? 'cmd' : dir
  const row = FLOORS.findIndex((names) => names.includes(name))
  return [row, FLOORS[row]?.indexOf(name) ?? -1]
}

interface Import { readonly from: string; readonly to: string; readonly file: string }

function imports(file: string): Import[] {
  const text = readFileSync(root(file), 'utf8')
  const found = text.matchAll(/^(?:import|export|\}).* from '([^']+)'|\bimport\(\s*'([^']+)'\s*\)|^import '([^']+)'/gm)
  return [...found].map((m) => {
    const name = m[1] ?? m[2] ?? m[3] ?? ''
    const to = name.startsWith('.') ? folder(relative(root(), resolve(root(dirname(file)), name))) : name
    return { from: folder(file), to, file }
  })
}

const all = [...sources('pkg'), ...sources('cmd')].flatMap(imports)

t.test('imports go down only', async (t) => {
  const up = all.filter(({ from, to }) => {
    if (!/^(pkg|cmd)/.test(to) || from === to || from.startsWith('cmd')) return false
    const [a, i] = height(from)
    const [b, j] = height(to)
    return b > a || (a === b && j > i) || b < 0
  })
  t.same(up.map(({ file, to }) => `${file} imports ${to}`), [])
})

t.test('the user side and the kernel side meet only in pkg/request', async (t) => {
  const main = /^cmd\/[a-z]+\/main\.ts$|^cmd\/lib\/(boot|lazy)\.ts$/
  const crossing = all.filter(({ from, to, file }) =>
    (USER.includes(from) && KERNEL.includes(to)) || (KERNEL.includes(from) && USER.includes(to)) ||
    (from.startsWith('cmd') && KERNEL.includes(to) && !main.test(file)))
  t.same(crossing.map(({ file, to }) => `${file} imports ${to}`), [])
})

t.test('doors stay shut', async (t) => {
  const through = all.filter(({ from, to }) => {
    const key = to.startsWith('node:fs') ? 'node:fs' : to
    const rooms = DOORS[key]
    return rooms !== undefined && !rooms.some((room) => from === room || from.startsWith(`${room}/`))
  })
  t.same(through.map(({ file, to }) => `${file} imports ${to}`), [])
})

t.test('nothing on the kernel side asks the host for time or chance', async (t) => {
  const asking = KERNEL.flatMap((dir) => sources(dir)).filter((file) => /\bDate\.now|\bMath\.random|\bperformance\.now|new Date\(/.test(readFileSync(root(file), 'utf8')))
  t.same(asking, [])
  const wasm = [...sources('pkg'), ...sources('cmd')].filter((file) => /\bnew WebAssembly\./.test(readFileSync(root(file), 'utf8')))
  t.same(wasm.filter((file) => !/^pkg\/(mem|jit)\//.test(file)), [])
})

t.test('no default exports, no file called utils', async (t) => {
  const files = [...sources('pkg'), ...sources('cmd')]
  t.same(files.filter((file) => /^export default/m.test(readFileSync(root(file), 'utf8'))), [])
  t.same(files.filter((file) => /utils?\.tsx?$/.test(file)), [])
})

t.test('the top level is the one that was settled', async (t) => {
  const names = readdirSync(root()).filter((name) => !['.git', '.out', '.tap', 'dist', 'node_modules'].includes(name) && !name.endsWith('.log'))
  t.same(names.filter((name) => !TOP.includes(name)), [])
})
