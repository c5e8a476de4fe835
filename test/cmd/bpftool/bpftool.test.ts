// bpftool against transcripts of the real one, in this process and on a machine in memory.
import t from 'tap'
import { readdirSync, readFileSync } from 'node:fs'
import { run as runBpftool } from '../../../cmd/bpftool/index.js'
import { run as runIp } from '../../../cmd/ip/index.js'
import { run as runTc } from '../../../cmd/tc/index.js'
import { splitWords, type Access, type Io } from '../../../pkg/cli/index.js'
import { tools } from '../../../pkg/kernel/tools.js'
import { bootMemory } from '../../../pkg/kernel/boot.js'
import type { Kernel, Op, Reply, Request } from '../../../pkg/request/kernel.js'
import { root } from '../../support/root.js'
import { BPFTOOL_USAGE, BTF_HELP, LINK_HELP, MAP_HELP, NET_HELP, PROG_HELP, STRUCT_OPS_HELP, usage, type Help } from '../../../cmd/bpftool/usage.js'
import { format, parse, Placeholders, type Result } from './transcript.js'

const TOOLS: Readonly<Record<string, (argv: readonly string[], io: Io) => number>> = { bpftool: runBpftool, ip: runIp, tc: runTc }

/** In place of the machine's own. */
type Answers = { readonly [K in Op]?: (request: Request<K>) => Reply<K> }

/** A machine as new as a network namespace, with the CPUs of the one that the transcripts were made on. */
function sitting(options: { bare?: boolean; cpus?: number } = { bare: true, cpus: 2 }, answers: Answers = {}): { run: (line: string) => Result; kernel: Kernel; files: Map<string, Uint8Array> } {
  const kernel = bootMemory({ toolchain: () => tools, ...options })
  const files = new Map<string, Uint8Array>()
  const run = (line: string): Result => {
    const seen = { stdout: '', stderr: '' }
    const io: Io = {
      stdout: (text) => { seen.stdout += typeof text === 'string' ? text : new TextDecoder().decode(text) }, stderr: (text) => { seen.stderr += text },
      stdin: () => '', env: {}, cwd: root(), tty: false,
      readFile: (path) => files.get(path) ?? readFileSync(path.startsWith('/') ? path : root(path)),
      writeFile: (path, bytes) => { files.set(path, bytes.slice()) },
      openKernel: (access) => session(kernel, access, answers),
    }
    const [name = '', ...words] = splitWords(line)
    const status = TOOLS[name]!(words, io)
    return { ...seen, status }
  }
  return { run, kernel, files }
}

/** A command's session on a machine that outlives it: what was not committed is undone. */
function session(kernel: Kernel, access: Access, answers: Answers): Kernel {
  let open = access === 'write'
  return {
    request: (op, request) => {
      const own = answers[op]
      return own === undefined ? kernel.request(op, request) : own(request)
    },
    commit: () => { kernel.commit(); open = false },
    close: () => { if (open) (kernel as Kernel & { rollback(): void }).rollback() },
  }
}

const ok = (line: string, { stdout, stderr, status }: Result): string => {
  if (status !== 0) throw new Error(`${line}: ${stderr}${stdout}`)
  return stdout
}

for (const name of readdirSync(root('fixtures/cli')).filter((file) => /^bpftool-.*\.txt$/.test(file))) {
  t.test(`as the real one: ${name}`, async (t) => {
    const { run } = sitting()
    const holders = new Placeholders()
    for (const { command, output } of parse(readFileSync(root('fixtures/cli', name), 'utf8'))) {
      t.equal(holders.apply(format(run(command))), output, command)
    }
  })
}

// --- manual pages ---

/** The literal blocks of a section, as they are read. */
function blocks(page: string, heading: string): string[] {
  const text = readFileSync(root('man', page), 'utf8')
  const from = text.indexOf(`.Sh ${heading}\n`)
  const section = text.slice(from, text.indexOf('\n.Sh ', from + 1) + 1)
  return [...section.matchAll(/^\.Bd -literal\n([^]*?)^\.Ed$/gm)].map((found) => found[1]!.replaceAll('\\e', '\\').replace(/^\\&/gm, ''))
}

const PAGES: readonly (readonly [string, string])[] = [
  ['bpftool.8', BPFTOOL_USAGE],
  ...[PROG_HELP, MAP_HELP, BTF_HELP, LINK_HELP, NET_HELP, STRUCT_OPS_HELP].map((help) => [`bpftool-${help.object}.8`, usage(without(help))] as const),
]

function without({ note: _note, ...help }: Help): Help {
  return help
}

