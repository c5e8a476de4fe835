// npm run build, second half: esbuild bundles each command into dist/lib and puts its launcher into dist/bin.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.js'
import { launcher } from './launcher.js'

interface Sitting {
  readonly name: string
  readonly words: readonly string[]
  readonly lines: readonly string[]
}

const batch = (name: string, ...lines: string[]): Sitting => ({ name, words: name === 'bpftool' ? ['batch', 'file', '-'] : ['-batch', '-'], lines })

/**
 * V8 caches what has run when the cache is made. The first sitting of a command makes that of its light script, so it lists and sets;
 * the second makes that of the heavy one: it goes the ways of programs. All share one machine, in this order.
 */
const SITTINGS: readonly Sitting[] = [
  batch('tc', 'qdisc show', 'qdisc replace dev eth1 root pfifo limit 10'),
  batch('ip', 'link show', 'link set dev eth0 mtu 1400'),
  batch('wire', 'time', 'set dev eth0 rate 100mbit'),
  batch('bpftool', 'prog show', 'map show'),
  { name: 'hookpoint', words: ['env'], lines: [] },
  batch('tc', 'qdisc add dev eth0 root handle 1: bpf obj fixtures/obj/sch_prio.o'),
  batch('ip', 'link set dev eth1 xdp obj fixtures/obj/xdp_count.o sec xdp'),
  batch('wire', 'send dev eth0 tx eth_type ipv4 ip_proto udp', 'send dev eth1 rx eth_type ipv4 ip_proto udp'),
  batch('bpftool', 'prog load fixtures/obj/xdp_parse.o /sys/fs/bpf/warm', 'map dump name counts', 'prog dump xlated name xdp_count'),
]

const COMMANDS = [...new Set(SITTINGS.map(({ name }) => name))]
const dist = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

async function install(): Promise<void> {
  const [bin, lib] = [join(dist, 'bin'), join(dist, 'lib')]
  for (const dir of [bin, lib]) {
    rmSync(dir, { recursive: true, force: true })
    mkdirSync(dir, { recursive: true })
    // The launchers have no extension, so their folder says that they are CommonJS.
    writeFileSync(join(dir, 'package.json'), '{"type":"commonjs"}\n')
  }
  for (const name of COMMANDS) {
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
  for (const { name, words, lines } of SITTINGS) {
    const input = lines.map((line) => `${line}\n`).join('')
    const { status, stderr } = spawnSync(join(dist, 'bin', name), words, { env, input, cwd: join(dist, '..'), encoding: 'utf8' })
    if (status !== 0) throw new Error(`${name} ${words.join(' ')}: ${stderr}`)
  }
  rmSync(state, { recursive: true, force: true })
}

await install()
warm()
