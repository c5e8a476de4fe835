// npm run build, second half: esbuild bundles each command into dist/lib and puts its launcher into dist/bin.
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { launcher } from './launcher.js'

const COMMANDS = ['tc', 'ip', 'bpftool', 'wire', 'hookpoint']
const dist = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** yargs pulls three copies of string-width, whose segmenters cost 8 ms each at start-up; ink's devtools are not shipped. */
const STUBS = ['string-width', 'wrap-ansi', 'strip-ansi', 'react-devtools-core']

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
    keepNames: false,
    legalComments: 'none',
    external: [...STUBS, 'ink', 'react', 'yargs'],
    logLevel: 'warning',
  })
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
install()