t.test('manual pages tell what help prints, and their examples come out', async (t) => {
  for (const [page, help] of PAGES) {
    t.equal(blocks(page, 'SYNOPSIS')[0]?.trimEnd(), help.replace(/^Usage: /, '').replace(/^ {7}/gm, '').trimEnd(), `${page}: SYNOPSIS`)
    const { run } = sitting({ bare: false, cpus: 4 })
    const [told, seen] = [new Placeholders(), new Placeholders()]
    const text = blocks(page, 'EXAMPLES').join('')
    const commands = [...text.matchAll(/^# (.*)$/gm)].map((found) => found[1]!)
    const session = commands.map((line) => {
      const { stdout, stderr } = run(line)
      return `# ${line}\n${stdout}${stderr.replace(/\n+$/, '\n')}`
    })
    t.equal(seen.apply(session.join('')), told.apply(text), `${page}: EXAMPLES`)
  }
})

// --- what the real tool has nothing to compare with ---

t.test('programs as WebAssembly', async (t) => {
  const { run, files } = sitting()
  ok('load', run('bpftool prog load fixtures/obj/xdp_pass.o /sys/fs/bpf/p'))
  t.match(run('bpftool prog dump jited pinned /sys/fs/bpf/p'), { status: 255, stderr: /not supported yet: a listing.*`file FILE`/ })
  t.match(ok('opcodes', run('bpftool prog dump jited pinned /sys/fs/bpf/p opcodes')), /^0000000\t0061 736d 0100 0000 /)
  t.match(JSON.parse(ok('json', run('bpftool -j prog dump jited pinned /sys/fs/bpf/p opcodes'))), { opcodes: ['0x00', '0x61', '0x73', '0x6d'] })
  ok('file', run('bpftool prog dump jited pinned /sys/fs/bpf/p file /tmp/out.wasm'))
  t.ok(WebAssembly.validate(files.get('/tmp/out.wasm')!.slice()))
})

t.test('completion knows objects and verbs', async (t) => {
  const { run } = sitting()
  const offers = (words: string): string[] => ok(words, run(`bpftool --get-yargs-completions bpftool ${words}`)).trimEnd().split('\n')
  t.ok(['prog', 'map', 'btf', 'net', 'link', 'batch'].every((word) => offers('""').includes(word)))
  t.strictSame(offers('map p'), ['pin', 'peek', 'push', 'pop'])
  t.strictSame(offers('p l'), ['list', 'load', 'loadall'])
})

t.test('functions of a program', async (t) => {
  const { run } = sitting()
  ok('load', run('bpftool prog load fixtures/obj/xdp_subprogs.o /sys/fs/bpf/p'))
  const lines = ok('dump', run('bpftool prog dump xlated pinned /sys/fs/bpf/p')).split('\n')
  t.strictSame(lines.filter((line) => line.endsWith('):')), [
    'int xdp_subprogs(struct xdp_md * ctx):', '__u32 fold(__u64 sum):', 'long mix_round(__u32 index, void * ctx):', 'int choose(__u32 state):',
  ])
  t.ok(lines.some((line) => /^ {2}14: \(85\) call pc\+12(#bpf_prog_[0-9a-f]{16}_fold)?$/.test(line)))
  t.ok(lines.some((line) => /^ {2}19: \(18\) r2 = subprog\[\+16\]$/.test(line)))
  t.equal(ok('graph', run('bpftool prog dump xlated pinned /sys/fs/bpf/p visual')).match(/^subgraph/gm)?.length, 3, 'callbacks are no call targets')
})

t.test('standard input is bytes', async (t) => {
  const { run, files } = sitting()
  ok('load', run('bpftool prog load fixtures/obj/xdp_pass.o /sys/fs/bpf/p'))
  files.set('/dev/stdin', Uint8Array.from({ length: 16 }, (_, n) => 0xf0 + n))
  t.match(ok('run', run('bpftool prog run pinned /sys/fs/bpf/p data_in - data_out -')), /^0000000\tf0f1 f2f3 f4f5 f6f7 f8f9 fafb fcfd feff \| \.{8} \.{8}\nReturn value: 2, /)
})

t.test('proposals in lists', async (t) => {
  const { run, kernel } = sitting({})
  ok('ip', run('ip link set dev eth0 xps obj fixtures/obj/xps_hello1.o sec hello'))
  ok('tc', run('tc qdisc add dev eth1 root handle 1: bpf obj fixtures/obj/sch_prio.o'))
  const [, , , ...rest] = ok('net', run('bpftool net')).split('\n')
  t.strictSame(rest, ['eth1(3) bpf qdisc 1: enqueue id 2 dequeue id 3', '', 'xps:', 'eth0(2) id 1', '', 'flow_dissector:', '', ''])
  t.match(JSON.parse(ok('net', run('bpftool -j net'))), [{ xps: [{ devname: 'eth0', id: 1 }], tc: [{ devname: 'eth1', kind: 'bpf', qdisc: '1:', enqueue_id: 2 }] }])
  t.match(ok('prog', run('bpftool prog show id 2')), /^2: sched_qdisc {2}name prio_enqueue {2}tag [0-9a-f]{16} {2}gpl\n/)
  const bytes = readFileSync(root('fixtures/cli/bpftool-udp.bin'))
  kernel.request('wire.send', { dev: 'eth0', direction: 'tx', frames: [{ bytes, at: 0 }] })
  kernel.commit()
  t.match(ok('tracelog', run('bpftool prog tracelog')), /bpf_trace_printk: xps/)
  t.equal(ok('tracelog', run('bpftool prog tracelog')), '', 'lines are read once')
  t.equal(ok('tracelog', run('bpftool -j prog tracelog')), '[]\n')
})

t.test('links, of a kernel that has some', async (t) => {
  const links = [{ id: 1, type: 6, progId: 7, attachType: 37, ifindex: 2, pins: ['/sys/fs/bpf/l'] }, { id: 2, type: 6, progId: 7, attachType: 37, ifindex: 0, pins: [] }]
  const info = ({ id }: { id: number }): (typeof links)[number] => links.find((one) => one.id === id)!
  const pinned: string[] = []
  const { run } = sitting({}, {
    'bpf_link.list': () => links, 'bpf_link.info': info, 'obj.get': () => ({ kind: 'link', id: 1 }), 'obj.pin': ({ path }) => { pinned.push(path) },
    'bpf_link.detach': ({ linkId }) => { info({ id: linkId }).ifindex = 0 },
  })
  t.equal(ok('show', run('bpftool -f link')), '1: xdp  prog 7  \n\tifindex eth0(2)  \n\tpinned /sys/fs/bpf/l\n2: xdp  prog 7  \n\tifindex (detached)  \n')
  t.strictSame(JSON.parse(ok('show', run('bpftool -j link show pinned /sys/fs/bpf/l'))), { id: 1, type: 'xdp', prog_id: 7, devname: 'eth0', ifindex: 2 })
  ok('pin', run('bpftool link pin id 1 /sys/fs/bpf/l2'))
  t.strictSame(pinned, ['/sys/fs/bpf/l2'])
  ok('detach', run('bpftool link detach id 1'))
  t.equal(ok('show', run('bpftool link show id 1')), '1: xdp  prog 7  \n\tifindex (detached)  \n')
})

t.test('what is not there says so', async (t) => {
  const { run } = sitting()
  ok('load', run('bpftool prog load fixtures/obj/xdp_pass.o /sys/fs/bpf/p'))
  for (const line of ['feature probe', 'gen skeleton x', 'iter pin a b', 'cgroup show /', 'prog profile id 1', 'prog attach id 1 flow_dissector']) {
    t.match(run(`bpftool ${line}`), { status: 255, stderr: /^Error: not supported yet: / }, line)
  }
  t.match(run('bpftool prog load fixtures/obj/xdp_pass.o /sys/fs/bpf/q autoattach'), { status: 0, stderr: /Program xdp_pass does not support autoattach, falling back to pinning/ })
  t.match(run('bpftool prog load fixtures/obj/xdp_pass.o /home/x'), { status: 255, stderr: /can't mount BPF file system to pin the object \(\/home\/x\)/ })
  t.match(run('bpftool prog load fixtures/cli/bpftool-udp.bin /sys/fs/bpf/z'), { status: 255, stderr: /^libbpf: .*\nError: failed to open object file/ })
  t.match(ok('vmlinux', run('bpftool btf dump file /sys/kernel/btf/vmlinux format c')), /\nstruct sk_buff \{\n/)
})

t.test('no words make it fall over, and JSON is always JSON', async (t) => {
  const { run } = sitting()
  ok('load', run('bpftool prog loadall fixtures/obj/xdp_maps.o /sys/fs/bpf/p pinmaps /sys/fs/bpf/m'))
  const words = ['prog', 'map', 'btf', 'net', 'link', 'show', 'dump', 'update', 'lookup', 'create', 'load', 'run', 'id', 'name', 'pinned', 'tag', '1', '0', 'x', '',
    'key', 'value', 'hex', 'xlated', 'jited', 'file', 'type', 'hash', 'any', 'dev', 'lo', 'attach', 'detach', 'xdp', 'format', 'c', 'batch', 'struct_ops', 'pin', 'peek',
    'push', 'pop', 'freeze', '/sys/fs/bpf/m/m_queue', '/sys/fs/bpf/m/m_hash', '/sys/fs/bpf/p/use_lpm', 'data_in', 'fixtures/cli/bpftool-udp.bin', 'm_array', 'opcodes', 'visual']
  let seed = 1
  const next = (below: number): number => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return (seed >>> 8) % below }
  for (let i = 0; i < 2000; i++) {
    const line = ['bpftool', i % 2 === 0 ? '-j' : '-p', ...Array.from({ length: 1 + next(8) }, () => `"${words[next(words.length)]!}"`)].join(' ')
    const { stdout, stderr } = run(line)
    if (/internal error/.test(stderr + stdout)) t.fail(line, { stderr, stdout })
    try {
      JSON.parse(stdout)
    } catch {
      t.fail(`no JSON: ${line}`, { stdout })
    }
  }
})
