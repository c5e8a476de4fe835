// npm run build, second half: esbuild bundles each command into dist/lib and puts its launcher into dist/bin.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.js'
import { launcher } from './launcher.js'

/** Each with words that start it and change nothing: they fill its code cache. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  tc: ['qdisc', 'show'], ip: ['link', 'show'], bpftool: ['prog', 'show'], wire: ['time'], hookpoint: ['env'],
}
const dist = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

async function install(): Promise<void> {
  const [bin, lib] = [join(dist, 'bin'), join(dist, 'lib')]
  for (const dir of [bin, lib]) {
    rmSync(dir, { recursive: true, force: true })
    mkdirSync(dir, { recursive: true })
    // The launchers have no extension, so their folder says that they are CommonJS.
    writeFileSync(join(dir, 'package.json'), '{"type":"commonjs"}\n')
  }
  for (const name of Object.keys(COMMANDS)) {
    const { light, heavy } = await bundle(dist, name)
    writeFileSync(join(lib, `${name}.light.cjs`), light)
    writeFileSync(join(lib, `${name}.heavy.cjs`), heavy)
    writeFileSync(join(bin, name), launcher(name))
    chmodSync(join(bin, name), 0o755)
  }
}

/** An installation that users can't write to has its caches from the start. */
function warm(): void {
  const state = mkdtempSync(join(tmpdir(), 'hookpoint-build-'))
  const env = { ...process.env, HOOKPOINT_STATE: state }
  for (const [name, words] of Object.entries(COMMANDS)) spawnSync(join(dist, 'bin', name), words, { env, stdio: 'ignore' })
  rmSync(state, { recursive: true, force: true })
}

await install()
warm()
