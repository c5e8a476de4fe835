// Whole processes: wall time of commands against `node -e 0` in the same run, in turn; commands per second with -batch; from a .o to
// its first verdict.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../support/root.js'

export interface CommandRow {
  readonly name: string
  /** ms of wall time, medians. */
  readonly median: number
  readonly node: number
  /** Median of the ratios, pair by pair. */
  readonly ratio: number
  /** Allowed ratio. */
  readonly goal: number
}

interface Command {
  readonly name: string
  readonly argv: readonly string[]
  readonly goal: number
}

const READ = 1.4
const WRITE = 1.6

const COMMANDS: readonly Command[] = [
  { name: 'tc qdisc show', argv: ['tc', 'qdisc', 'show', 'dev', 'eth0'], goal: READ },
  { name: 'ip link show', argv: ['ip', 'link', 'show', 'dev', 'eth0'], goal: READ },
  { name: 'bpftool prog show', argv: ['bpftool', 'prog', 'show'], goal: READ },
  { name: 'ip link set mtu', argv: ['ip', 'link', 'set', 'dev', 'eth0', 'mtu', 'N'], goal: WRITE },
  { name: 'tc qdisc replace', argv: ['tc', 'qdisc', 'replace', 'dev', 'eth1', 'root', 'pfifo', 'limit', 'N'], goal: WRITE },
]

/** NODE_EXTRA_CA_CERTS makes every node parse certificates at boot; it has no place in a comparison. */
function environment(state: string): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _certs, NODE_OPTIONS: _options, ...env } = process.env
  return { ...env, HOOKPOINT_STATE: state }
}

function wall(env: NodeJS.ProcessEnv, command: string, argv: readonly string[]): number {
  const started = performance.now()
  const { status, stderr } = spawnSync(command, argv, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  if (status !== 0) throw new Error(`${command} ${argv.join(' ')}: ${String(stderr)}`)
  return performance.now() - started
}

const median = (list: number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1]!

function inState<R>(work: (state: string, env: NodeJS.ProcessEnv) => R): R {
  const state = mkdtempSync(join(tmpdir(), 'hookpoint-bench-'))
  try {
    return work(state, environment(state))
  } finally {
    rmSync(state, { recursive: true, force: true })
  }
}

/** Each command and `node -e 0` in turn. */
export function measureCommands(rounds = 21): CommandRow[] {
  return inState((_state, env) => COMMANDS.map((command) => measure(command, env, rounds)))
}

function measure({ name, argv, goal }: Command, env: NodeJS.ProcessEnv, rounds: number): CommandRow {
  const [program = '', ...words] = argv
  const once = (round: number): number => wall(env, root('dist', 'bin', program), words.map((word) => (word === 'N' ? String(1000 + round) : word)))
  for (let warm = 0; warm < 2; warm += 1) once(500 + warm)
  const ours: number[] = []
  const node: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    ours.push(once(round))
    node.push(wall(env, process.execPath, ['-e', '0']))
  }
  return { name, median: median(ours), node: median(node), ratio: median(ours.map((ms, at) => ms / node[at]!)), goal }
}

/** Changing and reading commands of one -batch file, per second. */
export function measureBatch(lines = 2000): { lines: number; perSecond: number } {
  return inState((state, env) => {
    const file = join(state, 'batch')
    wall(env, root('dist', 'bin', 'tc'), ['qdisc', 'show'])
    const text = Array.from({ length: lines }, (_, n) => `qdisc replace dev eth0 root pfifo limit ${1000 + n}`)
    writeFileSync(file, `${text.join('\n')}\n`)
    const ms = wall(env, root('dist', 'bin', 'tc'), ['-batch', file])
    return { lines, perSecond: Math.round(lines / (ms / 1000)) }
  })
}

/** From a clang object to the first verdict: load, pin, run once, two processes; ms over as many bare node starts. */
export function measureFirstVerdict(rounds = 11): { median: number; node: number; overNode: number } {
  return inState((state, env) => {
    const packet = join(state, 'packet')
    writeFileSync(packet, new Uint8Array(64))
    const ms: number[] = []
    const node: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      const pin = `/sys/fs/bpf/p${round}`
      const load = wall(env, root('dist', 'bin', 'bpftool'), ['prog', 'load', root('fixtures', 'obj', 'xdp_parse.o'), pin])
      ms.push(load + wall(env, root('dist', 'bin', 'bpftool'), ['prog', 'run', 'pinned', pin, 'data_in', packet]))
      node.push(wall(env, process.execPath, ['-e', '0']) + wall(env, process.execPath, ['-e', '0']))
    }
    return { median: median(ms), node: median(node), overNode: median(ms.map((one, at) => one - node[at]!)) }
  })
}
