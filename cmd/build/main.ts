// npm run build, second half: esbuild bundles each command into dist/lib and puts its launcher into dist/bin.
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { IMPORT, launcher } from './launcher.js'

const COMMANDS = ['tc', 'ip', 'bpftool', 'wire', 'hookpoint']
const dist = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Loaded from node_modules, by the few commands that need them. */
const LAZY = ['ink', 'react', 'yargs']

/** Inside a bundle `require` is esbuild's own: what it names comes along, and runs when it is called for. */
const lazily: Plugin = {
  name: 'lazily',
  setup({ onLoad }) {
    onLoad({ filter: /\/cmd\/lib\/lazy\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(/^(import|const require).*createRequire.*$/gm, ''),
    }))
  },
}

async function bundle(): Promise<void> {
  await build({
    entryPoints: COMMANDS.map((name) => ({ in: join(dist, 'cmd', name, 'main.js'), out: name })),
    outdir: join(dist, 'lib'),
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    minify: true,
    legalComments: 'none',
    external: LAZY,
    // elfy asserts what its caller has checked before; node:assert would cost every command 3 ms.
    alias: { assert: join(dist, 'cmd', 'build', 'assert-stub.js') },
    plugins: [lazily],
    logLevel: 'warning',
  })
  for (const name of COMMANDS) rewrite(join(dist, 'lib', `${name}.cjs`))
}

/**
 * esbuild copies a built-in module's hundred properties for every file that imports it whole; required as it is, it does the same
 * without 1.5 ms at each start.
 */
function rewrite(file: string): void {
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replaceAll(/\b[\w$]+\((require\("(?:node:)?(?:fs|os|path)"\))(?:,1)?\)/g, '$1'))
}

/** Code that V8 takes from its cache has no way to import(); the launcher lends its own. */
function lendImport(): void {
  for (const name of COMMANDS) {
    const file = join(dist, 'lib', `${name}.cjs`)
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/\bimport\(("[\w-]+")\)/g, `${IMPORT}($1)`))
  }
}

function install(): void {
  const bin = join(dist, 'bin')
  rmSync(bin, { recursive: true, force: true })
  mkdirSync(bin, { recursive: true })
  for (const name of COMMANDS) {
    writeFileSync(join(bin, name), launcher(name))
    chmodSync(join(bin, name), 0o755)
  }
  // The launchers have no extension, so their folder says that they are CommonJS.
  for (const dir of ['bin', 'lib']) writeFileSync(join(dist, dir, 'package.json'), '{"type":"commonjs"}\n')
}

await bundle()
lendImport()
install()
