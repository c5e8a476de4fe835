// What a user can break: the state directory, objects, captures. Through the built executables: one line, the tool's status, no stack trace, soon.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../support/root.js'
import { Random } from '../fuzz/random.js'

type Ran = { readonly out: string; readonly err: string; readonly status: number | null }

function run(state: string, line: string): Ran {
  const [name = '', ...words] = line.split(' ')
  const env = { ...process.env, HOOKPOINT_STATE: state, HOOKPOINT_STRICT: '', HOOKPOINT_DIALECT: '' }
  const { stdout, stderr, status } = spawnSync(root('dist', 'bin', name), words, { cwd: root(), env, encoding: 'utf8', input: '', timeout: 20_000 })
  return { out: stdout, err: stderr, status }
}

const TRACES = /^\s+at |internal error|TypeError|RangeError|\bundefined\b|\bNaN\b/m

t.test('a state directory that can not be one', async (t) => {
  const dir = t.testdir({ file: 'text', logs: { 'meta.log': {} } })
  symlinkSync(join(dir, 'nowhere', 'deep'), join(dir, 'dangling'))
  for (const [state, reason] of [
    [join(dir, 'file'), /(read|create) state directory .*: (not a directory|file already exists)\n$/],
    [join(dir, 'file', 'below'), /(read|create) state directory .*: not a directory\n$/],
    ['/dev/null', /state directory \/dev\/null: (not a directory|file already exists)\n$/],
    [join(dir, 'dangling'), /create state directory .*: no such file or directory\n$/],
    ['/proc/here', /create state directory \/proc\/here: no such file or directory\n$/],
    [join(dir, 'n'.repeat(300)), /state directory .*: name too long\n$/],
    [join(dir, 'logs'), /read state directory .*: illegal operation on a directory\n$/],
  ] as const) {
    for (const [line, status] of [['tc qdisc show', 1], ['ip link set eth0 down', 1], ['wire send dev eth0 tx', 1], ['bpftool prog show', 255]] as const) {
      const ran = run(state, line)
      t.match(ran, { out: '', err: reason, status }, `${line}: ${state}`)
      t.equal(ran.err.split('\n').length, 2, 'one line')
    }
  }
})

t.test('a state that was cut or changed', async (t) => {
  const dir = t.testdir()
  const good = join(dir, 'good')
  for (const line of [
    'tc qdisc add dev eth0 root handle 1: bpf obj fixtures/obj/acc_say.o', 'ip link set dev eth1 xps obj fixtures/obj/xps_hello_maps.o sec hello',
    'wire send dev eth0 tx hold len 1000 count 3',
  ]) t.match(run(good, line), { err: '', status: 0 }, line)
  const random = new Random(1)
  const commands = ['tc -s qdisc show', 'ip -d link show', 'wire run until idle', 'bpftool map show', 'ip link set eth0 mtu 1400', 'tc qdisc del dev eth0 root']
  const parts = ['meta.log', ...readdirSync(join(good, 'seg')).map((name) => join('seg', name))]
  for (let i = 0; i < 24; i++) {
    const state = join(dir, 'bad')
    rmSync(state, { recursive: true, force: true })
    cpSync(good, state, { recursive: true })
    const file = join(state, parts[i % parts.length]!)
    writeFileSync(file, spoil(readFileSync(file), random))
    const line = commands[i % commands.length]!
    const ran = run(state, line)
    t.notMatch(ran.err, TRACES, line)
    if (ran.status !== 0) t.match(ran.err, /^(Error: )?state directory .* is damaged: .*\n$/, line)
  }
})

t.test('objects and captures that were cut or changed', async (t) => {
  const dir = t.testdir()
  const state = join(dir, 'state')
  mkdirSync(join(dir, 'folder.o'))
  const random = new Random(2)
  const file = join(dir, 'bad')
  const commands = [
    `tc qdisc replace dev eth0 root handle 1: bpf obj ${file}`, `ip link set dev eth0 xps obj ${file} sec hello`, `bpftool prog loadall ${file} /sys/fs/bpf/x`,
    `tc filter replace dev eth1 ingress bpf da obj ${file}`, `ip link set dev eth1 xdp obj ${file} sec xdp`, `wire replay ${file} dev eth1 rx`,
  ]
  for (let i = 0; i < 36; i++) {
    const line = commands[i % commands.length]!
    const source = line.startsWith('wire') ? 'pcap/mixed.pcap' : `obj/${['sch_wrr.o', 'xps_hello_maps.o', 'legacy_elf_map.o', 'xdp_count.o'][i % 4]}`
    writeFileSync(file, spoil(readFileSync(root('fixtures', source)), random))
    const ran = run(state, line)
    t.notMatch(ran.err, TRACES, line)
    t.ok([0, 1, 2, 255].includes(ran.status!), `${line}: ${ran.status}`)
    if (ran.status !== 0) t.not(ran.err, '', line)
  }
  for (const [line, status] of [['tc qdisc add dev eth0 root bpf obj', 1], ['ip link set dev eth0 xps obj', 255], ['bpftool prog load', 255]] as const) {
    const ran = run(state, `${line} ${join(dir, 'folder.o')}${line.startsWith('bpftool') ? ' /sys/fs/bpf/y' : ''}`)
    t.match(ran, { status }, line)
    t.notMatch(ran.err, TRACES)
  }
})

/** Cut at any place, or with a few bytes changed. */
function spoil(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0 || random.below(3) === 0) return bytes.subarray(0, random.below(bytes.length + 1))
  const bad = Uint8Array.from(bytes)
  for (let n = 1 + random.below(6); n > 0; n--) bad[random.below(random.chance(50) ? bad.length : Math.min(bad.length, 200))] = random.below(256)
  return bad
}
